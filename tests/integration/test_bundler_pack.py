#!/usr/bin/python3
"""The packed form: what pack writes, what tar makes of it, and what pack refuses."""
import hashlib
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import bundle_builder  # noqa: E402
from bundle_maker import (NOW, World, bundler, commit, contents, leftovers)  # noqa: E402
from tap import main, program, run, skip, test  # noqa: E402

RECORD_BYTES = 10240


def pack(source, target, *words, **more):
    return bundler("pack", *words, source, target, **more)


def members(packed):
    """Names in the order of the file, folders with a slash at their end."""
    with tarfile.open(packed) as tar:
        return [member.name + ("/" if member.isdir() else "") for member in tar]


def listed(bundle):
    """What the manifest lists, in its order."""
    lines = (bundle / "manifest.mtree").read_text().splitlines()[1:]
    return [re.match(r"\./(\S+) ", line).group(1) for line in lines]


def nothing_left(folder, *names):
    """Of what a failed pack of one of @names could leave."""
    found = sorted(os.listdir(folder))
    return not [one for one in found
                if any(one.startswith(name) or one.startswith("." + name) for name in names)]


@test("GNU tar and bsdtar unpack a packed bundle to its directory form, empty folders too")
def _(tmp):
    world = World(tmp)
    world.build(check=True)
    result = pack(tmp / "bundle", tmp / "b.satchel", check=True)
    assert "packed" in result.stderr, result
    for unpacker in ("tar", "bsdtar"):
        (tmp / unpacker).mkdir()
        run([unpacker, "-xf", tmp / "b.satchel", "-C", tmp / unpacker], check=True)
        assert contents(tmp / unpacker) == contents(tmp / "bundle"), unpacker
        run(["satchel-verify", "--root", world.repo / "metadata/1.root.json", "--at", NOW, "--full",
             tmp / unpacker], check=True)
    assert contents(tmp / "tar")["ostree_repo/refs/remotes"] is None


@test("the order is tuf/, folders without files, the manifest, and what it lists in its order")
def _(tmp):
    world = World(tmp)
    world.build(check=True)
    pack(tmp / "bundle", tmp / "b.satchel", check=True)
    order = listed(tmp / "bundle")
    in_tuf = [name for name in order if name.startswith("tuf/")]
    assert members(tmp / "b.satchel") == [
        *in_tuf, "tuf/bundle-targets.json", "ostree_repo/refs/mirrors/", "ostree_repo/refs/remotes/",
        "manifest.mtree", *[name for name in order if name not in in_tuf]]
    assert (tmp / "b.satchel").stat().st_size % RECORD_BYTES == 0


@test("the same bundle gives the same bytes, whoever packs it, and build gives them too")
def _(tmp):
    world = World(tmp)
    world.build(check=True)
    pack(tmp / "bundle", tmp / "one", check=True)
    copy = shutil.copytree(tmp / "bundle", tmp / "copy")
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    old = os.umask(0o077)
    try:
        pack(copy, tmp / "two", check=True, now_s=1234567890,
             env={"LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo", "TAR_OPTIONS": "--posix"})
    finally:
        os.umask(old)
    world.build("three.satchel", check=True)
    world.build("four", "--format", "packed", check=True)
    one = (tmp / "one").read_bytes()
    for name in ("two", "three.satchel", "four"):
        assert (tmp / name).read_bytes() == one, name
        assert (tmp / name).stat().st_mode & 0o777 == 0o644, name
    assert leftovers(tmp) == []


@test("a name that ends in .satchel is packed, unless --format says otherwise")
def _(tmp):
    world = World(tmp)
    world.build("dir.satchel", "--format", "dir", check=True)
    assert (tmp / "dir.satchel/tuf").is_dir()
    world.build("b.satchel", check=True)
    assert (tmp / "b.satchel").is_file()
    for words, reason in ((["--format", "zip"], "--format"), (["--split", "1M"], "--split"),
                          (["--format", "packed", "--split", "1Q"], "--split")):
        result = world.build("bundle", *words)
        assert result.returncode == 1 and reason in result.stderr, result
    assert nothing_left(tmp, "bundle")


@test("parts of any size are the whole file, cut anywhere")
def _(tmp):
    world = World(tmp)
    world.build(check=True)
    pack(tmp / "bundle", tmp / "whole", check=True)
    whole = (tmp / "whole").read_bytes()
    for size, n_bytes in (("512", 512), ("10240", 10240), ("777", 777), ("4K", 4096),
                          ("4KB", 4000), (str(len(whole) - 1), len(whole) - 1)):
        folder = tmp / size
        folder.mkdir()
        result = pack(tmp / "bundle", folder / "b", "--split", size, check=True)
        parts = sorted(folder.iterdir())
        assert [part.name for part in parts] == [f"b.{i:03}" for i in range(len(parts))], parts
        assert all(part.stat().st_size == n_bytes for part in parts[:-1]), parts
        assert b"".join(part.read_bytes() for part in parts) == whole, size
        assert f"{len(parts)} parts" in result.stderr, result
    for size in (str(len(whole)), "1T"):  # one file needs no number
        pack(tmp / "bundle", tmp / "one", "--split", size, "--force", check=True)
        assert (tmp / "one").read_bytes() == whole


@test("more parts than have a number are refused, and nothing is left")
def _(tmp):
    World(tmp).build(check=True)
    result = pack(tmp / "bundle", tmp / "b", "--split", "16")
    assert result.returncode == 1 and "1000 parts" in result.stderr, result
    assert nothing_left(tmp, "b."), os.listdir(tmp)
    for size in ("0", "", "-1", "K", "1k", "1KiB", "1B", "99999999999T", "1.5G"):
        result = pack(tmp / "bundle", tmp / "b", "--split", size)
        assert result.returncode == 1 and "--split wants" in result.stderr, result


def refused(tmp, bundle, status, *words):
    result = pack(bundle, tmp / "out")
    assert result.returncode == status, result
    for word in words:
        assert word in result.stderr, result
    assert nothing_left(tmp, "out"), os.listdir(tmp)


@test("what is not as the manifest says is not packed")
def _(tmp):
    world = World(tmp)
    world.build(check=True)

    def altered(name, change):
        copy = pathlib.Path(shutil.copytree(tmp / "bundle", tmp / name))
        victim = max(copy.rglob("*.filez"), key=lambda path: path.stat().st_size)
        change(copy, victim)
        return copy, victim.name

    def flip(_, victim):
        data = bytearray(victim.read_bytes())
        data[-1] ^= 1
        victim.write_bytes(data)

    bundle, name = altered("flipped", flip)
    refused(tmp, bundle, 50, name, "altered")
    bundle, name = altered("longer", lambda _, victim: victim.write_bytes(victim.read_bytes() + b"x"))
    refused(tmp, bundle, 50, name, "size")
    bundle, name = altered("missing", lambda _, victim: victim.unlink())
    refused(tmp, bundle, 50, name, "not there")
    bundle, _ = altered("other", lambda copy, _: (copy / "manifest.mtree").write_text("#mtree\n"))
    refused(tmp, bundle, 15, "manifest.mtree")
    bundle, _ = altered("none", lambda copy, _: (copy / "manifest.mtree").unlink())
    refused(tmp, bundle, 15, "manifest.mtree")
    bundle, name = altered("link", lambda _, victim: (victim.unlink(), victim.symlink_to("/etc/passwd")))
    refused(tmp, bundle, 50, name, "neither a file nor a folder")
    refused(tmp, tmp / "repo", 14, "no bundle")


@test("what the manifest does not list is left out with a note; a root that came later is taken")
def _(tmp):
    world = World(tmp)
    world.build(check=True)
    (tmp / "bundle/ostree_repo/.lock").write_text("")
    (tmp / "bundle/notes.txt").write_text("")
    bundler("repo", "rotate", "--role", "targets", world.repo, check=True)
    shutil.copy(world.repo / "metadata/2.root.json", tmp / "bundle/tuf")
    result = pack(tmp / "bundle", tmp / "b", check=True)
    assert "2 files" in result.stderr and "notes.txt" in result.stderr, result
    names = members(tmp / "b")
    assert "tuf/2.root.json" in names[:names.index("manifest.mtree")]
    assert not [name for name in names if "notes" in name or ".lock" in name]


@test("a bundle of fioctl gets a manifest that is not signed, in the order of a device's walk")
def _(tmp):
    builder = bundle_builder.simple(tmp / "other")
    bundle = tmp / "other/bundle"
    (bundle / "manifest.mtree").unlink()
    for version in range(2, 12):
        bundle_builder.write(bundle / f"tuf/{version}.root.json", "{}")
    builder.write_meta(bundle, with_manifest=False)
    (bundle / "ostree_repo/tmp/cache").mkdir(parents=True)
    blob = "apps/blobs/sha256/" + "ab" * 32
    bundle_builder.write(bundle / blob, "blob")
    before = contents(bundle)
    result = pack(bundle, tmp / "b", check=True)
    assert "not signed" in result.stderr, result
    assert contents(bundle) == before
    names = members(tmp / "b")
    roots = [name for name in names if name.endswith(".root.json")]
    assert roots == [f"tuf/{version}.root.json" for version in range(1, 12)], roots
    kinds = [name.rsplit(".")[-1] for name in names if "/objects/" in name]
    assert kinds[0] == "commit" and kinds == sorted(
        kinds, key=lambda kind: ("commit", "dirtree", "dirmeta", "filez").index(kind)
        if kind != "dirmeta" else 1), kinds
    assert names[-1] == blob and "ostree_repo/tmp/cache/" in names, names
    run(["tar", "-xf", tmp / "b", "-C", (tmp / "x").mkdir() or tmp / "x"], check=True)
    unpacked = contents(tmp / "x")
    manifest = unpacked.pop("manifest.mtree").decode()
    assert unpacked == before
    for name, data in before.items():
        if data is not None and name != "tuf/bundle-targets.json":
            assert f"./{name} type=file size={len(data)} " \
                   f"sha256digest={hashlib.sha256(data).hexdigest()}\n" in manifest, name
    # Unpacked and packed again it keeps that manifest, and is as unsigned as before.
    result = pack(tmp / "x", tmp / "again", check=True)
    assert "not signed" in result.stderr, result
    assert (tmp / "again").read_bytes() == (tmp / "b").read_bytes()


@test("objects stand in the order in which a device walks them, from the trees of a real commit")
def _(tmp):
    world = World(tmp)
    world.build(check=True)
    pack(tmp / "bundle", tmp / "b", check=True)

    def show(*words):
        return run(["ostree", f"--repo={world.ostree}", *words], check=True).stdout

    shown = show("ls", "-R", "-C", world.commit)
    trees = re.findall(r"^d\S* +\S+ +\S+ +\S+ (\w{64}) (\w{64})", shown, re.M)
    names = [name.replace("/", "") for name in members(tmp / "b")]
    places = [next(i for i, name in enumerate(names) if f"{tree}.dirtree" in name)
              for tree, _ in trees]
    assert len(places) > 3 and places == sorted(places), places
    last_tree = max(i for i, name in enumerate(names) if name.endswith("dirtree"))
    assert all(i > last_tree for i, name in enumerate(names) if name.endswith("filez"))


@test("what is there is not replaced without --force, and with it only a packed bundle is")
def _(tmp):
    world = World(tmp)
    world.build(check=True)
    (tmp / "letter").write_text("dear reader\n" * 100)
    for words in ([], ["--force"]):
        result = pack(tmp / "bundle", tmp / "letter", *words)
        assert result.returncode == 1 and "letter" in result.stderr, result
        result = pack(tmp / "bundle", tmp / "tree", *words)
        assert result.returncode == 1, result
    assert (tmp / "letter").read_text().startswith("dear")
    pack(tmp / "bundle", tmp / "b", check=True)
    one = (tmp / "b").read_bytes()
    result = pack(tmp / "bundle", tmp / "b", "--split", "4K")
    assert result.returncode == 1 and "--force" in result.stderr, result
    pack(tmp / "bundle", tmp / "b", "--split", "4K", "--force", check=True)
    assert not (tmp / "b").exists() and (tmp / "b.005").exists()


@test("a bundle in parts is replaced by nothing: no --force, no size, no sign; once removed, it is")
def _(tmp):
    world = World(tmp)
    world.build(check=True)
    pack(tmp / "bundle", tmp / "one", check=True)
    pack(tmp / "bundle", tmp / "b", "--split", "4K", check=True)
    parts = {path: path.read_bytes() for path in tmp.glob("b.*")}
    assert len(parts) > 5
    for words in ([], ["--force"], ["--split", "16K", "--force"]):
        result = pack(tmp / "bundle", tmp / "b", *words)
        assert result.returncode == 1 and "b.000" in result.stderr, result
        assert "remove" in result.stderr and not (tmp / "b").exists(), result
    result = bundler("sign", "--key", tmp / "key.pem", tmp / "b.000")
    assert result.returncode == 1 and "`unpack`" in result.stderr, result
    assert {path: path.read_bytes() for path in tmp.glob("b.*")} == parts
    assert leftovers(tmp) == []
    (tmp / "b.000").unlink()  # the others are no bundle any more
    pack(tmp / "bundle", tmp / "b", "--split", "16K", "--force", check=True)
    size = (tmp / "one").stat().st_size
    assert sorted(path.name for path in tmp.glob("b.*")) == [
        f"b.{i:03}" for i in range(-(-size // 16384))]


@test("parts in the place of one file: killed anywhere, one of the two is there and whole")
def _(tmp):
    if shutil.which("strace") is None:
        skip("strace is not installed")
    world = World(tmp)
    world.build(check=True)
    pack(tmp / "bundle", tmp / "expected", check=True)
    expected = (tmp / "expected").read_bytes()
    n_kills = 0
    for call in ("fsync", "renameat", "renameat2", "unlinkat"):
        for number in range(1, 10):
            shutil.copy(tmp / "expected", tmp / "b")
            words = ["strace", "-f", "-qq", "-o", tmp / "trace", "-e", f"trace={call}", "-e",
                     f"inject={call}:signal=KILL:when={number}", program("satchel-bundler"), "pack",
                     "--split", "16K", "--force", tmp / "bundle", tmp / "b"]
            n_kills += run(words).returncode != 0
            parts = sorted(tmp.glob("b.[0-9]*"))
            if tmp / "b.000" in parts:
                assert b"".join(part.read_bytes() for part in parts) == expected, (call, number)
            else:
                assert (tmp / "b").read_bytes() == expected, (call, number)
            for part in parts:
                part.unlink()
    assert n_kills > 8, n_kills


@test("a pack that is killed at any write, sync or rename leaves no half bundle; the next is whole")
def _(tmp):
    if shutil.which("strace") is None:
        skip("strace is not installed")
    world = World(tmp)
    world.build(check=True)
    pack(tmp / "bundle", tmp / "expected", check=True)
    expected = (tmp / "expected").read_bytes()
    kills = []
    for call in ("pwrite64", "fsync", "renameat2"):
        for number in range(1, 10):
            words = ["strace", "-f", "-qq", "-o", tmp / "trace", "-e", f"trace={call}", "-e",
                     f"inject={call}:signal=KILL:when={number}", program("satchel-bundler"), "pack",
                     "--split", "8K", tmp / "bundle", tmp / "b"]
            if run(words).returncode == 0:
                break
            kills.append(call)
            there = sorted(tmp.glob("b.[0-9]*"))
            if tmp / "b.000" in there:
                assert b"".join(part.read_bytes() for part in there) == expected, (call, number)
                (tmp / "b.000").unlink()
            # What it has left of later parts is not in the way.
            pack(tmp / "bundle", tmp / "b", "--split", "8K", check=True)
            assert leftovers(tmp) == []
            there = sorted(tmp.glob("b.[0-9]*"))
            assert b"".join(part.read_bytes() for part in there) == expected, (call, number)
            for part in there:
                part.unlink()
        for part in tmp.glob("b.[0-9]*"):
            part.unlink()
    assert set(kills) == {"pwrite64", "fsync", "renameat2"} and len(kills) > 8, kills


@test("a pack that gets a signal clears away what it has begun and says so")
def _(tmp):
    world = World(tmp)
    with open(world.tree / "usr/lib/large", "wb") as file:
        file.write(random.Random(1).randbytes(64 << 20))
    world.commit = commit(world.ostree, world.tree)
    bundle_builder.write(tmp / "bundle/tuf/targets.json", "{}")
    shutil.copytree(world.ostree, tmp / "bundle/ostree_repo")
    process = subprocess.Popen([str(program("satchel-bundler")), "pack", str(tmp / "bundle"),
                                str(tmp / "b")], stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not list(tmp.glob(".b.satchel-work/part.000")):
        pass
    process.send_signal(signal.SIGINT)
    errors = process.communicate(timeout=280)[1]
    if process.returncode == 0:
        skip("pack was quicker than the signal")
    assert process.returncode == 1 and "signal" in errors, errors
    assert nothing_left(tmp, "b."), os.listdir(tmp)


main()
