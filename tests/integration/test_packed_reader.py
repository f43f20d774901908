#!/usr/bin/python3
"""Packed bundles as satchel-verify reads them: what is good, what is incomplete, what is hostile.

The archives are written by the test (packed_bundle.py), so that each rule can be broken alone.
"""
import atexit
import functools
import hashlib
import os
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

# pylint: disable=wrong-import-position
import packed_bundle
from bundle_builder import simple, write
from packed_bundle import BLOCK, MANIFEST, RECORD, folder_header, headers, join, pax, ustar
from tap import main, program, run, skip, test
from verify_lab import refused, verify

INCOMPLETE = "the copy is incomplete: copy it again"
NAMES = ["n" * 100, "o" * 101, "p/" + "q" * 100, "r" * 154 + "/" + "s" * 100,
         "t" * 155 + "/" + "u" * 100, "v" * 155 + "/" + "w" * 101, "x" * 156 + "/" + "y" * 99,
         "z" * 255, "A" * 127 + "/" + "B" * 128, "C/" * 60 + "D" * 100, "E" * 100 + "/" + "F" * 255,
         "caf\xe9/\u20ac", "a b#=\\*"]


@functools.lru_cache(maxsize=None)
def lab():
    """A builder whose bundle holds names of every awkward length, and that bundle's folder."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="satchel-packed-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    builder = simple(folder)
    bundle = folder / "bundle"
    for name in NAMES:
        write(bundle / name, name * 50)
    write_manifest(bundle)
    builder.write_meta(bundle)
    return builder, bundle


def write_manifest(bundle):
    lines = [b"#mtree"]
    for path in sorted(bundle.rglob("*")):
        name = path.relative_to(bundle).as_posix()
        if not path.is_file() or name in (MANIFEST, "tuf/bundle-targets.json"):
            continue
        escaped = "".join(chr(byte) if chr(byte).isalnum() and byte < 128 or chr(byte) in "._/-+"
                          else f"\\{byte:03o}" for byte in name.encode())
        data = path.read_bytes()
        lines.append(f"./{escaped} type=file size={len(data)} "
                     f"sha256digest={hashlib.sha256(data).hexdigest()}".encode())
    (bundle / MANIFEST).write_bytes(b"\n".join(lines) + b"\n")


@functools.lru_cache(maxsize=None)
def members():
    return tuple(packed_bundle.members(lab()[1]))


@functools.lru_cache(maxsize=None)
def good():
    return join(members())


def judge(path, *options, **more):
    return verify(lab()[0], path, *options, **more)


def judge_bytes(tmp, data, *options):
    path = tmp / "b.satchel"
    path.write_bytes(data)
    return judge(path, *options)


def assert_good(path):
    for options in ([], ["--full"]):
        verdict = judge(path, *options)
        assert verdict.accepted, verdict


# ---- good ones

@test("a packed bundle is judged as its folder is")
def _(tmp):
    pack = tmp / "b.satchel"
    pack.write_bytes(good())
    for options in ([], ["--full"]):
        packed, folder = judge(pack, *options), judge(lab()[1], *options)
        assert packed.accepted and folder.accepted, packed
        for verdict in (packed, folder):
            del verdict.document["bundle"], verdict.document["clock"]
        assert packed.document == folder.document, packed


@test("what the test packs is what GNU tar and bsdtar unpack")
def _(tmp):
    (tmp / "b.satchel").write_bytes(good())
    for name in ("tar", "bsdtar"):
        if shutil.which(name) is None:
            continue
        (tmp / name).mkdir()
        run([name, "-xf", tmp / "b.satchel", "-C", tmp / name], check=True,
            env={"LC_ALL": "C.UTF-8"})
        (tmp / name / "ostree_repo/tmp").rmdir()
        run(["diff", "-r", lab()[1], tmp / name], check=True)


@test("sets split at awkward places are read as one")
def _(tmp):
    data = good()
    for part in (BLOCK, BLOCK + 1, 1000, packed_bundle.head_bytes(data), len(data) - 1, len(data)):
        if len(data) / part > 1000:
            continue
        folder = tmp / str(part)
        folder.mkdir()
        first = packed_bundle.split(data, folder / "b.satchel", part)[0]
        assert_good(first)
        assert_good(folder)


@test("a bundle is found in the folder that holds it, whatever litter lies beside it")
def _(tmp):
    stick = tmp / "stick"
    stick.mkdir()
    packed_bundle.split(good(), stick / "b.satchel", 16384)
    for name in ("._b.satchel.000", "._b.satchel", ".DS_Store", "photo.jpg", "a.satchel.part"):
        (stick / name).write_bytes(b"litter")
    (stick / "System Volume Information").mkdir()
    (stick / "dir.satchel").mkdir()
    os.mkfifo(stick / "pipe.satchel")
    (stick / "link.satchel").symlink_to("b.satchel.000")
    assert_good(stick)
    for path in stick.glob("b.satchel.*"):
        path.unlink()
    refused(judge(stick), 14, "holds no packed bundle")
    shutil.copytree(lab()[1], stick / "as a folder")
    assert_good(stick)
    (stick / "b.satchel").write_bytes(good())
    refused(judge(stick), 14, "several", "as a folder", "b.satchel")


@test("the user may name a bundle by a link")
def _(tmp):
    first = packed_bundle.split(good(), tmp / "b.satchel", 16384)[0]
    (tmp / "link").symlink_to(first)
    assert_good(tmp / "link")


@test("a read-only medium is enough for a packed bundle")
def _(tmp):
    (tmp / "b.satchel").write_bytes(good())
    script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
    argv = ["unshare", "--mount", "sh", "-c", script, "sh", tmp]
    if run([*argv, "true"]).returncode != 0:
        skip("no mount namespaces")
    result = run([*argv, program("satchel-verify"), "--root", lab()[0].root_path, "--full",
                  tmp / "b.satchel"])
    assert result.returncode == 0, result


# ---- incomplete ones

@test("a copy cut at any 4 KiB boundary is called incomplete, or has lost nothing")
def _(tmp):
    data = good()
    content = len(data.rstrip(b"\0"))
    for cut in range(4096, len(data), 4096):
        verdict = judge_bytes(tmp, data[:cut])
        if verdict.accepted:
            assert cut >= content + 2 * BLOCK, verdict
            continue
        refused(verdict, 8, INCOMPLETE)
        refused(judge_bytes(tmp, data[:cut], "--full"), 70, INCOMPLETE)
    refused(judge_bytes(tmp, b""), 14, "neither a folder nor a packed bundle")
    refused(judge_bytes(tmp, data[:511]), 14, "neither a folder nor a packed bundle")


def parts_in(tmp):
    """A fresh set of parts of 16 KiB."""
    folder = tmp / "set"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return packed_bundle.split(good(), folder / "b.satchel", 16384)


@test("a part that is missing is named")
def _(tmp):
    for number in range(len(parts_in(tmp))):
        parts = parts_in(tmp)
        parts[number].unlink()
        target = parts[0] if number > 0 else parts[0].parent
        verdict = judge(target)
        refused(verdict, 8, f"{parts[number].name} is missing", INCOMPLETE)
        # Once, and with no other reason that follows from it alone.
        assert len(verdict.reasons) == 1, verdict


@test("a part that held the end of the head is named when it is missing")
def _(tmp):
    data, head = good(), packed_bundle.head_bytes(good())
    # Within a member of the head, and where the next one's header would begin.
    for size in (head // BLOCK // 2 * BLOCK, head - BLOCK, BLOCK * 2):
        folder = tmp / str(size)
        folder.mkdir()
        parts = packed_bundle.split(data, folder / "b.satchel", size)
        for part in parts[1:]:
            part.unlink()
        refused(judge(parts[0]), 8, "b.satchel.001 is missing", INCOMPLETE)


@test("a part that was cut short, or is too long, is named")
def _(tmp):
    for number in range(1, len(parts_in(tmp)) - 1):
        parts = parts_in(tmp)
        parts[number].write_bytes(parts[number].read_bytes()[:-1])
        refused(judge(parts[0]), 8, parts[number].name, INCOMPLETE)
        parts[number].write_bytes(parts[number].read_bytes() + b"xx")
        refused(judge(parts[0]), 8, parts[number].name)


@test("parts that were exchanged, or are of another bundle, are named without reading them")
def _(tmp):
    parts = parts_in(tmp)
    assert len(parts) >= 4 and packed_bundle.head_bytes(good()) < 16384, parts
    first, second = parts[1].read_bytes(), parts[2].read_bytes()
    parts[1].write_bytes(second)
    parts[2].write_bytes(first)
    refused(judge(parts[0]), 15, "b.satchel.001 is not the part that belongs there",
            "parts were exchanged", "copy it again")
    parts[1].write_bytes(first)
    refused(judge(parts[0]), 15, "b.satchel.002 is not the part that belongs there")
    parts[2].write_bytes(bytes(len(second)))
    refused(judge(parts[0]), 15, "b.satchel.002")
    size = 16384 if len(good()) % 16384 else 16896
    parts = packed_bundle.split(good(), tmp / "b.satchel", size)
    first, last = parts[2].read_bytes(), parts[-1].read_bytes()
    parts[2].write_bytes(last)
    parts[-1].write_bytes(first)
    refused(judge(parts[0]), 8, "b.satchel.002 is shorter than the first part: parts were exchanged")


@test("an exchanged part that holds a piece of the head is named too")
def _(tmp):
    size = packed_bundle.head_bytes(good()) // 3 // BLOCK * BLOCK
    parts = packed_bundle.split(good(), tmp / "b.satchel", size)
    parts[1].write_bytes(parts[3].read_bytes())
    verdict = judge(parts[0])
    refused(verdict, verdict.status, "b.satchel.001 is not the part that belongs there")


@test("the name that a set was made by leads to its first part")
def _(tmp):
    parts_in(tmp)
    refused(judge(tmp / "set/b.satchel"), 14, "it is in parts", ".000")


@test("a later part alone is told to be one")
def _(tmp):
    refused(judge(parts_in(tmp)[1]), 14, "name the first part")


@test("a part that is a link or no file is refused")
def _(tmp):
    parts = parts_in(tmp)
    parts[1].rename(tmp / "elsewhere")
    parts[1].symlink_to(tmp / "elsewhere")
    refused(judge(parts[0]), 14, "b.satchel.001", "no regular file")
    parts[1].unlink()
    os.mkfifo(parts[1])
    refused(judge(parts[0]), 14, "b.satchel.001", "no regular file")


@test("what is no bundle is said to be none")
def _(tmp):
    os.mkfifo(tmp / "pipe")
    refused(judge(tmp / "pipe"), 14, "no regular file")
    refused(judge("/dev/zero"), 14, "no regular file")
    (tmp / "photo").write_bytes(os.urandom(10000))
    refused(judge(tmp / "photo"), 14, "neither a folder nor a packed bundle")
    (tmp / "zeros").write_bytes(bytes(20480))
    refused(judge(tmp / "zeros"), 14, "neither a folder nor a packed bundle")


# ---- hostile ones

def with_first(*parts):
    """The good archive with @parts (path, headers, content) before all others."""
    return join([*parts, *members()])


@test("a head with anything but files and folders in it is refused")
def _(tmp):
    cases = {
        "symbolic link": (ustar(b"tuf/x", 0, b"2"), "link"),
        "hard link": (ustar(b"tuf/x", 0, b"1"), "link"),
        "device": (ustar(b"tuf/x", 0, b"3"), "device"),
        "pipe": (ustar(b"tuf/x", 0, b"6"), "pipe"),
        "GNU long name": (ustar(b"././@LongLink", 3, b"L"), "GNU"),
        "global pax header": (pax([(b"path", b"tuf/x")], b"g"), "kind"),
        "absolute name": (ustar(b"/etc/passwd", 0), "not relative"),
        "dot dot": (ustar(b"tuf/../../x", 0), "'..'"),
        "not in tuf": (ustar(b"ostree_repo/config", 0), "stands before manifest.mtree"),
        "unknown pax key": (pax([(b"mtime", b"1.5")]) + ustar(b"tuf/x", 0), "pax record"),
        "pax that nothing needs": (pax([(b"path", b"tuf/x")]) + ustar(b"tuf/x", 0), "pax"),
        "huge pax": (ustar(b"PaxHeader", 1 << 30, b"x"), "too long"),
        "huge role": (headers(b"tuf/x", 1 << 40), "too large"),
        "role beyond the end": (headers(b"tuf/x", 1 << 24), INCOMPLETE),
        "name twice": (ustar(b"tuf/timestamp.json", 0), "twice"),
        "folder with a size": (ustar(b"tuf/", 3, b"5"), "a folder with a size"),
        "manifest as a folder": (folder_header(MANIFEST.encode()), "twice"),
        "folder that is a file": (folder_header(b"ostree_repo/config"), "a folder in"),
    }
    for name, (head, words) in cases.items():
        verdict = judge_bytes(tmp, with_first((None, head, b"")))
        assert verdict.status in (8, 15), f"{name}: {verdict}"
        assert words in verdict.messages, f"{name}: {verdict}"


@test("sizes that are no octal number, and headers with a wrong sum, are refused")
def _(tmp):
    for size in (b"\x80" + bytes(10) + b"\x03", b"-0000000003\0", b"00000000008\0", b" " * 12):
        header = bytearray(ustar(b"tuf/x", 3))
        header[124:136] = size
        verdict = judge_bytes(tmp, with_first((None, packed_bundle.checksummed(header), b"abc")))
        refused(verdict, 15, "octal")
    header = bytearray(ustar(b"tuf/x", 3))
    header[0] ^= 1
    refused(judge_bytes(tmp, with_first((None, bytes(header), b"abc"))), 15, "checksum")


@test("a head without a manifest, or without an end, is refused")
def _(tmp):
    tuf = [part for part in members() if part[0].startswith(b"tuf/")]
    refused(judge_bytes(tmp, join(tuf)), 15, "manifest.mtree")
    many = [(None, folder_header(b"d/%d" % i), b"") for i in range(5000)]
    refused(judge_bytes(tmp, with_first(*many)), 15, "more than 4096 members")


def full(tmp, parts):
    return judge_bytes(tmp, join(parts), "--full")


@test("an order, a size or a member that the manifest does not tell is refused")
def _(tmp):
    parts = list(members())
    begin = next(i for i, part in enumerate(parts) if part[0] == MANIFEST.encode()) + 1
    swapped = [*parts[:begin], parts[begin + 1], parts[begin], *parts[begin + 2:]]
    refused(full(tmp, swapped), 70, "as manifest.mtree lists it")
    refused(full(tmp, parts[:-1]), 70, INCOMPLETE)
    # One block more is within what writers fill up with, and no zeros.
    refused(full(tmp, [*parts, (None, headers(b"extra", 0), b"")]), 70, "stands between")
    refused(full(tmp, [*parts, (None, headers(b"extra", 30000), bytes(30000))]), 15, "longer")
    refused(full(tmp, [*parts[:begin], (None, bytes(BLOCK), b""), *parts[begin:]]), 8,
            "as manifest.mtree lists it")
    kind = (parts[-1][0], ustar(parts[-1][0], len(parts[-1][2]), b"2"), parts[-1][2])
    refused(full(tmp, [*parts[:-1], kind]), 70, "link")
    role = next(i for i, part in enumerate(parts) if part[0] == b"tuf/snapshot.json")
    gone = judge_bytes(tmp, join([*parts[:role], *parts[role + 1:]]))
    refused(gone, 14, "tuf/snapshot.json")
    refused(gone, 14, "is not in the head")


@test("something between members is seen by the full check")
def _(tmp):
    data = bytearray(good())
    end = len(good().rstrip(b"\0"))
    assert end % BLOCK != 0
    data[end] = 1
    assert judge_bytes(tmp, bytes(data)).accepted
    refused(judge_bytes(tmp, bytes(data), "--full"), 70, "something stands between the members")


@test("bytes changed in head and manifest are refused, or mean nothing")
def _(tmp):
    data = good()
    for at in range(0, packed_bundle.head_bytes(data), 61):
        changed = bytearray(data)
        changed[at] ^= 0x10
        verdict = judge_bytes(tmp, bytes(changed))
        # The first root, which the device has and does not read, and the filling behind contents.
        if verdict.accepted:
            refused(judge_bytes(tmp, bytes(changed), "--full"), 70)


# ---- the medium

def with_failing(path, when, *options):
    """satchel-verify whose reads of @path fail as strace's `when` says."""
    if shutil.which("strace") is None:
        skip("no strace")
    return run(["strace", "-f", "-qq", "-o", "/dev/null", "-P", path, "-e", "trace=pread64", "-e",
                f"inject=pread64:error=EIO:when={when}", program("satchel-verify"), "--root",
                lab()[0].root_path, *options, path])


@test("a read that fails once is tried again; one that fails twice names the failing stick")
def _(tmp):
    path = tmp / "b.satchel"
    path.write_bytes(good())
    for number in (1, 2, 5, 20, 30):
        result = with_failing(path, number, "--full")
        assert result.returncode == 0, result
        result = with_failing(path, f"{number}+", "--full")
        assert result.returncode in (4, 15, 70), result
    for number in (1, 2, 30):
        result = with_failing(path, f"{number}..{number + 1}", "--full")
        assert result.returncode == 70, result
        assert "the stick is failing" in result.stdout, result
        assert "Input/output error" in result.stdout, result


@test("a check of 25,000 members reads less than 3 % of the bundle")
def _(tmp):
    builder, bundle = lab()
    path = tmp / "large.satchel"
    shutil.copytree(bundle, tmp / "large")
    zeros = bytes(10000)
    digest = hashlib.sha256(zeros).hexdigest()
    names = [f"ostree_repo/objects/{i % 256:02x}/{i:062x}.filez" for i in range(25000)]
    with open(tmp / "large" / MANIFEST, "a", encoding="ascii") as manifest:
        manifest.writelines(f"./{name} type=file size=10000 sha256digest={digest}\n"
                            for name in names)
    builder.write_meta(tmp / "large")
    manifest = (tmp / "large" / MANIFEST).read_bytes()
    listed = {name.encode() for name in names}
    with open(path, "wb") as output:
        for name, head, content in packed_bundle.members_of(
                tmp / "large", lambda name: zeros if name in listed else None):
            output.write(head)
            if name in listed:
                output.seek(len(content) + -len(content) % BLOCK, os.SEEK_CUR)
            else:
                output.write(packed_bundle.padded(content))
        output.truncate(-(-(output.tell() + 2 * BLOCK) // RECORD) * RECORD)
    size = path.stat().st_size
    result = run(["sh", "-c", '"$@" && cat /proc/$$/io', "sh", program("satchel-verify"), "--root",
                  builder.root_path, path], check=True)
    n_read = int(next(line.split()[1] for line in result.stdout.splitlines()
                      if line.startswith("rchar")))
    assert len(manifest) < n_read < size * 0.03, f"{n_read} of {size}"
    print(f"# {n_read} of {size} bytes, {len(manifest)} of them the manifest")


main()
