#!/usr/bin/python3
"""What is done with a packed bundle on the build host: unpack, show, sign."""
import io
import os
import pathlib
import shutil
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from bundle_maker import (NAME, NOW, TAG, World, bundler, contents, keys_of, leftovers)  # noqa: E402
from tap import main, program, run, skip, test  # noqa: E402


def packed_world(tmp, *words, **more):
    """A world with its bundle in both forms: `bundle` and `b.satchel`."""
    world = World(tmp, *more.pop("init", ()))
    world.build(check=True, **more)
    bundler("pack", *words, tmp / "bundle", tmp / "b.satchel", check=True)
    return world


def joined(folder, name="b.satchel"):
    """The bytes of a packed bundle, in one file or several."""
    whole = folder / name
    if whole.exists():
        return whole.read_bytes()
    return b"".join(part.read_bytes() for part in sorted(folder.glob(name + ".[0-9][0-9][0-9]")))


@test("unpack gives what tar -x gives, from one file, from parts, and from the folder they are in")
def _(tmp):
    packed_world(tmp)
    expected = contents(tmp / "bundle")
    result = bundler("unpack", tmp / "b.satchel", tmp / "one", check=True)
    assert "unpacked" in result.stderr, result
    assert contents(tmp / "one") == expected
    (tmp / "stick").mkdir()
    bundler("pack", "--split", "5000", tmp / "bundle", tmp / "stick/x.satchel", check=True)
    bundler("unpack", tmp / "stick/x.satchel.000", tmp / "two", check=True)
    (tmp / "three").mkdir()
    bundler("unpack", tmp / "stick", tmp / "three", check=True)
    assert contents(tmp / "two") == expected and contents(tmp / "three") == expected
    for path in (tmp / "one").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644), path
    bundler("pack", tmp / "one", tmp / "again", check=True)
    assert (tmp / "again").read_bytes() == (tmp / "b.satchel").read_bytes()


@test("unpack writes nowhere but into an absent or empty folder")
def _(tmp):
    packed_world(tmp)
    for name in ("bundle", "b.satchel"):
        before = contents(tmp)
        result = bundler("unpack", tmp / "b.satchel", tmp / name)
        assert result.returncode == 1 and name in result.stderr, result
        assert contents(tmp) == before
    result = bundler("unpack", tmp / "nothing", tmp / "x")
    assert result.returncode == 14, result


@test("a packed bundle that was altered, is incomplete or would escape is not unpacked")
def _(tmp):
    packed_world(tmp)
    with tarfile.open(tmp / "b.satchel") as tar:
        victim = max(tar.getmembers(), key=lambda member: member.size
                     if member.name.endswith(".filez") else 0)
    data = bytearray((tmp / "b.satchel").read_bytes())
    data[victim.offset_data + victim.size - 1] ^= 1
    (tmp / "altered").write_bytes(data)
    (tmp / "short").write_bytes((tmp / "b.satchel").read_bytes()[:victim.offset_data + 100])
    with tarfile.open(tmp / "b.satchel") as old, tarfile.open(
            tmp / "escape", "w", format=tarfile.USTAR_FORMAT) as new:
        for number, member in enumerate(old):
            if number == 2:
                evil = tarfile.TarInfo("tuf/../../escaped")
                evil.size = 4
                new.addfile(evil, io.BytesIO(b"evil"))
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
    for name, words in (("altered", [victim.name.rsplit("/", 1)[-1], "altered"]),
                        ("short", ["incomplete"]), ("escape", ["escape"])):
        result = bundler("unpack", tmp / name, tmp / "x")
        assert result.returncode in (15, 50), result
        for word in words:
            assert word in result.stderr, result
        assert not (tmp / "x").exists() and leftovers(tmp) == []
        assert not (tmp / "escaped").exists() and not (tmp.parent / "escaped").exists()


@test("unpack on a full disk ends with 60, and killed it leaves nothing under the final name")
def _(tmp):
    if shutil.which("strace") is None:
        skip("strace is not installed")
    packed_world(tmp)
    words = ["strace", "-f", "-qq", "-o", tmp / "trace"]
    unpack = [program("satchel-bundler"), "unpack", tmp / "b.satchel", tmp / "x"]
    result = run([*words, "-e", "trace=write", "-e", "inject=write:error=ENOSPC:when=4+", *unpack])
    assert not (tmp / "x").exists() and leftovers(tmp) == [], result
    assert result.returncode == 60, result
    result = run([*words, "-e", "trace=fstatfs", "-e",
                  "inject=fstatfs:poke_exit=@arg2=" + "00" * 40, *unpack])
    assert result.returncode == 60 and "not enough space" in result.stderr, result
    for number in (3, 10, 20):
        result = run([*words, "-e", "trace=write", "-e", f"inject=write:signal=KILL:when={number}",
                      *unpack])
        assert result.returncode != 0 and not (tmp / "x").exists(), result
    bundler("unpack", tmp / "b.satchel", tmp / "x", check=True)
    assert contents(tmp / "x") == contents(tmp / "bundle") and leftovers(tmp) == []


@test("show says the same of both forms")
def _(tmp):
    packed_world(tmp, "--split", "7K")
    for words in ([], ["--json"]):
        shown = [bundler("show", *words, tmp / name, check=True).stdout
                 for name in ("bundle", "b.satchel.000")]
        assert shown[0] == shown[1] and "7" in shown[0], shown


@test("two people sign a packed bundle, as they would its folder")
def _(tmp):
    world = packed_world(tmp, init=("--threshold", "targets=2"), keys=[])
    for number, key in enumerate(keys_of(world.repo)):
        result = bundler("sign", "--key", key, tmp / "b.satchel", check=True)
        assert ("1 more" if number == 0 else "no more") in result.stderr, result
        bundler("sign", "--key", key, tmp / "bundle", check=True)
        bundler("pack", tmp / "bundle", tmp / f"expected-{number}", check=True)
        assert joined(tmp) == (tmp / f"expected-{number}").read_bytes(), number
        result = bundler("sign", "--key", key, tmp / "b.satchel")
        assert result.returncode == 1 and "has signed" in result.stderr, result
    assert len(list(tmp.glob("b.satchel*"))) == 1 and leftovers(tmp) == []
    run(["satchel-verify", "--root", world.repo / "metadata/1.root.json", "--tag", TAG, "--at", NOW,
         "--full", tmp / "b.satchel"], check=True)
    assert NAME in bundler("show", tmp / "b.satchel", check=True).stdout


@test("a bundle in parts is signed as its folder, as the refusal to sign the parts says")
def _(tmp):
    world = packed_world(tmp, "--split", "6000", keys=[])
    before = joined(tmp)
    key = keys_of(world.repo)[0]
    result = bundler("sign", "--key", key, tmp / "b.satchel.000")
    assert result.returncode == 1 and "`unpack`" in result.stderr and "`pack`" in result.stderr, result
    assert joined(tmp) == before and leftovers(tmp) == []
    bundler("unpack", tmp / "b.satchel.000", tmp / "folder", check=True)
    bundler("sign", "--key", key, tmp / "folder", check=True)
    bundler("pack", "--split", "6000", tmp / "folder", tmp / "signed.satchel", check=True)
    run(["satchel-verify", "--root", world.repo / "metadata/1.root.json", "--tag", TAG, "--at", NOW,
         "--full", tmp / "signed.satchel.000"], check=True)


@test("a signature that is killed before its packed bundle is renamed leaves the old one")
def _(tmp):
    if shutil.which("strace") is None:
        skip("strace is not installed")
    world = packed_world(tmp, keys=[])
    before = joined(tmp)
    for call, number in (("pwrite64", 1), ("fsync", 1)):
        result = run(["strace", "-f", "-qq", "-o", tmp / "trace", "-e", f"trace={call}", "-e",
                      f"inject={call}:signal=KILL:when={number}", program("satchel-bundler"), "sign",
                      "--key", keys_of(world.repo)[0], tmp / "b.satchel"])
        assert result.returncode != 0 and joined(tmp) == before, result
    os.symlink("b.satchel", tmp / "link")
    bundler("sign", "--key", keys_of(world.repo)[0], tmp / "link", check=True)
    assert (tmp / "link").is_symlink() and joined(tmp) != before and leftovers(tmp) == []


main()
