#!/usr/bin/python3
"""What one pull leaves behind never takes the space of the next one; nor does a clean-up its objects."""
import os
import pathlib
import random
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import Lab, sh  # noqa: E402
import tap  # noqa: E402
from tap import main, skip, test  # noqa: E402

PIECE_BYTES = 250_000
N_PIECES = 40
# Room for one release beside what the device runs, not for two.
DISK_MEGABYTES = 18


def pieces(seed, end=b""):
    def change(top):
        noise = random.Random(seed)
        for n in range(N_PIECES):
            (top / f"usr/lib/piece{n}").write_bytes(noise.randbytes(PIECE_BYTES) + end)
    return change


def large_lab(tmp):
    lab = Lab(tmp, releases=(1,))
    for version in (2, 3):
        lab.release(version, commit=lab.commit(version, pieces(version)))
    return lab


class SmallDevice:
    """A device whose sysroot is a small file system."""

    def __init__(self, lab, megabytes=DISK_MEGABYTES):
        self.megabytes = megabytes
        self.device = lab.device()
        self.disk = self.device.folder / "small"

    def __enter__(self):
        device = self.device
        self.disk.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.megabytes}m", "none", self.disk],
                              check=False, stderr=subprocess.DEVNULL)
        if done.returncode != 0:
            shutil.rmtree(device.folder)
            skip("no right to mount")
        sh("cp", "-a", f"{device.sysroot}/.", self.disk)
        shutil.rmtree(device.sysroot)
        device.sysroot = self.disk
        device.write_config()
        return device

    def __exit__(self, *_):
        sh("umount", self.disk)
        shutil.rmtree(self.device.folder)


def traced(device, inject, *words):
    """An installer under strace, with @inject done to one of its calls; started."""
    if shutil.which("strace") is None:
        skip("no strace")
    argv = [os.fspath(word) for word in device.argv(*words)]
    argv[0] = str(tap.program("satchel-installer"))
    call = inject.split(":")[0]
    return subprocess.Popen(["strace", "-f", "-qqq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                             f"inject={inject}", *argv], stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, encoding="utf-8",
                            env=dict(os.environ, OSTREE_SYSROOT_DEBUG="mutable-deployments",
                                     **tap.TRACED))


def kill_before_commit(device, bundle, version):
    """All objects lie in a staging folder then."""
    traced(device, "syncfs:signal=KILL:when=1", "pull", version, "--src-dir", bundle).communicate()
    assert not device.has_commit(int(version))
    folder, = [path for path in (device.repo / "tmp").glob("staging-*") if path.is_dir()]
    assert len(list(folder.glob("??/*.file"))) >= N_PIECES
    return folder


def inodes(folder):
    """Of the large files' objects."""
    found = [path.lstat() for path in folder.glob("??/*.file")]
    return {info.st_ino for info in found if info.st_size == PIECE_BYTES}


@test("a pull that was killed goes on where the space would not suffice twice")
def _(tmp):
    lab = large_lab(tmp)
    bundle = lab.bundle([2])
    with SmallDevice(lab) as device:
        staged = inodes(kill_before_commit(device, bundle, "2"))
        device.expect(0, "pull", "--src-dir", bundle)
        assert staged <= inodes(device.repo / "objects")
        device.fsck()


@test("what a pull of an earlier boot left aside takes no space from the next one")
def _(tmp):
    lab = large_lab(tmp)
    bundle = lab.bundle([2])
    with SmallDevice(lab) as device:
        folder = kill_before_commit(device, bundle, "2")
        other = folder.with_name("staging-" + "0" * 8 + folder.name[len("staging-") + 8:])
        folder.rename(other)
        device.expect(0, "pull", "--src-dir", bundle)
        assert not other.exists()
        device.fsck()


@test("what a pull of another release left aside takes no space from this one")
def _(tmp):
    lab = large_lab(tmp)
    with SmallDevice(lab) as device:
        folder = kill_before_commit(device, lab.bundle([2]), "2")
        device.expect(0, "pull", "3", "--src-dir", lab.bundle([3]))
        assert not list(folder.glob("??/*.file"))
        device.fsck()


@test("a staged object that is damaged is not counted as held twice over")
def _(tmp):
    lab = large_lab(tmp)
    bundle = lab.bundle([2])
    with SmallDevice(lab) as device:
        for path in kill_before_commit(device, bundle, "2").glob("??/*.file"):
            os.truncate(path, 0)
        (device.repo / "filler").write_bytes(bytes((DISK_MEGABYTES - 8) << 20))
        result = device.expect(60, "pull", "--src-dir", bundle)
        assert "bytes are lacking: the update needs" in result.stderr, result
        (device.repo / "filler").unlink()
        device.expect(0, "pull", "--src-dir", bundle)
        device.fsck()


@test("a release that was pulled and not installed makes room for another")
def _(tmp):
    lab = large_lab(tmp)
    with SmallDevice(lab) as device:
        device.expect(0, "pull", "2", "--src-dir", lab.bundle([2]))
        sh("ostree", "commit", "--repo", device.repo, "--branch", "others", f"--tree=ref={lab.commits[1]}")
        device.expect(100, "update", "3", "--src-dir", lab.bundle([3]))
        assert not device.has_commit(2)
        refs = sh("ostree", "refs", "--repo", device.repo).split()
        assert "others" in refs and not [ref for ref in refs if ref.startswith("satchel/pulled/")], refs
        assert device.deployments() == [lab.commits[3], lab.commits[1]]
        device.fsck()


@test("a release that was pulled and not installed stays where there is room")
def _(tmp):
    lab = Lab(tmp)
    with lab.device() as device:
        device.expect(0, "pull", "2", "--src-dir", lab.bundle([2]))
        device.expect(0, "pull", "3", "--src-dir", lab.bundle([3]))
        assert device.has_commit(2) and device.has_commit(3)


@test("a delta finds room where another release was pulled and a pull was cut off")
def _(tmp):
    lab = Lab(tmp, releases=())
    lab.release(1, commit=lab.commit(1, pieces(1)))
    lab.release(2, commit=lab.commit(2, pieces(1, b"x")))
    lab.release(3, commit=lab.commit(3, pieces(3)))
    bundle = lab.bundle([2], "--delta", "--from", lab.commits[1])
    assert list((bundle / "ostree_repo/deltas").rglob("superblock"))
    with SmallDevice(lab, megabytes=36) as device:
        device.expect(0, "pull", "3", "--src-dir", lab.bundle([3]))
        device.expect(100, "update", "2", "--src-dir", bundle)
        device.fsck()
    with SmallDevice(lab, megabytes=36) as device:
        kill_before_commit(device, lab.bundle([3]), "3")
        device.expect(100, "update", "2", "--src-dir", bundle)
        device.fsck()


@test("no other program can prune the repository between the first look and the ref that keeps the commit")
def _(tmp):
    if shutil.which("strace") is None:
        skip("no strace")
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    with lab.device() as device:
        argv = [os.fspath(word) for word in device.argv("pull", "--src-dir", bundle)]
        argv[0] = str(tap.program("satchel-installer"))
        trace = pathlib.Path(tmp) / "trace"
        tap.run(["strace", "-f", "-qqq", "-y", "-o", trace, "-e", "trace=fcntl,openat,renameat",
                 *argv], env={"OSTREE_SYSROOT_DEBUG": "mutable-deployments"}, check=True)
        lines = trace.read_text().splitlines()
        taken, = [n for n, line in enumerate(lines) if "F_RDLCK" in line]
        given, = [n for n, line in enumerate(lines) if "F_UNLCK" in line]
        looks = [n for n, line in enumerate(lines) if "ostree/repo/objects" in line and "O_PATH" not in line]
        refs = [n for n, line in enumerate(lines) if "renameat(" in line and "satchel/pulled" in line]
        assert looks and refs, lines
        assert taken < refs[-1] < given, (taken, refs, given)


main()
