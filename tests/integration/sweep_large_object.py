#!/usr/bin/python3
"""One object of 5 GB takes no more memory than many small ones. Not part of `make check`: it takes
half a minute and 5 GB of disk.

    tests/integration/sweep_large_object.py [--folder FOLDER]
"""
import argparse
import os
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import Lab  # noqa: E402
from run_once import run_once  # noqa: E402
from tap import program  # noqa: E402

MAX_KIB = 64 * 1024


def sparse(top):
    with open(top / "usr/share/sparse", "wb") as file:
        file.truncate(5 << 30)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", default="/var/tmp", help="with room for 5 GB")
    tempfile.tempdir = parser.parse_args().folder
    folder = pathlib.Path(tempfile.mkdtemp(prefix="satchel-large-"))
    try:
        lab = Lab(folder, releases=(1,))
        lab.release(2, commit=lab.commit(2, sparse))
        os.environ["OSTREE_SYSROOT_DEBUG"] = "mutable-deployments"
        with lab.device() as device:
            argv = [str(word) for word in device.argv("pull", "-q", "--src-dir", lab.bundle([2]))]
            wall_s, cpu_s, memory_kib = run_once([program(argv[0]), *argv[1:]])
            assert device.has_commit(2)
            device.fsck()
        print(f"5 GB in one object: {wall_s:.1f} s, {cpu_s:.1f} s of processor, {memory_kib} KiB")
        assert memory_kib <= MAX_KIB, memory_kib
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
