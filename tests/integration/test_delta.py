#!/usr/bin/python3
"""Static deltas: made by libostree, signed by us, applied from a private copy, hashed object by object."""
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from bundle_maker import contents  # noqa: E402
from device_lab import Lab, canonical, sh, tree_digest  # noqa: E402
import schemas  # noqa: E402
import tap  # noqa: E402
from tap import main, run, skip, test  # noqa: E402

FIXED = {"epoch": 1800000000, "days": 100}
NOISE = random.Random(6).randbytes(300_000)


def with_blob(change=b""):
    """A large file of which deflate makes nothing and a binary patch much."""
    def make(top):
        (top / "usr/lib/blob").write_bytes(NOISE[:150_000] + change + NOISE[150_000:])
        (top / "usr/lib/link").symlink_to(f"to-{len(change)}")
    return make


class DeltaLab(Lab):
    """Releases 1, 2 and 3 share a large file but for a few bytes."""

    def commit(self, version, change=None, **kwargs):
        return super().commit(version, change or with_blob(b"x" * version), **kwargs)

    def delta_bundle(self, *, target=2, bases=(1,), **kwargs):
        words = [word for base in bases for word in ("--from", self.commits[base])]
        return self.bundle([target], "--delta", *words, **kwargs)


def deltas(bundle):
    return sorted((bundle / "ostree_repo/deltas").rglob("superblock"))


def addition(bundle):
    document = schemas.check((bundle / "tuf/bundle-targets.json").read_bytes(),
                             "bundle-meta.schema.json")
    return document["signed"]["x-satchel"]


def resign(lab, bundle, change=lambda signed: None):
    """Signs the bundle again: with another manifest, and what @change makes of the signed part."""
    path = bundle / "tuf/bundle-targets.json"
    signed = json.loads(path.read_text())["signed"]
    change(signed)
    path.write_bytes(canonical({
        "signatures": [lab.signature(lab.keyid("targets"),
                                     lab.key("targets").sign(canonical(signed)))],
        "signed": signed}))


def relist(lab, bundle, change_line):
    """Rewrites the manifest line by line, None dropping one, and signs that."""
    path = bundle / "manifest.mtree"
    lines = [change_line(line) for line in path.read_text().splitlines()]
    text = "".join(line + "\n" for line in lines if line is not None).encode()
    path.write_bytes(text)

    def change(signed):
        signed["x-satchel"]["manifest"] = {"length": len(text),
                                           "sha256": hashlib.sha256(text).hexdigest()}
    resign(lab, bundle, change)


def list_anew(lab, bundle):
    """As if the maker had signed what lies there for a delta."""
    delta, = deltas(bundle)
    data = delta.read_bytes()
    name = "./" + str(delta.relative_to(bundle))

    def change_line(line):
        if not line.startswith(name + " "):
            return line
        return f"{name} type=file size={len(data)} sha256digest={hashlib.sha256(data).hexdigest()}"
    relist(lab, bundle, change_line)
    resign(lab, bundle, lambda signed: signed["x-satchel"]["deltas"][0].update(bytes=len(data)))


def work_folder(device):
    return device.repo / "satchel-delta"


def repo_objects(device):
    return tree_digest(device.repo / "objects")


def assert_installs(device, bundle, version=2):
    device.expect(0, "pull", "--src-dir", bundle)
    assert not work_folder(device).exists()
    device.expect(100, "install", "--src-dir", bundle)
    device.fsck()
    root = device.sysroot / f"ostree/deploy/lmp/deploy/{device.lab.commits[version]}.0"
    assert f"release {version}" in (root / "usr/bin/hello").read_text()
    assert (root / "usr/lib/blob").read_bytes() == NOISE[:150_000] + b"x" * version + NOISE[150_000:]


def strace():
    if shutil.which("strace") is None:
        skip("no strace")
    return "strace"


@test("a delta stands for the objects that a device on its base lacks")
def _(tmp):
    lab = DeltaLab(tmp)
    thin, bundle = lab.bundle([2], "--from", lab.commits[1]), lab.delta_bundle()
    said = addition(bundle)
    path, = deltas(bundle)
    assert said["deltas"] == [{"from": lab.commits[1], "to": lab.commits[2],
                               "bytes": path.stat().st_size,
                               "unpacked": said["deltas"][0]["unpacked"]}]
    assert said["deltas"][0]["unpacked"]["objects"] == said["from"][0]["lacks"]["objects"]
    assert said["deltas"][0]["unpacked"]["bytes"] > 300_000
    assert [item.name for item in (bundle / "ostree_repo/objects").glob("??/*")] == \
        [lab.commits[2][2:] + ".commit"]

    def size(folder):
        return sum(item.stat().st_size for item in folder.rglob("*") if item.is_file())
    assert size(bundle) < 0.2 * size(thin)


@test("a delta lies where libostree looks for it, and libostree applies it")
def _(tmp):
    lab = DeltaLab(tmp)
    bundle = lab.delta_bundle()
    listed = sh("ostree", "static-delta", "list", "--repo", bundle / "ostree_repo")
    assert listed == f"{lab.commits[1]}-{lab.commits[2]}"
    with lab.device() as device:
        sh("ostree", "static-delta", "apply-offline", "--repo", device.repo, deltas(bundle)[0])
        device.fsck()


@test("the same build gives the same delta, whenever it is made, and leaves the source alone")
def _(tmp):
    lab = DeltaLab(tmp)
    before = tree_digest(lab.repo)
    first = contents(lab.delta_bundle(**FIXED))
    time.sleep(1.1)  # libostree writes the second into its deltas
    assert contents(lab.delta_bundle(**FIXED)) == first
    assert tree_digest(lab.repo) == before


@test("a delta is left out where it saves nothing, and what others need stays")
def _(tmp):
    lab = DeltaLab(tmp)
    # A device on release 9 needs all that one on release 1 does, and has next to nothing to patch.
    lab.release(9, commit=lab.commit(9, lambda top: (top / "usr/bin/link").unlink()))
    lab.release(10, commit=lab.commit(10, with_blob(b"x" * 10)))
    bundle = lab.delta_bundle(target=10, bases=(1, 9))
    said = addition(bundle)
    assert [delta["from"] for delta in said.get("deltas", [])] in ([], [lab.commits[9]]), said
    for version in (1, 9):
        with lab.device(version) as device:
            assert_installs(device, bundle, 10)


@test("satchel-verify --full checks a delta against the signed manifest")
def _(tmp):
    lab = DeltaLab(tmp)
    bundle = lab.delta_bundle()

    def full():
        return run(["satchel-verify", "--quiet", "--root", lab.tuf / "metadata/1.root.json",
                    "--full", bundle])
    result = full()
    assert result.returncode == 0 and "1 deltas" in result.stdout, result
    path, = deltas(bundle)
    data = path.read_bytes()
    path.write_bytes(data[:2000] + bytes([data[2000] ^ 1]) + data[2001:])
    assert full().returncode == 70
    path.unlink()
    assert full().returncode == 70


@test("an object of a thin bundle that is not what its name says is found, whatever was signed")
def _(tmp):
    lab = DeltaLab(tmp)
    bundle = lab.bundle([2], "--from", lab.commits[1])
    tree = next((bundle / "ostree_repo/objects").glob("??/*.dirtree"))
    data = tree.read_bytes()[:-1] + b"?"
    tree.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    relist(lab, bundle, lambda line: line if tree.stem not in line else
           f"{line.split()[0]} type=file size={len(data)} sha256digest={digest}")
    result = run(["satchel-verify", "--quiet", "--root", lab.tuf / "metadata/1.root.json", "--full",
                  bundle])
    assert result.returncode == 70 and tree.stem in result.stdout, result


for mode in ("bare", "bare-user"):
    @test(f"a device on the base installs from a delta into a repository of mode {mode}")
    def _(tmp, mode=mode):
        lab = DeltaLab(tmp)
        bundle = lab.delta_bundle()
        with lab.device(mode=mode) as device:
            device.expect(16, "check", "--src-dir", bundle)
            if mode == "bare":
                assert_installs(device, bundle)
            else:
                device.expect(0, "pull", "--src-dir", bundle)
                device.fsck()
                device.expect(0, "pull", "--src-dir", bundle)
                assert device.has_commit(2)


@test("a delta in a packed bundle is applied, and refused where it was altered")
def _(tmp):
    lab = DeltaLab(tmp)
    bundle = lab.delta_bundle(packed=True)
    with lab.device() as device:
        assert_installs(device, bundle)
    data = bundle.read_bytes()
    place = data.index(b"\xfd7zXZ") + 100
    bundle.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1:])
    with lab.device() as device:
        before = repo_objects(device)
        result = device.expect(50, "pull", "--src-dir", bundle)
        assert "superblock" in result.stderr and "altered" in result.stderr, result
        assert repo_objects(device) == before


@test("a repository of mode archive takes no delta: 8, and it stays as it is")
def _(tmp):
    lab = DeltaLab(tmp)
    with lab.device(mode="archive") as device:
        before = device.digest()
        device.expect(8, "pull", "--src-dir", lab.delta_bundle())
        assert device.digest()[1] == before[1]


@test("each of several bases gets its own delta, for each of several targets")
def _(tmp):
    lab = DeltaLab(tmp)
    bundle = lab.bundle([2, 3], "--delta", "--from", lab.commits[1], "--from", lab.commits[2])
    pairs = {(delta["from"], delta["to"]) for delta in addition(bundle)["deltas"]}
    one, two, three = (lab.commits[version] for version in (1, 2, 3))
    assert pairs == {(one, two), (one, three), (two, three)}
    for version in (1, 2):
        with lab.device(version) as device:
            assert_installs(device, bundle, 3)


@test("a device on another commit gets 8")
def _(tmp):
    lab = DeltaLab(tmp)
    with lab.device(3) as device:
        before = device.digest()
        device.expect(8, "pull", "--src-dir", lab.delta_bundle())
        assert device.digest() == before


@test("a delta that was altered is refused, and libostree never opens it")
def _(tmp):
    lab = DeltaLab(tmp)
    bundle = lab.delta_bundle()
    path, = deltas(bundle)
    data = bytearray(path.read_bytes())
    for place in (0, len(data) // 2, len(data) - 1):
        data[place] ^= 0xff
    path.write_bytes(data)
    with lab.device() as device:
        before = repo_objects(device)
        log = tmp / "strace"
        result = run([strace(), "-f", "-e", "trace=openat,open", "-o", log,
                      tap.program("satchel-installer"), "pull", "-c", device.config, "--src-dir",
                      bundle], env={"OSTREE_SYSROOT_DEBUG": "mutable-deployments"})
        assert result.returncode == 50 and "superblock" in result.stderr, result
        assert "is damaged or was altered" in result.stderr, result
        opened = log.read_text()
        # Read twice from the medium, written to the copy, and never opened to be parsed.
        assert opened.count("satchel-delta/delta\", O_WRONLY") == 2, opened[-3000:]
        assert not [line for line in opened.splitlines()
                    if "satchel-delta/delta\"" in line and "O_RDONLY" in line and "ENOENT" not in line]
        assert repo_objects(device) == before
        assert not (work_folder(device) / "delta").exists()
        device.fsck()


@test("a delta that is too short is a broken copy, and one that is gone lacks content")
def _(tmp):
    lab = DeltaLab(tmp)
    bundle = lab.delta_bundle()
    path, = deltas(bundle)
    path.write_bytes(path.read_bytes()[:-1])
    with lab.device() as device:
        before = device.digest()
        result = device.expect(8, "check", "--src-dir", bundle)
        assert "copy is incomplete" in result.stderr, result
        path.unlink()
        device.expect(8, "check", "--src-dir", bundle)
        device.expect(8, "pull", "--src-dir", bundle)
        assert device.digest() == before


@test("a delta that the signed manifest does not list is refused with 15")
def _(tmp):
    lab = DeltaLab(tmp)
    bundle = lab.delta_bundle()
    relist(lab, bundle, lambda line: None if "/deltas/" in line else line)
    with lab.device() as device:
        before = device.digest()
        result = device.expect(15, "pull", "--src-dir", bundle)
        assert "not listed in a signed manifest.mtree" in result.stderr, result
        assert device.digest() == before


@test("a signed delta between other commits is refused")
def _(tmp):
    lab = DeltaLab(tmp)
    bundle = lab.delta_bundle()
    shutil.copy(deltas(lab.delta_bundle(target=3))[0], deltas(bundle)[0])
    list_anew(lab, bundle)
    with lab.device() as device:
        before = repo_objects(device)
        result = device.expect(50, "pull", "--src-dir", bundle)
        assert f"leads to commit {lab.commits[3]}" in result.stderr, result
        assert repo_objects(device) == before
        assert not work_folder(device).exists()


@test("a signed delta that makes nothing of use leaves the device as it was")
def _(tmp):
    lab = DeltaLab(tmp)
    bundle = lab.delta_bundle()
    path, = deltas(bundle)
    data = path.read_bytes()
    # The compressed parts begin with xz's magic; the ends of the delta stay as they are.
    begin = data.index(b"\xfd7zXZ")
    path.write_bytes(data[:begin + 40] + bytes(200) + data[begin + 240:])
    list_anew(lab, bundle)
    with lab.device() as device:
        before = repo_objects(device)
        result = device.expect(50, "pull", "--src-dir", bundle)
        assert "cannot be applied" in result.stderr, result
        assert repo_objects(device) == before
        assert not work_folder(device).exists()
        assert_installs(device, lab.delta_bundle())


def blob_object(device, version):
    checksum = next(word for word in
                    sh("ostree", "ls", "--repo", device.lab.repo, "-C", device.lab.commits[version],
                       "/usr/lib/blob").split() if len(word) == 64)
    return device.repo / f"objects/{checksum[:2]}/{checksum[2:]}.file"


@test("a base that is damaged is 50 before anything is written, deployed or not")
def _(tmp):
    lab = DeltaLab(tmp)
    bundle = lab.delta_bundle()
    with lab.device() as device:
        path = blob_object(device, 1)
        assert path.stat().st_nlink > 1  # the deployment has it too
        device.expect(16, "check", "--src-dir", bundle)
        with open(path, "r+b") as file:
            file.seek(1000)
            file.write(b"damaged")
        before = device.digest()
        result = device.expect(50, "pull", "--src-dir", bundle)
        assert lab.commits[1][:12] in result.stderr and path.stem in result.stderr, result
        assert "damaged on this device" in result.stderr, result
        assert device.digest() == before
        path.unlink()
        device.expect(50, "pull", "--src-dir", bundle)


@test("an object of the target that the device holds damaged is made anew")
def _(tmp):
    lab = DeltaLab(tmp)
    bundle = lab.delta_bundle()
    with lab.device() as device:
        path = blob_object(device, 2)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"EVIL")
        assert_installs(device, bundle)


@test("what an earlier try has made is hashed, and made anew where it is wrong")
def _(tmp):
    lab = DeltaLab(tmp)
    bundle = lab.delta_bundle()
    with lab.device() as device:
        made = work_folder(device) / "bundle/ostree_repo"
        made.mkdir(parents=True)
        sh("ostree", "init", "--repo", made, "--mode=bare")
        path = blob_object(device, 2)
        evil = made / path.relative_to(device.repo)
        evil.parent.mkdir(exist_ok=True)
        evil.write_bytes(b"EVIL")
        assert_installs(device, bundle)


@test("a copy that an earlier try has left is hashed before it is used")
def _(tmp):
    lab = DeltaLab(tmp)
    bundle = lab.delta_bundle()
    with lab.device() as device:
        work_folder(device).mkdir()
        (work_folder(device) / "delta").write_bytes(b"EVIL" * 1000)
        assert_installs(device, bundle)


@test("a pull by delta that was killed anywhere is completed by the next one")
def _(tmp):
    lab = DeltaLab(tmp)
    bundle = lab.delta_bundle()
    calls = ("openat", "linkat", "renameat", "write", "mkdirat", "fsetxattr", "unlink", "syncfs")
    rounds = random.Random(1)
    for call in calls:
        for _ in range(3):
            with lab.device() as device:
                when = rounds.randrange(1, {"openat": 900, "write": 250}.get(call, 40))
                killed = run([strace(), "-f", "-o", "/dev/null", "-e", f"trace={call}",
                              "-e", f"inject={call}:signal=SIGKILL:when={when}",
                              tap.program("satchel-installer"), "pull", "-c", device.config,
                              "--src-dir", bundle],
                             env={"OSTREE_SYSROOT_DEBUG": "mutable-deployments"})
                assert killed.returncode in (0, -signal.SIGKILL, 128 + signal.SIGKILL), killed
                device.fsck()
                assert_installs(device, bundle)


def opened_superblock(tmp, device, bundle):
    """Runs a pull; gives the system calls that opened the delta on the medium."""
    log = tmp / "strace"
    run([strace(), "-f", "-e", "trace=openat", "-o", log, tap.program("satchel-installer"), "pull",
         "-c", device.config, "--src-dir", bundle],
        env={"OSTREE_SYSROOT_DEBUG": "mutable-deployments"}, check=True)
    return [line for line in log.read_text().splitlines() if '"superblock"' in line]


@test("the delta is read from the medium once, also when a pull is resumed")
def _(tmp):
    lab = DeltaLab(tmp)
    bundle = lab.delta_bundle()
    path, = deltas(bundle)
    with lab.device() as device:
        run([strace(), "-f", "-o", "/dev/null", "-e", "trace=linkat",
             "-e", "inject=linkat:signal=SIGKILL:when=2", tap.program("satchel-installer"), "pull",
             "-c", device.config, "--src-dir", bundle],
            env={"OSTREE_SYSROOT_DEBUG": "mutable-deployments"})
        assert (work_folder(device) / "delta").read_bytes() == path.read_bytes()
        assert not opened_superblock(tmp, device, bundle)
    with lab.device() as device:
        assert opened_superblock(tmp, device, bundle)


@test("what a delta has left outlives libostree's own clean-up, however old it is")
def _(tmp):
    lab = DeltaLab(tmp)
    bundle = lab.delta_bundle()
    with lab.device() as device:
        run([strace(), "-f", "-o", "/dev/null", "-e", "trace=linkat",
             "-e", "inject=linkat:signal=SIGKILL:when=2", tap.program("satchel-installer"), "pull",
             "-c", device.config, "--src-dir", bundle],
            env={"OSTREE_SYSROOT_DEBUG": "mutable-deployments"})
        os.utime(work_folder(device), (1, 1))
        sh("ostree", "commit", "--repo", device.repo, "--branch", "others", f"--tree=ref={lab.commits[1]}")
        assert not opened_superblock(tmp, device, bundle)
        assert not work_folder(device).exists()


for kind in ("with a delta", "without one"):
    @test(f"a pull {kind} removes the folder that deltas were applied in once")
    def _(tmp, kind=kind):
        lab = DeltaLab(tmp)
        bundle = lab.delta_bundle() if kind == "with a delta" else lab.bundle([2])
        with lab.device() as device:
            old = device.repo / "tmp/satchel-delta"
            old.mkdir()
            (old / "delta").write_bytes(b"x")
            device.expect(0, "pull", "--src-dir", bundle)
            assert not old.exists()


@test("a disk that is too full for the delta is 60 before anything is written")
def _(tmp):
    lab = DeltaLab(tmp)
    bundle = lab.delta_bundle()
    resign(lab, bundle, lambda signed: signed["x-satchel"]["deltas"][0]["unpacked"].update(
        bytes=1 << 60))
    with lab.device() as device:
        before = device.digest()
        result = device.expect(60, "pull", "--src-dir", bundle)
        assert "bytes are lacking" in result.stderr, result
        assert device.digest()[1] == before[1]
        assert not work_folder(device).exists()


@test("a thin bundle without deltas does away with what a delta has left")
def _(tmp):
    lab = DeltaLab(tmp)
    with lab.device() as device:
        work_folder(device).mkdir()
        (work_folder(device) / "delta").write_bytes(b"x")
        device.expect(0, "pull", "--src-dir", lab.bundle([2]))
        assert not work_folder(device).exists()


@test("a damaged source object of base or target stops the build")
def _(tmp):
    for version in (1, 2):
        lab = DeltaLab(tmp / str(version))
        checksum = next(word for word in sh("ostree", "ls", "--repo", lab.repo, "-C",
                                            lab.commits[version], "/usr/lib/blob").split()
                        if len(word) == 64)
        path = lab.repo / f"objects/{checksum[:2]}/{checksum[2:]}.filez"
        data = path.read_bytes()
        path.unlink()
        path.write_bytes(data[:5000] + bytes([data[5000] ^ 1]) + data[5001:])
        result = run(["satchel-bundler", "build", "--tuf", lab.tuf, "--ostree", lab.repo,
                      "--target", lab.names[2], "--tag", "devel", "--type", "ci", "--from",
                      lab.commits[1], "--delta", tmp / "out"])
        assert result.returncode == 50 and checksum[2:] in result.stderr, result
        assert not (tmp / "out").exists()


@test("a signal stops the build while a delta is made, and nothing is left")
def _(tmp):
    lab = DeltaLab(tmp)
    words = ["build", "--tuf", lab.tuf, "--ostree", lab.repo, "--target", lab.names[2], "--tag",
             "devel", "--type", "ci", "--from", lab.commits[1], "--delta", tmp / "out"]
    before = set(os.listdir(tmp))
    done = subprocess.run([strace(), "-f", "-o", "/dev/null", "-e", "trace=mkdirat", "-P",
                           "ostree_repo/deltas", "-e", "inject=mkdirat:signal=SIGTERM:when=1",
                           tap.program("satchel-bundler"), *words], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=dict(os.environ, **tap.TRACED))
    assert done.returncode == 1 and not (tmp / "out").exists(), done
    assert set(os.listdir(tmp)) == before


main()
