#!/usr/bin/python3
"""satchel-bundler copy: what is on the stick afterwards is what was to come there, or nothing."""
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import bundle_builder  # noqa: E402
from bundle_maker import World, bundler, contents, leftovers  # noqa: E402
from tap import main, program, run, skip, test  # noqa: E402

def prepared(tmp):
    """A bundle as `bundle`, as `b.satchel`, and in parts as `p.satchel`; an empty `stick`."""
    World(tmp).build(check=True)
    bundler("pack", tmp / "bundle", tmp / "b.satchel", check=True)
    bundler("pack", "--split", "7000", tmp / "bundle", tmp / "p.satchel", check=True)
    (tmp / "stick").mkdir()
    return tmp / "stick"


def traced(tmp, words, *command, path=None):
    """The program under strace's injections, on @path only."""
    if shutil.which("strace") is None:
        skip("strace is not installed")
    return run(["strace", "-f", "-qqq", "-o", tmp / "trace", *(["-P", path] if path else []),
                *(word for one in words for word in ("-e", one)), program("satchel-bundler"),
                *command])


@test("a copy of each form is the same bytes under the same name, read back from the stick")
def _(tmp):
    stick = prepared(tmp)
    for name in ("bundle", "b.satchel", "p.satchel.000"):
        result = bundler("copy", tmp / name, stick, check=True)
        assert "copied and read back" in result.stderr, result
    expected = {name: data for name, data in contents(tmp).items()
                if name.startswith(("bundle", "b.satchel", "p.satchel"))}
    assert contents(stick) == expected and leftovers(stick) == []
    result = bundler("copy", tmp / "b.satchel", stick)
    assert result.returncode == 1 and "--force" in result.stderr, result
    for name in ("bundle", "b.satchel"):
        bundler("copy", "--force", tmp / name, stick, check=True)
    result = bundler("copy", "--force", tmp / "p.satchel.000", stick)
    assert result.returncode == 1 and "remove" in result.stderr, result
    assert contents(stick) == expected
    (tmp / "other").mkdir()
    (tmp / "place").mkdir()
    shutil.copy(tmp / "b.satchel", tmp / "place")
    bundler("copy", tmp / "place", tmp / "other", check=True)  # the one that is in there
    assert contents(tmp / "other") == {"b.satchel": expected["b.satchel"]}


@test("a folder without a manifest is copied as it is")
def _(tmp):
    builder = bundle_builder.simple(tmp / "made")
    bundle = tmp / "made/bundle"
    (bundle / "manifest.mtree").unlink()
    builder.write_meta(bundle, with_manifest=False)
    (bundle / "ostree_repo/refs/heads").mkdir(parents=True)
    (tmp / "stick").mkdir()
    bundler("copy", bundle, tmp / "stick", check=True)
    assert contents(tmp / "stick/bundle") == contents(bundle)


@test("a stick that gives back something else, or nothing, is failing: status 50, nothing stays")
def _(tmp):
    stick = prepared(tmp)
    places = {"b.satchel": stick / ".b.satchel.satchel-work/part.000",
              "p.satchel.000": stick / ".p.satchel.satchel-work/part.001",
              "bundle": stick / ".bundle.satchel-work/tuf/snapshot.json"}
    for name, place in places.items():
        for fault in ("inject=pread64:poke_exit=@arg2=ff00ff", "inject=pread64:error=EIO"):
            result = traced(tmp, ["trace=pread64,openat", fault], "copy", tmp / name, stick,
                            path=place)
            assert result.returncode == 50 and "the stick is failing" in result.stderr, result
            assert pathlib.Path(place).name in result.stderr or name[:9] in result.stderr, result
            assert os.listdir(stick) == [], os.listdir(stick)


@test("what was read back came from the medium: the page cache was dropped first")
def _(tmp):
    stick = prepared(tmp)
    result = traced(tmp, ["trace=fsync,fadvise64,pread64,renameat2"], "copy", tmp / "b.satchel", stick)
    assert result.returncode == 0, result
    calls = [line.split()[1].split("(")[0] for line in (tmp / "trace").read_text().splitlines()]
    sync, drop = calls.index("fsync"), calls.index("fadvise64", calls.index("fsync"))
    assert sync < drop < calls.index("pread64", drop) < calls.index("renameat2"), calls
    assert "DONTNEED" in (tmp / "trace").read_text()


@test("no room is seen before anything is written: status 60 with both numbers")
def _(tmp):
    stick = prepared(tmp)
    for name in ("bundle", "b.satchel"):
        result = traced(tmp, ["trace=fstatfs", "inject=fstatfs:poke_exit=@arg2=53ef000000000000"
                              "0010000000000000" "0010000000000000" "0100000000000000"
                              "0100000000000000"], "copy", tmp / name, stick)
        assert result.returncode == 60 and "4.1 kB free" in result.stderr, result
        assert os.listdir(stick) == []
    result = bundler("copy", tmp / "b.satchel", tmp / "nowhere")
    assert result.returncode == 1 and "nowhere" in result.stderr, result


@test("a packed bundle that is incomplete or was altered is not copied, and the reason is said")
def _(tmp):
    stick = prepared(tmp)
    data = (tmp / "b.satchel").read_bytes()
    end = len(data.rstrip(b"\0"))
    for cut in (end - 1, end // 2 // 512 * 512, 4096):
        (tmp / "cut.satchel").write_bytes(data[:cut])
        result = bundler("copy", tmp / "cut.satchel", stick)
        assert result.returncode == 50 and "the copy is incomplete: copy it again" in result.stderr, result
        assert "cut.satchel" in result.stderr or cut == 4096, result
    parts = sorted(tmp.glob("p.satchel.*"))
    first, second = parts[1].read_bytes(), parts[2].read_bytes()
    parts[1].write_bytes(second)
    parts[2].write_bytes(first)
    result = bundler("copy", parts[0], stick)
    assert result.returncode == 15 and "p.satchel.001 is not the part" in result.stderr, result
    parts[1].write_bytes(first)
    parts[2].write_bytes(second)
    parts[-1].unlink()
    result = bundler("copy", parts[0], stick)
    assert result.returncode == 50 and f"{parts[-1].name} is missing" in result.stderr, result
    (tmp / "long.satchel").write_bytes(data + bytes(20480))
    result = bundler("copy", tmp / "long.satchel", stick)
    assert result.returncode == 15 and "longer" in result.stderr, result
    assert os.listdir(stick) == []


@test("parts never take the place of a file of another: it is named, and stays without --force")
def _(tmp):
    stick = prepared(tmp)
    n_parts = len(list(tmp.glob("p.satchel.*")))
    for number in (1, n_parts - 1, n_parts):  # the last one would be taken for a part
        foreign = stick / f"p.satchel.{number:03}"
        foreign.write_text("dear diary")
        for words in ([], None):
            if words is None:  # a file system that cannot promise not to replace anything
                result = traced(tmp, ["trace=renameat2", "inject=renameat2:error=EINVAL"],
                                "copy", tmp / "p.satchel.000", stick)
            else:
                result = bundler("copy", tmp / "p.satchel.000", stick)
            assert result.returncode == 1 and foreign.name in result.stderr, result
            assert "--force" in result.stderr, result
            assert os.listdir(stick) == [foreign.name] and foreign.read_text() == "dear diary"
        bundler("copy", "--force", tmp / "p.satchel.000", stick, check=True)
        assert len(os.listdir(stick)) == n_parts
        subprocess.run(["rm", "-rf", stick], check=True)
        stick.mkdir()


@test("parts that cannot be put in their place are taken back, and what comes meanwhile stays")
def _(tmp):
    stick = prepared(tmp)
    for number in (1, 3):
        result = traced(tmp, ["trace=renameat2", f"inject=renameat2:error=EIO:when={number}"],
                        "copy", tmp / "p.satchel.000", stick)
        assert result.returncode == 1 and os.listdir(stick) == [], (result, os.listdir(stick))


@test("a copy that is killed at any write, sync or rename leaves no half bundle; the next is whole")
def _(tmp):
    stick = prepared(tmp)
    for name, call, number in (("bundle", "write", 1), ("bundle", "write", 20),
                               ("bundle", "syncfs", 1), ("bundle", "renameat", 2),
                               ("p.satchel.000", "pwrite64", 2), ("p.satchel.000", "fsync", 1),
                               ("p.satchel.000", "renameat2", 1), ("p.satchel.000", "renameat2", 3)):
        done = traced(tmp, [f"trace={call}", f"inject={call}:signal=KILL:when={number}"],
                      "copy", "--quiet", tmp / name, stick)
        assert done.returncode != 0, (name, call, number)
        if (stick / "bundle").exists():
            assert contents(stick / "bundle") == contents(tmp / "bundle")
        if (stick / "p.satchel.000").exists():
            run(["satchel-bundler", "unpack", stick / "p.satchel.000", tmp / "x"], check=True)
            shutil.rmtree(tmp / "x")
            (stick / "p.satchel.000").unlink()  # parts are not replaced
        # What a killed copy has left of its parts is no file of another.
        bundler("copy", *(["--force"] if name == "bundle" else []), tmp / name, stick, check=True)
        assert leftovers(stick) == [], (name, call, number)
        assert contents(stick) == {one: data for one, data in contents(tmp).items()
                                   if one.startswith(name.split(".")[0] + ("." if "." in name else ""))}
        subprocess.run(["rm", "-rf", stick], check=True)
        stick.mkdir()


main()
