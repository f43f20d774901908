#!/usr/bin/python3
"""A pull that is killed at random points, again and again, and goes on where it was. Not part of
`make check`: it takes a minute or two (.ci/run does it, for both forms of a bundle).

    tests/integration/sweep_import_kill.py [--kills N] [--seed N]
"""
import argparse
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import Lab, tree_digest  # noqa: E402
from tap import program  # noqa: E402


def many_files(top):
    """Enough that a kill meets the middle of something; one is too large to be held."""
    noise = random.Random(1)
    for n in range(400):
        (top / f"usr/share/many-{n}").write_bytes(noise.randbytes(1 + n * 97) * 2)
    (top / "usr/share/large").write_bytes(noise.randbytes(6 << 20))
    (top / "usr/share/zeros").write_bytes(bytes(20 << 20))


def start(device, bundle):
    argv = device.argv("pull", "-q", "--src-dir", bundle)
    argv[0] = program(argv[0])
    env = dict(os.environ, OSTREE_SYSROOT_DEBUG="mutable-deployments")
    return subprocess.Popen([str(word) for word in argv], env=env, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE)


def finish(process):
    _, errors = process.communicate()
    assert process.returncode == 0, errors.decode()


def brought(device):
    """The objects that a device has, and what lies in its repository besides."""
    left = [path.name for path in (device.repo / "tmp").iterdir() if path.name != "cache"]
    return tree_digest(device.repo / "objects"), left


def sweep(lab, bundle, kills, chance):
    """Returns how many pulls it took to bring the release to a device."""
    done = devices = 0
    while done < kills:
        with lab.device() as device:
            devices += 1
            with lab.device() as clean:
                begin = time.monotonic()
                finish(start(clean, bundle))
                whole_s = time.monotonic() - begin
                undisturbed = brought(clean)
            for _ in range(min(20, kills - done)):
                process = start(device, bundle)
                time.sleep(chance.uniform(0, whole_s))
                process.send_signal(signal.SIGKILL)
                process.communicate()
                done += 1
                # What is there is whole, at any time; the commit comes last.
                device.fsck()
            finish(start(device, bundle))
            assert device.has_commit(2)
            device.fsck()
            objects, left = brought(device)
            assert objects == undisturbed[0]
            assert len(left) <= len(undisturbed[1]), left
            device.expect(100, "install")
    return devices


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="satchel-sweep-"))
    try:
        lab = Lab(folder, releases=(1,))
        lab.release(2, commit=lab.commit(2, many_files))
        for packed in (True, False):
            form = "packed" if packed else "folder"
            print(f"{form}: seed {options.seed}", flush=True)
            devices = sweep(lab, lab.bundle([2], packed=packed), options.kills,
                            random.Random(options.seed))
            print(f"{form}: {options.kills} kills on {devices} devices: each resumed, all brought "
                  "what an undisturbed one does")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
