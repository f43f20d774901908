#!/usr/bin/python3
"""Hostile bundles: satchel-verify and satchel-installer name the file and the reason in one line,
give the documented status, neither hang nor crash, and nothing changes on the device.

The bundle is a real one; each case spoils a copy of it. The device is a real sysroot.
"""
import atexit
import copy
import functools
import json
import os
import pathlib
import shutil
import socket
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

# pylint: disable=wrong-import-position
from device_lab import HARDWARE, TAG, Device, Lab, canonical
from schemas import check
from tap import main, program, run, skip, test

TIMEOUT_S = 280
ROLES = ("timestamp", "snapshot", "targets")
META = "tuf/bundle-targets.json"
MANIFEST = "manifest.mtree"
CONFIG = "ostree_repo/config"
NEXT_ROOT = "tuf/2.root.json"
# What a device may answer to a bundle whose signed content is odd.
DOCUMENTED = {0, 6, 8, 11, 12, 14, 15}


@functools.lru_cache(maxsize=None)
def lab():
    """A factory, a bundle and a device that every test uses, and none of which may change."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="satchel-hostile-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Lab(folder / "lab", releases=(1, 2))


@functools.lru_cache(maxsize=None)
def good_bundle():
    return lab().bundle([2])


@functools.lru_cache(maxsize=None)
def device():
    made = Device(lab(), 1)
    atexit.register(shutil.rmtree, made.folder, ignore_errors=True)
    return made


@functools.lru_cache(maxsize=None)
def device_digest():
    return device().digest()


def copied(tmp):
    """A copy of the good bundle to spoil."""
    bundle = tmp / "bundle"
    shutil.copytree(good_bundle(), bundle, symlinks=True)
    return bundle


def verify_argv(bundle, *options):
    return ["satchel-verify", "--json", "--quiet", "--root", lab().tuf / "metadata/1.root.json",
            "--hardware-id", HARDWARE, "--tag", TAG, "--type", "ci", *options, bundle]


def verify(bundle, *options):
    """(status, messages) of satchel-verify; the document follows its schema."""
    result = run(verify_argv(bundle, *options), timeout_s=TIMEOUT_S)
    document = check(result.stdout, "verify-verdict.schema.json")
    assert document["accepted"] == (result.returncode == 0), result
    if result.returncode != 0:
        assert result.stderr.count("\n") == 1, result
    return result, "\n".join(reason["message"] for reason in document["reasons"])


def pull(bundle):
    """The status of `pull`, which checks first; the device is as it was unless that is 0."""
    before = device_digest()
    result = device().run("pull", "--src-dir", bundle, timeout_s=TIMEOUT_S)
    if result.returncode != 0:
        assert device().digest() == before, f"the device changed: {result}"
        assert result.stderr.strip(), result
    return result


def refused(bundle, status, word, options=(), pull_status=None):
    """Both programs refuse with @status and name @word. @pull_status: where `pull` differs."""
    result, messages = verify(bundle, *options)
    assert result.returncode == status, f"not {status}: {result}"
    assert word in messages, result
    if not options:
        # What is there and altered is 50 for who would read it.
        altered = status == 8 and word.endswith(".commit") and os.path.lexists(
            bundle / commit_path(bundle))
        status = pull_status or (50 if altered else status)
        pulled = pull(bundle)
        assert pulled.returncode == status, f"not {status}: {pulled}"
        assert word in pulled.stderr, pulled


def commit_path(bundle):
    commit = lab().commits[2]
    return f"ostree_repo/objects/{commit[:2]}/{commit[2:]}.commit"


def signed_document(bundle, member):
    return json.loads((bundle / member).read_text())["signed"]


def sign(bundle, member, signed, text=None):
    """Replaces a role by @signed (or by @text, which must mean the same), with good signatures."""
    role = "targets" if member == META else pathlib.Path(member).stem.split(".")[-1]
    signature = lab().signature(lab().keyid(role), lab().key(role).sign(canonical(signed)))
    body = canonical(signed).decode() if text is None else text
    (bundle / member).write_text(f'{{"signatures":[{canonical(signature).decode()}],'
                                 f'"signed":{body}}}')


def word_for(name):
    """What a message about a member has in it: roles are called by their names."""
    if name == NEXT_ROOT:
        return "root"
    path = pathlib.Path(name)
    return path.stem if path.stem in ROLES else path.name


# ---- damaged documents

# Member, status where its content is wrong. A root that is newer than the device's is looked at.
DOCUMENTS = [*((f"tuf/{role}.json", 11) for role in ROLES), (NEXT_ROOT, 11), (META, 15),
             (MANIFEST, 15), (CONFIG, 8), ("COMMIT", 8)]


def empty(data):
    return b""


def truncated(data):
    return data[:len(data) // 2]


def without_its_end(data):
    return data[:-1]


def with_nul(data):
    return data[:10] + b"\0" + data[10:]


def all_zero(data):
    return bytes(len(data))


def random_bytes(data):
    return bytes((i * 2654435761 >> 7) & 0xff for i in range(5000))


def deeply_nested(data):
    return b'{"signatures":' + b"[" * 400000


def with_garbage_behind(data):
    return data + b"}"


def with_duplicate_members(data):
    return b'{"signed":{},' + data[1:]


def with_invalid_utf8(data):
    return data[:1] + b'"\xff\xfe":1,' + data[1:]


def with_a_byte_order_mark(data):
    return b"\xef\xbb\xbf" + data


DAMAGES = [empty, truncated, all_zero, random_bytes, deeply_nested]
JSON_DAMAGES = [with_nul, without_its_end, with_garbage_behind, with_duplicate_members,
                with_invalid_utf8, with_a_byte_order_mark]


def damage_cases():
    for member, status in DOCUMENTS:
        damages = DAMAGES + (JSON_DAMAGES if member.endswith(".json") else [])
        for damage in damages:
            yield member, status, damage


for case_member, case_status, case_damage in damage_cases():
    @test(f"{case_member} that is {case_damage.__name__.replace('_', ' ')} gives {case_status}")
    def _(tmp, member=case_member, status=case_status, damage=case_damage):
        bundle = copied(tmp)
        name = commit_path(bundle) if member == "COMMIT" else member
        path = bundle / name
        # There is no second root: the first one stands in for the text to damage.
        source = bundle / "tuf/1.root.json" if member == NEXT_ROOT else path
        path.write_bytes(damage(source.read_bytes()))
        refused(bundle, status, word_for(name))


for case_member, case_status in DOCUMENTS:
    @test(f"{case_member} of a terabyte gives {case_status} before it is read")
    def _(tmp, member=case_member, status=case_status):
        bundle = copied(tmp)
        name = commit_path(bundle) if member == "COMMIT" else member
        with open(bundle / name, "ab") as file:
            try:
                file.truncate(1 << 40)
            except OSError:
                skip("the file system has no sparse files of that size")
        refused(bundle, status, word_for(name))


# ---- signed, and hostile all the same

ODD_VALUES = (None, True, -1, 1 << 63, "", "\u0001", "../../etc/passwd", [], [[]], {},
              {"..": {}}, "9999-99-99T99:99:99Z", 10 ** 30)


def places(value, path=()):
    """Every place in a JSON value."""
    yield path
    if isinstance(value, dict):
        for name, member in value.items():
            yield from places(member, (*path, name))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from places(member, (*path, index))


def replaced(value, path, new):
    if not path:
        return new
    result = copy.deepcopy(value)
    parent = result
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = new
    return result


for case_member in (*(f"tuf/{role}.json" for role in ROLES), META):
    @test(f"any value of another type in a signed {case_member} gives a documented status")
    def _(tmp, member=case_member):
        bundle = copied(tmp)
        signed = signed_document(bundle, member)
        count = 0
        for path in places(signed):
            for new in ODD_VALUES[count % 4::4]:
                count += 1
                sign(bundle, member, replaced(signed, path, new))
                result, _ = verify(bundle)
                assert result.returncode in DOCUMENTED, f"{path} = {new!r}: {result}"
        assert count >= 30, count


@test("a member that stands twice in a signed document is refused, whichever one was signed")
def _(tmp):
    for member, status in [*((f"tuf/{role}.json", 11) for role in ROLES), (META, 15)]:
        bundle = copied(tmp / member.replace("/", "-"))
        signed = signed_document(bundle, member)
        text = canonical(signed).decode()
        sign(bundle, member, signed, '{"version":99,' + text[1:])
        refused(bundle, status, word_for(member))


@test("a target's name is never a path: signed names with .. or / are passed over, long ones 15")
def _(tmp):
    passed_over = "is passed over: the targets role does not have it"
    for number, (name, status, message) in enumerate((
            *((name, 6, f"target '{name}' {passed_over}")
              for name in ("../../../etc/passwd", "/etc/passwd", "a/../b", "-rf", ".")),
            ("a\nb", 6, f"target 'a\\x0ab' {passed_over}"),
            ("x" * 5000, 15, "'targets' has an empty or too long name"))):
        bundle = copied(tmp / str(number))
        signed = signed_document(bundle, META)
        signed["x-fio-offline-bundle"]["targets"] = [name]
        sign(bundle, META, signed)
        refused(bundle, status, message)


def with_manifest(tmp, line):
    """A bundle whose signed manifest has one more line."""
    bundle = copied(tmp)
    path = bundle / MANIFEST
    path.write_text(path.read_text() + line)
    signed = signed_document(bundle, META)
    import hashlib  # pylint: disable=import-outside-toplevel
    data = path.read_bytes()
    signed["x-satchel"]["manifest"] = {"length": len(data),
                                       "sha256": hashlib.sha256(data).hexdigest()}
    sign(bundle, META, signed)
    return bundle


@test("a signed manifest with .. or absolute paths, twice a path or settings gives 15")
def _(tmp):
    digest = "a" * 64
    for number, line in enumerate((
            f"./../../etc/passwd type=file size=1 sha256digest={digest}\n",
            f".//etc/passwd type=file size=1 sha256digest={digest}\n",
            f"./a/./b type=file size=1 sha256digest={digest}\n",
            f"./{CONFIG} type=file size=1 sha256digest={digest}\n",
            f"./a type=link size=1 sha256digest={digest}\n",
            f"./a type=file size=99999999999999999999 sha256digest={digest}\n",
            "/set uid=0\n", "\n", "x" * 100000 + "\n", "\0\n")):
        refused(with_manifest(tmp / str(number), line), 15, "manifest.mtree line")


# ---- what is no file

def as_fifo(path):
    os.mkfifo(path)


def as_folder(path):
    path.mkdir()


def as_link(path):
    """A link to what would be good content."""
    elsewhere = path.with_name(path.name + ".elsewhere")
    shutil.copy(good_bundle() / path.relative_to(as_link.bundle), elsewhere)
    path.symlink_to(elsewhere.name)


def as_dangling_link(path):
    path.symlink_to("/nonexistent/satchel")


def as_link_to_itself(path):
    path.symlink_to(path.name)


def as_socket(path):
    here = os.getcwd()
    os.chdir(path.parent)
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(here)


def as_device(path):
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:
        skip("devices need root")


KINDS = (as_fifo, as_folder, as_link, as_dangling_link, as_link_to_itself, as_socket, as_device)
# A role that cannot be read is metadata that could not be handled.
SPECIAL = [*((f"tuf/{role}.json", 4) for role in ROLES), (META, 15), (MANIFEST, 15), (CONFIG, 8),
           ("COMMIT", 8)]

for case_kind in KINDS:
    @test(f"any document in the shape of {case_kind.__name__[3:].replace('_', ' ')} is refused")
    def _(tmp, kind=case_kind):
        for member, status in SPECIAL:
            bundle = copied(tmp / member.replace("/", "-"))
            name = commit_path(bundle) if member == "COMMIT" else member
            (bundle / name).unlink()
            as_link.bundle = bundle
            kind(bundle / name)
            refused(bundle, status, word_for(name))


@test("a folder of the bundle that is a link is not followed")
def _(tmp):
    for folder, status, pulled in (("tuf", 14, 14), ("ostree_repo", 8, 8),
                                   ("ostree_repo/objects", 8, 50)):
        bundle = copied(tmp / folder.replace("/", "-"))
        (bundle / folder).rename(tmp / f"elsewhere-{folder.replace('/', '-')}")
        (bundle / folder).symlink_to(tmp / f"elsewhere-{folder.replace('/', '-')}")
        refused(bundle, status, folder.split("/", maxsplit=1)[0], pull_status=pulled)


@test("with --full an object of any odd kind gives 70 and does not hang")
def _(tmp):
    for kind in KINDS:
        bundle = copied(tmp / kind.__name__)
        victim = next(bundle.glob("ostree_repo/objects/*/*.filez"))
        victim.unlink()
        as_link.bundle = bundle
        kind(victim)
        refused(bundle, 70, victim.name, ["--full"])


@test("special files that nobody asked for disturb nobody")
def _(tmp):
    bundle = copied(tmp)
    as_fifo(bundle / "fifo")
    as_dangling_link(bundle / "tuf/link")
    as_fifo(bundle / "ostree_repo/objects/fifo")
    result, _ = verify(bundle)
    assert result.returncode == 0, result
    refused(bundle, 70, "fifo", ["--full"])


# ---- stray files

@test("what other systems leave on a stick is no part of the bundle")
def _(tmp):
    bundle = copied(tmp)
    for name in ("._bundle", ".DS_Store", "tuf/._timestamp.json", "tuf/.DS_Store",
                 "System Volume Information/WPSettings.dat", "ostree_repo/._config",
                 "ostree_repo/objects/.DS_Store", "ostree_repo/objects/00/._x.filez",
                 "apps/.DS_Store", "apps/apps/.DS_Store", "$RECYCLE.BIN/desktop.ini"):
        path = bundle / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\0litter")
    for options in ([], ["--full"]):
        result, _ = verify(bundle, *options)
        assert result.returncode == 0, result
    # An accepted bundle changes a device: not the one that the refusals are tried on.
    with Device(lab(), 1) as fresh:
        fresh.expect(16, "check", "--src-dir", bundle)


@test("a tuf folder with ten thousand stray files is judged at once")
def _(tmp):
    bundle = copied(tmp)
    for number in range(10000):
        (bundle / "tuf" / f"{number}.json.tmp").touch()
    result, _ = verify(bundle)
    assert result.returncode == 0, result


def peak_kib(argv):
    """The most memory that a program takes."""
    words = [program(argv[0]), *argv[1:]]
    with subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 11, process.returncode
    return usage.ru_maxrss


@test("no role costs more than 96 MiB of memory before it turns out that nobody signed it")
def _(tmp):
    if b"__asan_init" in program("satchel-verify").read_bytes():
        skip("a sanitizer needs memory of its own")
    bundle = copied(tmp)
    head = (b'{"signatures":[],"signed":{"_type":"Targets","version":2,'
            b'"expires":"2090-01-01T00:00:00Z","targets":')
    for piece in (b"{}", b"[]", b'{"a":{}}', b"[0,0,0,0,0,0,0,0,0]", b'""', b'"' + b"x" * 48 + b'"',
                  b'"' + "é".encode() * 200 + b'"', b'"' + "é".encode() * 20 + b'"'):
        most = ((16 << 20) - len(head) - 100) // (len(piece) + 1)
        for n in (most, 225000):
            if n > most:
                continue
            # In parts: what this process once took counts for those that it starts.
            with open(bundle / "tuf/targets.json", "wb") as file:
                file.write(head + b"[")
                for _ in range(n // 1000):
                    file.write((piece + b",") * 1000)
                file.write(piece + b"]}}")
            peak = peak_kib(device().argv("check", "--src-dir", bundle))
            assert peak < 96 << 10, (piece[:10], n, peak)


# ---- the repository

@test("a missing or foreign repository gives 8")
def _(tmp):
    bundle = copied(tmp / "missing")
    shutil.rmtree(bundle / "ostree_repo")
    refused(bundle, 8, "ostree_repo")
    bundle = copied(tmp / "git")
    shutil.rmtree(bundle / "ostree_repo")
    (bundle / "ostree_repo").mkdir()
    (bundle / "ostree_repo/config").write_text("[core]\n\trepositoryformatversion = 0\n")
    refused(bundle, 8, "ostree_repo/config")


@test("a repository's configuration cannot send a device elsewhere")
def _(tmp):
    bundle = copied(tmp)
    (bundle / CONFIG).write_text(
        "[core]\nrepo_version=1\nmode=archive-z2\nparent=/etc\ncollection-id=x\n"
        "[remote \"x\"]\nurl=http://127.0.0.1:1/\n")
    objects = bundle / "ostree_repo/objects"
    objects.rename(bundle / "ostree_repo/elsewhere")
    refused(bundle, 8, ".commit")


@test("an object altered on the medium gives 50, and nothing of it is in the device's repository")
def _(tmp):
    for kind in ("filez", "dirtree"):
        bundle = copied(tmp / kind)
        victim = max(bundle.glob(f"ostree_repo/objects/*/*.{kind}"),
                     key=lambda path: path.stat().st_size)
        data = bytearray(victim.read_bytes())
        data[-3] ^= 1
        victim.write_bytes(data)
        with Device(lab(), 1) as fresh:
            result = fresh.run("pull", "--src-dir", bundle, timeout_s=TIMEOUT_S)
            assert result.returncode == 50, result
            assert victim.name in result.stderr or victim.stem in result.stderr, result
            assert not fresh.has_commit(2)
            fresh.fsck()


@test("an altered commit gives 50 where it would be read, 70 with --full and else 8")
def _(tmp):
    bundle = copied(tmp)
    commit = bundle / commit_path(bundle)
    data = bytearray(commit.read_bytes())
    data[-1] ^= 1
    commit.write_bytes(data)
    assert verify(bundle)[0].returncode == 8
    assert verify(bundle, "--full")[0].returncode == 70
    with Device(lab(), 1) as fresh:
        before = fresh.digest()
        for command, status in (("check", 8), ("pull", 50), ("update", 50)):
            result = fresh.run(command, "--src-dir", bundle, timeout_s=TIMEOUT_S)
            assert result.returncode == status and commit.name in result.stderr, result
            assert fresh.digest() == before
        commit.unlink()
        for command in ("check", "pull", "update"):
            assert fresh.run(command, "--src-dir", bundle).returncode == 8


# ---- the medium

@test("a read-only medium is enough")
def _(tmp):
    bundle = copied(tmp)
    script = ('mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && '
              '! touch "$1/x" 2>/dev/null && shift && exec "$@"')
    argv = ["unshare", "--mount", "sh", "-c", script, "sh", bundle]
    if run([*argv, "true"]).returncode != 0:
        skip("no mount namespaces")
    words = [str(word) for word in verify_argv(bundle, "--full")]
    result = run([*argv, program("satchel-verify"), *words[1:]], timeout_s=TIMEOUT_S)
    assert result.returncode == 0, result


def with_failing(call, number, bundle, path=None):
    """satchel-verify --full whose @number-th @call, on @path or anywhere below the bundle, and all
    that follow fail like those on a stick that was pulled."""
    if shutil.which("strace") is None:
        skip("no strace")
    where = ["-P", path] if path else []
    return run(["strace", "-f", "-qq", "-o", "/dev/null", *where, "-e", f"trace={call}", "-e",
                f"inject={call}:error=EIO:when={number}+", program("satchel-verify"),
                *verify_argv(bundle, "--full")[1:]], timeout_s=TIMEOUT_S)


@test("a document that cannot be read for an I/O error is named")
def _(tmp):
    bundle = copied(tmp)
    for member, status in [*((f"tuf/{role}.json", 4) for role in ROLES), (META, 15),
                           (MANIFEST, 70), (CONFIG, 8), ("COMMIT", 70)]:
        name = commit_path(bundle) if member == "COMMIT" else member
        result = with_failing("pread64", 1, bundle, bundle / name)
        assert result.returncode == status, f"{member}: {result}"
        assert word_for(name) in result.stderr, result
        check(result.stdout, "verify-verdict.schema.json")


@test("content that cannot be read for an I/O error gives 70 and is named")
def _(tmp):
    bundle = copied(tmp)
    victim = next(bundle.glob("ostree_repo/objects/*/*.filez"))
    result = with_failing("pread64", 1, bundle, victim)
    assert result.returncode == 70, result
    assert victim.name in result.stderr, result


@test("a medium that goes away at any moment is no crash and no acceptance")
def _(tmp):
    bundle = copied(tmp)
    refusals = 0
    for call, numbers in (("openat", (20, 30, 45, 60, 75, 90, 120, 200)),
                          ("pread64", (3, 5, 8, 12, 18, 30, 50, 80))):
        for number in numbers:
            result = with_failing(call, number, bundle)
            # Too early, and the program does not get as far as its own code.
            if result.returncode == 127:
                continue
            assert 0 <= result.returncode <= 70, f"{call} {number}: {result}"
            if result.returncode != 0:
                refusals += 1
                assert result.stderr.strip(), f"{call} {number}: {result}"
    assert refusals > 5, refusals


@test("the good bundle is good, and was the whole time")
def _(tmp):
    result, _ = verify(good_bundle(), "--full")
    assert result.returncode == 0, result
    assert device().digest() == device_digest()
    with Device(lab(), 1) as fresh:
        fresh.expect(16, "check", "--src-dir", good_bundle())


main()
