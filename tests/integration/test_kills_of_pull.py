#!/usr/bin/python3
"""SIGKILL at any write of check and pull: the next one goes on, and nothing is wrong.

--every-point: not a sample of the points at which the program can be killed, but all of them, or many.
"""
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import Lab, NAME  # noqa: E402
from kill_sweep import WRITES, check_state, kill_sweep  # noqa: E402
from tap import main, test  # noqa: E402


@test(f"killed at {WRITES}, check can be run again")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        def again(device):
            device.expect(16, "check", "--src-dir", bundle)
            assert check_state(device)["current"]["name"] == f"{NAME}-1"
            device.expect(16, "list")
        kill_sweep(device, ["check", "--src-dir", bundle], 10, again)


@test("killed at many writes, pull can be run again and the repository is whole")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        def again(device):
            # A commit that is there is complete.
            if device.has_commit(2):
                device.fsck()
            device.expect(0, "pull", "--src-dir", bundle)
            device.fsck()
            device.expect(100, "install")
        kill_sweep(device, ["pull", "--src-dir", bundle], 10, again, steps=False)


# ---- other forms of a bundle

NOISE = random.Random(6).randbytes(300_000)


def with_blob(change):
    """A file of which a delta carries little."""
    def make(top):
        (top / "usr/lib/blob").write_bytes(NOISE + change)
    return make


def sweep_pull(lab, bundle, n):
    """Kills pulls of release 2 on a device with release 1."""
    with lab.device() as device:
        def again(device):
            if device.has_commit(2):
                device.fsck()
            device.expect(0, "pull", "--src-dir", bundle)
            device.fsck()
            left = [path.name for path in (device.repo / "tmp").iterdir()]
            assert all(name.startswith(("cache", "staging")) for name in left), left
            device.expect(100, "install")
        return kill_sweep(device, ["pull", "--src-dir", bundle], n, again, most=120, steps=False)


@test("killed at many writes in any thread, pull of a packed bundle can be run again")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    assert sweep_pull(lab, lab.bundle([1, 2], packed=True), 10) >= 2


@test("killed at many writes, pull of a thin bundle with a delta can be run again")
def _(tmp):
    lab = Lab(tmp, releases=())
    for version in (1, 2):
        lab.release(version, commit=lab.commit(version, with_blob(bytes([version]))))
    bundle = lab.bundle([2], "--from", lab.commits[1], "--delta")
    assert list((bundle / "ostree_repo/deltas").rglob("superblock"))
    sweep_pull(lab, bundle, 10)


main()
