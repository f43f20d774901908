#!/usr/bin/python3
"""What the device's repository holds already is believed only as far as its hash goes."""
import os
import pathlib
import subprocess
import sys
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import Lab, sh  # noqa: E402
from tap import main, test  # noqa: E402

GOOD = b"#!/bin/sh\necho release 2\n"
EVIL = b"#!/bin/sh\necho EVILEVI 2\n"


def find_content(folder, content, suffix=".file"):
    return next(path for path in folder.rglob(f"*{suffix}")
                if path.is_file() and not path.is_symlink() and path.read_bytes() == content)


def object_of(lab, bundle, path):
    """The bundle's object of a file of release 2."""
    listed = sh("ostree", "ls", "--repo", lab.repo, "-C", lab.commits[2], path).split()
    checksum = next(word for word in listed if len(word) == 64)
    return bundle / f"ostree_repo/objects/{checksum[:2]}/{checksum[2:]}.filez"


def tamper(path):
    """Other content of the same length under the same name."""
    data = path.read_bytes()
    begin = 8 + int.from_bytes(data[:4], "big")
    assert zlib.decompress(data[begin:], -15) == GOOD
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    path.unlink()
    path.write_bytes(data[:begin] + packer.compress(EVIL) + packer.flush())


def pull_unverified(device, bundle):
    """What another updater does, which believes the medium."""
    repo = f"--repo={device.repo}"
    sh("ostree", repo, "remote", "add", "--if-not-exists", "--no-gpg-verify", "x", f"file://{bundle}/ostree_repo")
    done = subprocess.run(["ostree", repo, "pull", "--disable-fsync", "x", device.lab.commits[2]],
                          check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return done.returncode


def assert_deployed_well(device):
    device.fsck()
    commit = device.lab.commits[2]
    root = device.sysroot / f"ostree/deploy/lmp/deploy/{commit}.0"
    assert (root / "usr/bin/hello").read_bytes() == GOOD


def new_staging(device, path, content, mode):
    """A folder as an aborted transaction of this boot leaves it, with one object."""
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    folder = device.repo / f"tmp/staging-{boot}-AbCdEf"
    staged = folder / path
    staged.parent.mkdir(parents=True)
    staged.write_bytes(content)
    staged.chmod(mode)
    folder.chmod(0o700)


def pulled_object(lab, bundle, kind):
    """Name below objects/, and mode, of an object that only release 2 has, once pulled."""
    with lab.device() as other:
        before = set((other.repo / "objects").glob(f"??/*.{kind}"))
        other.expect(0, "pull", "--src-dir", bundle)
        fresh = sorted(set((other.repo / "objects").glob(f"??/*.{kind}")) - before)
        path = next(path for path in fresh if not path.is_symlink())
        return path.relative_to(other.repo / "objects"), path.stat().st_mode & 0o7777


@test("what another updater pulled unverified is hashed, and brought anew where it is wrong")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    good, bad = lab.bundle([2]), lab.odd_bundle([2])
    tamper(object_of(lab, bad, "/usr/bin/hello"))
    with lab.device() as device:
        assert pull_unverified(device, bad) == 0
        find_content(device.repo / "objects", EVIL)
        before = device.digest()
        device.expect(50, "install", lab.names[2], "--src-dir", good)
        assert device.digest()[1] == before[1]
        device.expect(100, "update", "--src-dir", good)
        assert_deployed_well(device)


for kind in ("file", "dirtree", "commit"):
    @test(f"a {kind} of a wrong content in libostree's staging folder is thrown away")
    def _(tmp, kind=kind):
        lab = Lab(tmp, releases=(1, 2))
        bundle = lab.bundle([2])
        path, mode = pulled_object(lab, bundle, kind)
        with lab.device() as device:
            new_staging(device, path, b"EVIL", mode)
            device.expect(0, "pull", "--src-dir", bundle)
            assert (device.repo / "objects" / path).read_bytes() != b"EVIL"
            device.fsck()
            device.expect(100, "install")
            assert_deployed_well(device)


@test("a staged object that this pull does not bring never replaces what the device has")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    with lab.device() as device:
        held = next(path for path in sorted((device.repo / "objects").glob("??/*.file"))
                    if not path.is_symlink() and path.stat().st_size > 0)
        before, mode = held.read_bytes(), held.stat().st_mode & 0o7777
        new_staging(device, held.relative_to(device.repo / "objects"), b"EVIL", mode)
        device.expect(0, "pull", "--src-dir", bundle)
        assert held.read_bytes() == before
        device.fsck()


def damage(device, how):
    """Of what was pulled: usr/bin/hello."""
    path = find_content(device.repo / "objects", GOOD)
    how(path)
    return path


def empty(path):
    path.write_bytes(b"")


for words, how in (("was cut short", empty), ("went away", os.unlink)):
    @test(f"an object that {words} after the pull comes again with the next pull")
    def _(tmp, how=how):
        lab = Lab(tmp, releases=(1, 2))
        bundle = lab.bundle([2])
        with lab.device() as device:
            device.expect(0, "pull", "--src-dir", bundle)
            path = damage(device, how)
            device.expect(0, "pull", "--src-dir", bundle)
            assert path.read_bytes() == GOOD
            device.expect(100, "install")
            assert_deployed_well(device)

    @test(f"an object that {words} after the pull is 50 for install, and no mark on the target")
    def _(tmp, how=how):
        lab = Lab(tmp, releases=(1, 2))
        bundle = lab.bundle([2])
        with lab.device() as device:
            device.expect(0, "pull", "--src-dir", bundle)
            path = damage(device, how)
            before = device.digest()
            result = device.expect(50, "install")
            assert path.parent.name + path.stem in result.stderr, result
            assert "'pull'" in result.stderr, result
            assert device.digest() == before
            device.expect(16, "check", "--src-dir", bundle)
            device.expect(100, "update", "--src-dir", bundle)
            assert_deployed_well(device)


@test("a folder's object that went away after the pull is 50 for install")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    path, _ = pulled_object(lab, bundle, "dirtree")
    with lab.device() as device:
        device.expect(0, "pull", "--src-dir", bundle)
        (device.repo / "objects" / path).unlink()
        before = device.digest()
        device.expect(50, "install")
        assert device.digest() == before


main()
