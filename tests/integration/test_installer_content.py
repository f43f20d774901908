#!/usr/bin/python3
"""What `pull` lets into the device's repository: verified objects, and nothing else."""
import itertools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import Lab, OWNER, sh  # noqa: E402
from tap import main, program, skip, test  # noqa: E402

MODES = ("bare", "bare-user", "archive")


def objects(bundle, kind):
    return sorted((bundle / "ostree_repo/objects").glob(f"??/*.{kind}"))


def checksum(path):
    return path.parent.name + path.name.split(".")[0]


def only_in(lab, version, *others):
    """Objects that only this release has, as FILE.KIND names."""
    def listed(which):
        text = sh("ostree", "ls", "--repo", lab.repo, "-R", "-C", lab.commits[which])
        return {word for line in text.splitlines() for word in line.split() if len(word) == 64}
    found = listed(version)
    for other in others:
        found -= listed(other)
    return found


def new_object(lab, bundle, kind):
    """The path of one object that the device lacks."""
    fresh = only_in(lab, 2, 1)
    return next(path for path in objects(bundle, kind) if checksum(path) in fresh)


def in_repository(device, path):
    return any((device.repo / "objects" / path.parent.name).glob(path.name.split(".")[0] + ".*"))


def assert_kept_out(device, bundle, path, status=50):
    """Neither pull nor update takes the object; the repository stays whole and complete."""
    for command in ("pull", "update"):
        result = device.expect(status, command, "--src-dir", bundle)
        assert checksum(path) in result.stderr or path.name.split(".")[0] in result.stderr, result
    assert not in_repository(device, path)
    assert not device.has_commit(2)
    assert device.deployments() == [device.lab.commits[1]]
    assert "pending" not in (device.state() or {})
    device.expect(50, "install", "2")
    device.fsck()


def alteration(what, alter, status=50, kind="filez"):
    for mode in MODES:
        @test(f"{what} is {status}, and nothing of it gets into a {mode} repository")
        def _(tmp, mode=mode):
            lab = Lab(tmp, releases=(1, 2))
            bundle = lab.bundle([2])
            path = new_object(lab, bundle, kind)
            alter(path)
            with lab.device(mode=mode) as device:
                device.expect(16, "check", "--src-dir", bundle)
                assert_kept_out(device, bundle, path, status)


def header_bytes(data):
    """Where the deflated content of a .filez begins."""
    return 8 + int.from_bytes(data[:4], "big")


def change_content(path):
    data = path.read_bytes()
    begin = header_bytes(data)
    content = zlib.decompress(data[begin:], -15)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    evil = content.replace(b"in 2", b"in 6") + b""
    assert evil != content
    path.write_bytes(data[:begin] + packer.compress(evil) + packer.flush())


def change_mode(path):
    """The set-user-ID bit, which is in the header and not in the content."""
    data = bytearray(path.read_bytes())
    # a{tuuuusa(ayay)}: size 8, uid 4, gid 4, mode 4, big-endian, behind 8 bytes of length.
    place = 8 + 8 + 4 + 4
    mode = int.from_bytes(data[place:place + 4], "big")
    assert mode & 0o170000 == 0o100000, oct(mode)
    data[place:place + 4] = (mode | 0o4000).to_bytes(4, "big")
    path.write_bytes(data)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-5])


def swap(path):
    """Another object of the bundle under this one's name."""
    other = next(candidate for candidate in path.parent.parent.glob(f"??/*{path.suffix}")
                 if candidate != path)
    path.write_bytes(other.read_bytes())


alteration("content that was altered", change_content)
alteration("a mode that was altered", change_mode)
alteration("a file object that is cut short", truncate)
alteration("a file object in place of another", swap)
alteration("a folder object in place of another", swap, kind="dirtree")


@test("an object that the bundle lacks is 8, and its name is said")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    path = new_object(lab, bundle, "filez")
    path.unlink()
    with lab.device() as device:
        assert_kept_out(device, bundle, path, 8)


@test("an object that the bundle lacks and the device has is no loss")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    shared = only_in(lab, 2) - only_in(lab, 2, 1)
    path = next(p for p in objects(bundle, "filez") if checksum(p) in shared)
    path.unlink()
    with lab.device() as device:
        device.expect(0, "pull", "--src-dir", bundle)
        device.fsck()


@test("a symbolic link in place of an object is not followed")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    path = new_object(lab, bundle, "filez")
    path.rename(tmp / "elsewhere")
    path.symlink_to(tmp / "elsewhere")
    with lab.device() as device:
        assert_kept_out(device, bundle, path)


@test("a commit that was altered is refused")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    commit = lab.commits[2]
    path = bundle / f"ostree_repo/objects/{commit[:2]}/{commit[2:]}.commit"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with lab.device() as device:
        result = device.expect(50, "pull", "--src-dir", bundle)
        assert (f"objects/{commit[:2]}/{commit[2:]}.commit, byte 0: it is damaged or was altered"
                ) in result.stderr, result
        assert not device.has_commit(2)


def configure(bundle, mode, *lines):
    (bundle / "ostree_repo/config").write_text(
        "\n".join(["[core]", "repo_version=1", f"mode={mode}", *lines, ""]))


@test("no remote and no key of the repository's configuration on the medium gets to the device")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    configure(bundle, "archive-z2", "min-free-space-percent=100", '[remote "x"]', "url=file:///")
    with lab.device() as device:
        before = (device.repo / "config").read_text()
        device.expect(100, "update", "--src-dir", bundle)
        assert (device.repo / "config").read_text() == before
        assert device.has_commit(2)
        device.fsck()


@test("a parent that the repository's configuration on the medium names is not followed")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    configure(bundle, "archive-z2", f"parent={lab.repo}")  # which has every object
    path = new_object(lab, bundle, "filez")
    path.unlink()
    with lab.device() as device:
        assert_kept_out(device, bundle, path, 8)


@test("a mode in the configuration on the medium that its objects do not have is 8")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    configure(bundle, "bare")  # objects are looked for as .file, and there is none
    with lab.device() as device:
        result = device.expect(8, "update", "--src-dir", bundle)
        assert f"commit {lab.commits[2]}: the bundle lacks object" in result.stderr, result
        assert not device.has_commit(2)
        assert device.deployments() == [lab.commits[1]]
        device.fsck()


@test("what is pulled is what was committed: owner, mode, links and content")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    for mode in MODES:
        with lab.device(mode=mode) as device:
            device.expect(0, "pull", "--src-dir", bundle)
            ours = sh("ostree", "ls", "--repo", device.repo, "-R", "-X", "-C", lab.commits[2])
            theirs = sh("ostree", "ls", "--repo", lab.repo, "-R", "-X", "-C", lab.commits[2])
            assert ours == theirs
            device.fsck()


def storing_calls(device, bundle):
    """What a pull does to the repository, in letters, each once however often in a row: w: an
    object is written aside, S: all is synced, o: an object gets its place, c: the commit does,
    r: the ref is set."""
    log = device.folder / "trace"
    argv = ["strace", "-f", "-y", "-qq", "-e", "trace=linkat,renameat,syncfs", "-o", log,
            program("satchel-installer"), *device.argv("pull", "--src-dir", bundle)[1:]]
    done = subprocess.run([os.fspath(word) for word in argv], check=False, timeout=120,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8",
                          env=dict(os.environ, OSTREE_SYSROOT_DEBUG="mutable-deployments",
                                   ASAN_OPTIONS="detect_leaks=0"))
    if "PTRACE" in done.stderr:
        skip("no right to trace")
    assert done.returncode == 0, done
    marks = ((r"syncfs\(", "S"), (r"linkat\(.*/tmp/staging-", "w"),
             (r"renameat\(.*/objects>, .*\.commit\"", "c"), (r"renameat\(.*/objects>", "o"),
             (r"renameat\(.*satchel/pulled/", "r"))
    letters = [next((letter for pattern, letter in marks if re.search(pattern, line)), "")
               for line in log.read_text().splitlines() if "resumed>" not in line]
    return "".join(letter for letter, _ in itertools.groupby("".join(letters)))


@test("objects are on the drive before they have their names, the names before the commit has its "
      "own, and that before the ref")
def _(tmp):
    if shutil.which("strace") is None:
        skip("strace is missing")
    lab = Lab(tmp, releases=(1, 2))
    for packed in (False, True):
        with lab.device() as device:
            calls = storing_calls(device, lab.bundle([2], packed=packed))
            assert calls == "wSoSwScSr", calls
            device.fsck()
    with lab.device() as device:
        sh("ostree", "config", "--repo", device.repo, "set", "core.fsync", "false")
        calls = storing_calls(device, lab.bundle([2]))
        assert "S" not in calls, calls
        device.fsck()


@test("extended attributes are carried")
def _(tmp):
    def change(top):
        os.setxattr(top / "usr/bin/hello", "user.note", b"hello")
    lab = Lab(tmp, releases=(1,))
    top = lab.tree(2, change)
    commit = sh("ostree", "commit", "--repo", lab.repo, "--branch", "x", *OWNER, top)
    lab.release(2, commit=commit)
    bundle = lab.bundle([2])
    with lab.device() as device:
        device.expect(100, "update", "--src-dir", bundle)
        root = device.sysroot / f"ostree/deploy/lmp/deploy/{commit}.0"
        assert os.getxattr(root / "usr/bin/hello", "user.note") == b"hello"


@test("a pull that was refused half-way goes on with a good medium, reading only the rest")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.odd_bundle([2])
    path = new_object(lab, bundle, "filez")
    good = path.read_bytes()
    truncate(path)
    with lab.device() as device:
        device.expect(50, "pull", "--src-dir", bundle)
        path.write_bytes(good)
        device.expect(100, "update", "--src-dir", bundle)
        device.expect(0, "run")
        device.fsck()


@test("a pulled commit outlives a clean-up until it is installed, another one replaces it")
def _(tmp):
    lab = Lab(tmp)
    bundle = lab.bundle([2, 3])
    with lab.device() as device:
        device.expect(0, "pull", "2", "--src-dir", bundle)
        sh("ostree", "admin", "cleanup", f"--sysroot={device.sysroot}")
        assert device.has_commit(2)
        device.expect(0, "pull", "3", "--src-dir", bundle)
        refs = sh("ostree", "refs", "--repo", device.repo, "--list", "satchel").split()
        assert refs == [f"satchel/pulled/{lab.commits[3]}"], refs
        device.expect(100, "install", "3")
        assert sh("ostree", "refs", "--repo", device.repo, "--list", "satchel") == ""


@test("a medium that can only be read is enough")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    sh("chmod", "-R", "a-w", bundle)
    with lab.device() as device:
        device.expect(100, "update", "--src-dir", bundle)


@test("a size that no compressed file can hold is 50, not a lack of space")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    path = new_object(lab, bundle, "filez")
    good = path.read_bytes()
    with lab.device() as device:
        for size in (1034 * len(good), (1 << 63) - 1, (1 << 64) - 1):
            path.write_bytes(good[:8] + size.to_bytes(8, "big") + good[16:])
            result = device.expect(50, "pull", "--src-dir", bundle)
            assert "is damaged or was altered" in result.stderr, result
            assert not in_repository(device, path)


@test("content that compresses as well as any is no lie")
def _(tmp):
    def flat(top):
        (top / "usr/share/flat").write_bytes(bytes(8 << 20))
    lab = Lab(tmp, releases=(1,))
    lab.release(2, commit=lab.commit(2, flat))
    with lab.device() as device:
        device.expect(0, "pull", "--src-dir", lab.bundle([2]))


@test("damage on the medium is told by the object's file alone, with what to do")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    path = new_object(lab, bundle, "filez")
    truncate(path)
    with lab.device() as device:
        result = device.expect(50, "pull", "--src-dir", bundle)
        assert f": {path.relative_to(bundle)}, byte {path.stat().st_size}: " in result.stderr, result
        assert "the copy is incomplete: copy it again" in result.stderr, result
        assert "Writing" not in result.stderr and "stored" not in result.stderr, result


@test("a link in place of the bundle's repository is named")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    (bundle / "ostree_repo").rename(bundle / "elsewhere")
    (bundle / "ostree_repo").symlink_to("elsewhere")
    with lab.device() as device:
        result = device.run("check", "--src-dir", bundle)
        assert result.returncode in (8, 50), result
        assert "ostree_repo is a symbolic link" in result.stderr, result


def mounted(folder, megabytes):
    """A small file system in memory at that folder; the caller takes it away."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", folder],
                          check=False, stderr=subprocess.DEVNULL)
    if done.returncode != 0:
        skip("no right to mount")


@test("too little space is 60 before anything is written, and says how much is lacking")
def _(tmp):
    def big(top):
        (top / "usr/share/big").write_bytes(os.urandom(8 << 20))
    lab = Lab(tmp, releases=(1,))
    lab.release(2, commit=lab.commit(2, big))
    bundle = lab.bundle([2])
    with lab.device() as device:
        copy = device.folder / "small"
        mounted(copy, 5)
        try:
            sh("cp", "-a", f"{device.sysroot}/.", copy)
            shutil.rmtree(device.sysroot)
            device.sysroot = copy
            device.write_config()
            before = device.digest()[1]
            result = device.expect(60, "pull", "--src-dir", bundle)
            assert "bytes are lacking" in result.stderr, result
            assert device.digest()[1] == before
            device.expect(60, "update", "--src-dir", bundle)
        finally:
            sh("umount", copy)


@test("a reserve that the configuration sets is honoured")
def _(tmp):
    def big(top):
        (top / "usr/share/big").write_bytes(os.urandom(8 << 20))
    lab = Lab(tmp, releases=(1,))
    lab.release(2, commit=lab.commit(2, big))
    bundle = lab.bundle([2])
    with lab.device() as device:
        copy = device.folder / "small"
        mounted(copy, 14)
        try:
            sh("cp", "-a", f"{device.sysroot}/.", copy)
            shutil.rmtree(device.sysroot)
            device.sysroot = copy
            key = "sysroot_ostree_reserved_space_percentage"
            device.write_config(pacman=f'{key} = "50"\n')
            before = device.digest()[1]
            result = device.expect(60, "pull", "--src-dir", bundle)
            reserve = (14 << 20) // 100 * 50
            assert f"{reserve} of these are kept in reserve" in result.stderr, result
            assert device.digest()[1] == before
            device.write_config(pacman=f'{key} = "3"\n')
            device.expect(0, "pull", "--src-dir", bundle)
        finally:
            sh("umount", copy)


@test("the repository's reserve of free space is honoured")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    with lab.device() as device:
        sh("ostree", "config", "--repo", device.repo, "set", "core.min-free-space-size", "1000TB")
        result = device.expect(60, "pull", "--src-dir", bundle)
        assert "reserve" in result.stderr, result
        sh("ostree", "config", "--repo", device.repo, "set", "core.min-free-space-size", "1MB")
        device.expect(0, "pull", "--src-dir", bundle)


main()
