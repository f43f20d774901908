#!/usr/bin/python3
"""No bundle, honest or hostile, takes more than 64 MiB of a device's memory."""
import atexit
import functools
import os
import pathlib
import random
import re
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import large_bundle  # noqa: E402
import packed_bundle  # noqa: E402
from device_lab import Lab  # noqa: E402
from run_once import run_once  # noqa: E402
from tap import ROOT, main, program, run, skip, test  # noqa: E402

MAX_KIB = 64 << 10
MIB = 1 << 20
os.environ["OSTREE_SYSROOT_DEBUG"] = "mutable-deployments"


def limit(name):
    """A limit of limits.h."""
    found = re.search(rf"define SATCHEL_LIMIT_{name} ([^\n]+)", (ROOT / "include/satchel/limits.h").read_text())
    return eval(found[1].replace("u", ""))  # pylint: disable=eval-used


MEMBERS = limit("MANIFEST_MEMBERS")
MANIFEST_BYTES = limit("MANIFEST_BYTES")
METADATA_BYTES = limit("OSTREE_METADATA_BYTES")


@functools.lru_cache(maxsize=None)
def lab():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="satchel-memory-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Lab(folder, releases=(1,))


@functools.lru_cache(maxsize=None)
def device():
    made = lab().device()
    atexit.register(made.__exit__)
    return made


def publish(made):
    """The number of the next release, which is @made."""
    version = max(lab().commits) + 1
    lab().release(version, commit=made.commit)
    return version


def peak(status, *words):
    """Ends with that status and within the memory; gives what was said."""
    if b"__asan_init" in program("satchel-installer").read_bytes():
        skip("a sanitizer needs memory of its own")
    argv = [str(word) for word in device().argv(*words)]
    _, _, memory_kib = run_once([str(program(argv[0])), *argv[1:]], status)
    assert memory_kib <= MAX_KIB, (words, memory_kib)
    print(f"# {words[0]}: {memory_kib} KiB", flush=True)


def said(*words):
    return run([program("satchel-installer"), *device().argv(*words)[1:]]).stderr


def large_contents():
    """Files that take the most while they are verified, and some in between."""
    chance = random.Random(1)
    contents = [bytes([n]) * ((8 << 20) - n) for n in range(4)]
    contents += [chance.randbytes((4 << 20) - 5000 - n) for n in range(6)]
    contents += [chance.randbytes(chance.randrange(200 << 10, 4 << 20)) for _ in range(12)]
    chance.shuffle(contents)
    return contents


def other_members(n_members):
    """Names as long as those of objects, of empty files that no commit needs."""
    return {b"ostree_repo/objects/00/%062x.filez" % number: b"" for number in range(n_members)}


def pack_with(made, version, output, extra):
    """@made packed with further members behind it."""
    made.objects.update(extra)
    return large_bundle.pack(lab(), version, made, output)


@test("a release with the largest files, in a bundle of as many as are allowed, takes 64 MiB")
def _(tmp):
    made = large_bundle.release(2000, large_contents())
    version = publish(made)
    extra = other_members(MEMBERS - len(made.objects) - 1)
    bundle = pack_with(made, version, tmp / "b.satchel", extra)
    peak(16, "check", "-q", "--src-dir", bundle)
    peak(0, "pull", "-q", "--src-dir", bundle)
    assert device().has_commit(version)


@test("a bundle of one member more is refused, and the limit is named")
def _(tmp):
    made = large_bundle.release(10)
    version = publish(made)
    extra = other_members(MEMBERS - len(made.objects))
    bundle = pack_with(made, version, tmp / "b.satchel", extra)
    peak(15, "check", "-q", "--src-dir", bundle)
    assert f"more than {MEMBERS} members" in said("check", "--src-dir", bundle)


@test("a release of as many files as are allowed takes 64 MiB")
def _(tmp):
    folders = MEMBERS // large_bundle.FOLDER_FILES
    made = large_bundle.release(MEMBERS - folders - 10)
    version = publish(made)
    bundle = large_bundle.pack(lab(), version, made, tmp / "b.satchel")
    peak(0, "pull", "-q", "--src-dir", bundle)
    assert device().has_commit(version)


@test("a folder of very many names, and a commit as large as is allowed, take 64 MiB")
def _(tmp):
    made = large_bundle.Release()
    checksum, stored = large_bundle.file_object(b"the same")
    names = {b"%07d" % number + b"-" * 20: checksum for number in range(METADATA_BYTES // 70)}
    tree = made.add(large_bundle.dirtree(names, {}), "dirtree")
    assert METADATA_BYTES * 0.8 < len(list(made.objects.values())[-1]) < METADATA_BYTES
    made.add_commit(tree, METADATA_BYTES - 200)
    made.objects[large_bundle.object_path(checksum, "filez")] = stored
    version = publish(made)
    extra = other_members(MEMBERS - len(made.objects) - 1)
    bundle = pack_with(made, version, tmp / "b.satchel", extra)
    peak(16, "check", "-q", "--src-dir", bundle)
    peak(0, "pull", "-q", "--src-dir", bundle)


@test("a commit that is larger is refused before it is read")
def _(tmp):
    made = large_bundle.Release()
    made.add_commit(made.add(large_bundle.dirtree({}, {}), "dirtree"), METADATA_BYTES)
    bundle = large_bundle.pack(lab(), publish(made), made, tmp / "b.satchel")
    peak(50, "pull", "-q", "--src-dir", bundle)
    assert f"more than the {METADATA_BYTES} allowed" in said("pull", "--src-dir", bundle)


LINE = b"./%07d type=file size=0 sha256digest=" + b"0" * 64 + b"\n"
LONG = b"./%07d" + b"/" + b"x" * 4000 + b" type=file size=0 sha256digest=" + b"0" * 64 + b"\n"
OCTAL = b"./%07d" + b"\\377" * 4000 + b" type=file size=0 sha256digest=" + b"0" * 64 + b"\n"


def lines(form, n_bytes):
    """A manifest of at most that many bytes."""
    n_lines = (n_bytes - 7) // len(form % 0)
    return b"#mtree\n" + b"".join(form % number for number in range(n_lines))


@test("a manifest that nobody signed, of any kind and size, takes 64 MiB and is refused")
def _(tmp):
    made = large_bundle.release(10)
    version = publish(made)
    for name, manifest in (("short", lines(LINE, MANIFEST_BYTES)), ("long", lines(LONG, MANIFEST_BYTES)),
                           ("octal", lines(OCTAL, MANIFEST_BYTES)),
                           ("empty lines", b"#mtree\n" + b"\n" * (MANIFEST_BYTES - 7)),
                           ("one line", b"#mtree\n" + b"x" * (MANIFEST_BYTES - 7)),
                           ("one name", b"#mtree\n./" + b"x" * (MANIFEST_BYTES - 9)),
                           ("zeros", bytes(MANIFEST_BYTES)), ("too long", bytes(MANIFEST_BYTES + 1))):
        bundle = large_bundle.pack(lab(), version, made, tmp / "b.satchel", manifest, with_manifest=False)
        print(f"# {name}")
        peak(15 if name == "too long" else 8, "check", "-q", "--src-dir", bundle)


@test("a signed manifest of several pieces that was altered in any of them is refused")
def _(tmp):
    made = large_bundle.release(10)
    version = publish(made)
    extra = other_members(MEMBERS - len(made.objects) - 1)
    bundle = pack_with(made, version, tmp / "b.satchel", extra)
    with open(bundle, "r+b") as file:
        at = file.read().index(b"#mtree\n")
        for offset in (200, 9 * MIB, 17 * MIB - MIB // 2):
            file.seek(at + offset)
            byte = file.read(1)
            file.seek(at + offset)
            file.write(bytes([byte[0] ^ 1]))
            file.flush()
            result = run([program("satchel-installer"), *device().argv("check", "--src-dir", bundle)[1:]])
            assert result.returncode == 15 and "not the one" in result.stderr, result
            file.seek(at + offset)
            file.write(byte)


@test("a head of as many members as are allowed, with names as long as can be, takes 64 MiB")
def _(tmp):
    data = b"".join(packed_bundle.headers(b"tuf/%04d" % number + b"/" + b"x" * 4000, 0)
                    for number in range(4200))
    (tmp / "b.satchel").write_bytes(data + bytes(10240))
    peak(15, "check", "-q", "--src-dir", tmp / "b.satchel")


main()
