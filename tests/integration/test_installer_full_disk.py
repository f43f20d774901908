#!/usr/bin/python3
"""Every step on file systems that run full, or can only be read: real ones, of some megabytes.

A disk is left with more and more room until the command succeeds. Each time before, it ends with 60,
or 110 where install went back, and one line; the device is what it was.
"""
import os
import pathlib
import random
import re
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from booted_lab import main_booted, mount_image  # noqa: E402
from device_lab import Lab, NAME, sh, tree_digest  # noqa: E402
from kill_sweep import check_state  # noqa: E402
from tap import test  # noqa: E402

NOISE = random.Random(6).randbytes(300_000)
FILL = "fill"


class Disks:
    """A device whose storage, sysroot and /boot are small ext4 file systems of their own."""

    def __init__(self, tmp, lab, storage_mb=2, sysroot_mb=12, boot_mb=2):
        self.device = lab.device()
        self.mounts = []
        self._move(tmp / "storage.img", storage_mb, self.device.storage)
        self._move(tmp / "sysroot.img", sysroot_mb, self.device.sysroot)
        self._move(tmp / "boot.img", boot_mb, self.device.sysroot / "boot")

    def _move(self, image, megabytes, folder):
        """Puts a file system in the place of a folder, with all that the folder has."""
        aside = self.device.folder / "aside"
        sh("mv", folder, aside)
        mount_image(image, megabytes, folder)
        self.mounts.append(folder)
        (folder / "lost+found").rmdir()
        sh("cp", "-a", f"{aside}/.", folder)
        shutil.rmtree(aside)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for folder in reversed(self.mounts):
            sh("umount", folder)
        self.device.__exit__()


def fill(disk, left_kib):
    """Leaves the disk that much room for data."""
    with open(disk / FILL, "wb") as file:
        room = os.statvfs(disk)
        wanted = room.f_bfree * room.f_bsize - (left_kib << 10)
        while wanted > 0:
            try:
                os.posix_fallocate(file.fileno(), 0, wanted)
                break
            except OSError:  # its own blocks of extents are not counted
                wanted -= room.f_bsize


def digest(device, without=()):
    """What must not change, whatever lies on the disk to fill it."""
    return (tree_digest(device.storage, without=(FILL, "satchel/lock", "satchel")),
            device.state(), device.deployments(),
            tree_digest(device.sysroot, without=(FILL, f"boot/{FILL}", *without)))


def assert_unchanged(device, before, without=(), told=""):
    for was, now in zip(before, digest(device, without)):
        if isinstance(was, dict) and was != now:
            now = {key: now.get(key) for key in {*was, *now} if was.get(key) != now.get(key)}
            was = {key: was.get(key) for key in now}
        assert was == now, f"{told}: {was} became {now}"


def squeeze(device, disk, words, good, *, status=60, without=(), last_kib=4096, factor=1.6):
    """Runs a command with more and more room; the last time with all that there is."""
    before = digest(device, without)
    left_kib, refused = 0, 0
    while left_kib <= last_kib:
        fill(disk, int(left_kib))
        result = device.run(*words)
        (disk / FILL).unlink()
        if result.returncode == good:
            break
        refused += 1
        assert result.returncode == status, f"with {int(left_kib)} KiB: {result}"
        assert re.search("No space left on device|bytes are lacking|no space left",
                         result.stderr), result
        assert "satchel-installer: " in result.stderr.splitlines()[-1], result
        assert_unchanged(device, before, without, f"with {int(left_kib)} KiB")
        device.fsck()
        left_kib = max(left_kib + 1, left_kib * factor)
    else:
        device.expect(good, *words)
    print(f"# {words[0]}: {refused} times {status}, up to {int(left_kib)} KiB")
    assert refused > 0
    check_state(device)


# Objects that were brought stay for the next try, and are whole.
OBJECTS = ("ostree/repo/objects", "ostree/repo/tmp", "ostree/repo/state", "ostree/repo")


# A checkout that nothing boots, and the pin of what boots; the next installation clears them away.
CHECKOUT = ("ostree/deploy", "boot/.loader.pin")


@test("check: neither trusted metadata nor the state are written by half")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with Disks(tmp, lab) as disks:
        device = disks.device
        squeeze(device, device.storage, ["check", "--src-dir", bundle], 16)
        device.expect(100, "update", "--src-dir", bundle)


@test("pull: no commit before its objects, and the next one goes on")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    for packed in (False, True):
        bundle = lab.bundle([1, 2], packed=packed)
        folder = tmp / str(packed)
        folder.mkdir()
        with Disks(folder, lab) as disks:
            device = disks.device
            device.expect(16, "check", "--src-dir", bundle)
            squeeze(device, device.sysroot, ["pull", "--src-dir", bundle], 0, without=OBJECTS)
            device.fsck()
            device.expect(100, "install")
            device.expect(0, "run")


@test("pull by delta: neither the private copy nor what it makes is left by half")
def _(tmp):
    def with_blob(change):
        return lambda top: (top / "usr/lib/blob").write_bytes(NOISE + change)
    lab = Lab(tmp, releases=())
    for version in (1, 2):
        lab.release(version, commit=lab.commit(version, with_blob(bytes([version]))))
    bundle = lab.bundle([2], "--from", lab.commits[1], "--delta")
    with Disks(tmp, lab) as disks:
        device = disks.device
        device.run("check", "--src-dir", bundle)
        squeeze(device, device.sysroot, ["pull", "--src-dir", bundle], 0, without=OBJECTS)
        device.expect(100, "install")
        device.expect(0, "run")


@test("install: the checkout does not fit, what boots stays, and the target is not failing")
def _(tmp):
    def big_etc(top):  # /etc is copied, all else is linked
        (top / "usr/etc/big").write_bytes(NOISE)
    lab = Lab(tmp, releases=(1,))
    lab.release(2, commit=lab.commit(2, big_etc))
    bundle = lab.bundle([1, 2])
    with Disks(tmp, lab) as disks:
        device = disks.device
        device.expect(0, "pull", "--src-dir", bundle)
        squeeze(device, device.sysroot, ["install"], 100, status=110, without=CHECKOUT)
        assert device.deployments() == [lab.commits[2], lab.commits[1]]
        device.expect(0, "run")


@test("install: /boot is too small for another kernel, what boots stays, the target is not failing")
def _(tmp):
    def big_kernel(top):
        (top / "usr/lib/modules/6.1.0/vmlinuz").write_bytes(NOISE)
    lab = Lab(tmp, releases=(1,))
    lab.release(2, commit=lab.commit(2, big_kernel))
    bundle = lab.bundle([1, 2])
    with Disks(tmp, lab) as disks:
        device = disks.device
        device.expect(0, "pull", "--src-dir", bundle)
        squeeze(device, device.sysroot / "boot", ["install"], 100, status=110,
                without=CHECKOUT)
        device.expect(0, "run")


@test("install and run: the state does not fit, and the next command tells the truth")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with Disks(tmp, lab) as disks:
        device = disks.device
        device.expect(0, "pull", "--src-dir", bundle)
        squeeze(device, device.storage, ["install"], 100, without=CHECKOUT)
        assert device.deployments() == [lab.commits[2], lab.commits[1]]
        squeeze(device, device.storage, ["run"], 0)
        assert check_state(device)["current"]["name"] == f"{NAME}-2"
        squeeze(device, device.storage, ["rollback"], 100, without=CHECKOUT)
        device.expect(0, "run")
        assert check_state(device)["current"]["name"] == f"{NAME}-1"


@test("a sysroot that can only be read: pull and install are refused, and go on once it is writable")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with Disks(tmp, lab) as disks:
        device = disks.device
        device.expect(16, "check", "--src-dir", bundle)
        for words, status, good in ((["pull", "--src-dir", bundle], 50, 0), (["install"], 1, 100)):
            before = digest(device)
            sh("mount", "-o", "remount,ro", device.sysroot)
            result = device.run(*words)
            sh("mount", "-o", "remount,rw", device.sysroot)
            assert result.returncode == status, result
            assert "Read-only file system" in result.stderr, result
            assert_unchanged(device, before)
            device.expect(good, *words)
        device.expect(0, "run")


@test("a storage that can only be read: check, pull, install and run change nothing and say why")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with Disks(tmp, lab) as disks:
        device = disks.device
        for words, good in ((["check", "--src-dir", bundle], 16), (["pull", "--src-dir", bundle], 0),
                            (["install"], 100), (["run"], 0)):
            before = digest(device)
            sh("mount", "-o", "remount,ro", device.storage)
            result = device.expect(1, *words)
            sh("mount", "-o", "remount,rw", device.storage)
            assert "Read-only file system" in result.stderr, result
            assert_unchanged(device, before)
            device.expect(good, *words)


main_booted()
