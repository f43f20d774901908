#!/usr/bin/python3
"""Where aktualizr-lite's documentation and code differ: what Satchel gives, case by case."""
import atexit
import functools
import json
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import Lab, canonical, load_key  # noqa: E402
from tap import main, run, test  # noqa: E402

BRING = ("check", "pull", "install", "update")


@functools.cache
def factory():
    folder = tempfile.mkdtemp(prefix="satchel-differences-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Lab(folder, releases=(1, 2))


def refused(sentence, status, part="", commands=BRING, **device_arguments):
    """The body gives a bundle, which these commands refuse with that status, changing nothing."""
    def add(body):
        @test(f"{sentence}: {status}")
        def _():
            source = body()
            with factory().device(**device_arguments) as device:
                before = device.digest()
                for command in commands:
                    result = device.expect(status, command, "--src-dir", source)
                    assert part in result.stderr.splitlines()[-1], result
                    assert device.digest() == before, result
        return body
    return add


def resign(role, change, signers=None):
    """A bundle whose role was changed, and signed again by @signers, by default its key."""
    lab = factory()
    folder = lab.odd_bundle([2])
    path = folder / f"tuf/{role}.json"
    document = json.loads(path.read_text())
    change(document["signed"])
    if signers is None:
        signers = [(lab.keyid(role), lab.key(role))]
    message = canonical(document["signed"])
    document["signatures"] = [lab.signature(keyid, key.sign(message)) for keyid, key in signers]
    path.write_bytes(canonical(document))
    return folder


@test("install without pull: 50")
def _():
    source = factory().odd_bundle([2])
    with factory().device() as device:
        device.expect(16, "check", "--src-dir", source)
        before = device.digest()
        result = device.expect(50, "install", "--src-dir", source)
        assert "pull" in result.stderr, result
        assert device.digest() == before


@test("rollback without a candidate: 21")
def _():
    with factory().device() as device:
        before = device.digest()
        device.expect(21, "rollback")
        assert device.digest() == before


@refused("a root that the trusted one did not sign", 11, "root")
def _():
    other = Lab(factory().new_folder("other"), releases=())
    run(["satchel-bundler", "repo", "rotate", "--role", "root", other.tuf], check=True)
    folder = factory().odd_bundle([2])
    shutil.copy(other.tuf / "metadata/2.root.json", folder / "tuf")
    return folder


@refused("a role signed by another key", 11, "targets")
def _():
    return resign("targets", lambda signed: None, [factory().stranger()])


@functools.cache
def careful_factory():
    """Its targets role, and with it a bundle, wants two signatures."""
    return Lab(factory().new_folder("careful"), releases=(1, 2),
               init=("--threshold=targets=2",))


@test("a role below its threshold: 11; bundle-targets.json below it: 15")
def _():
    lab = careful_factory()
    pairs = [(file.stem.split("-", 1)[1], load_key(file))
             for file in (lab.tuf / "keys").glob("targets-*.pem")]
    good, half = lab.odd_bundle([2], signers=pairs), lab.odd_bundle([2], signers=pairs[:1])
    below = lab.odd_bundle([2], signers=pairs)
    path = below / "tuf/targets.json"
    document = json.loads(path.read_text())
    assert len(document["signatures"]) == 2
    document["signatures"].pop()
    path.write_bytes(canonical(document))
    with lab.device() as device:
        before = device.digest()
        for command in BRING:
            for source, status, part in ((below, 11, "targets"), (half, 15, "1 of 2")):
                result = device.expect(status, command, "--src-dir", source)
                assert part in result.stderr.splitlines()[-1], result
        assert device.digest() == before
        device.expect(16, "check", "--src-dir", good)


@refused("a timestamp with a bad signature", 11, "timestamp")
def _():
    return resign("timestamp", lambda signed: None,
                  [(factory().keyid("timestamp"), factory().stranger()[1])])


@refused("bundle-targets.json that has expired", 12, "expired")
def _():
    return factory().odd_bundle([2], days=-1)


@refused("bundle-targets.json that is missing", 15, "bundle-targets.json")
def _():
    return factory().odd_bundle([2], meta=False)


@test("bundle-targets.json that is missing, and a setting allows it: 16")
def _():
    with factory().device(config="[satchel]\nrequire_bundle_metadata = false\n") as device:
        device.expect(16, "check", "--src-dir", factory().odd_bundle([2], meta=False))


@refused("one key's signature twice, on the bundle", 15, "bundle-targets.json")
def _():
    lab = factory()
    return lab.odd_bundle([2], signers=[(lab.keyid("targets"), lab.key("targets"))] * 2)


@refused("one key's signature twice, on a role", 11, "targets")
def _():
    lab = factory()
    return resign("targets", lambda signed: None, [(lab.keyid("targets"), lab.key("targets"))] * 2)


@test("bundle metadata tampered with between check and pull or install: 15")
def _():
    source = factory().odd_bundle([2])
    with factory().device() as device:
        device.expect(16, "check", "--src-dir", source)
        path = source / "tuf/bundle-targets.json"
        path.write_bytes(path.read_bytes().replace(b'"devel"', b'"other"'))
        before = device.digest()
        for command in ("pull", "install", "update"):
            device.expect(15, command, "--src-dir", source)
        assert device.digest() == before


@test("a target that the bundle does not list, asked for by name: 20")
def _():
    lab = factory()
    source = lab.odd_bundle([1, 2], listed=[lab.names[2]])
    with lab.device(version=2) as device:
        device.expect(0, "check", "--src-dir", source)
        before = device.digest()
        device.expect(20, "pull", "1", "--src-dir", source)
        device.expect(20, "update", lab.names[1], "--src-dir", source)
        assert device.digest() == before


@refused("no trusted root on the device", 14, "trusted root", trusted=False)
def _():
    return factory().odd_bundle([2])


@test("no trusted root on the device, and a setting allows the first: 16")
def _():
    with factory().device(trusted=False,
                          config="[satchel]\ntrust_on_first_use = true\n") as device:
        device.expect(16, "check", "--src-dir", factory().odd_bundle([2]))


@refused("ostree_repo that is missing", 8, "ostree_repo")
def _():
    source = factory().odd_bundle([2])
    shutil.rmtree(source / "ostree_repo")
    return source


@refused("ostree_repo that is no repository", 8)
def _():
    source = factory().odd_bundle([2])
    shutil.rmtree(source / "ostree_repo")
    (source / "ostree_repo").mkdir()
    return source


@test("an object altered on the medium: 50, and nothing of it in the repository")
def _():
    source = factory().odd_bundle([2])
    with factory().device() as device:
        bad = [path for path in (source / "ostree_repo/objects").rglob("*.filez")
               if not (device.repo / path.relative_to(source / "ostree_repo")
                       .with_suffix(".file")).exists()]
        for path in bad:
            data = bytearray(path.read_bytes())
            data[-1] ^= 1
            path.unlink()  # a hard link to the factory's own
            path.write_bytes(data)
        assert bad
        device.expect(50, "pull", "--src-dir", source)
        for path in bad:
            name = path.relative_to(source / "ostree_repo").with_suffix(".file")
            assert not (device.repo / name).exists(), name
        assert not device.has_commit(2)
        device.fsck()


@refused("a malformed date of a role", 11, "timestamp")
def _():
    return resign("timestamp", lambda signed: signed.update(expires="2090-13-01T00:00:00Z"))


@refused("a malformed date of the bundle", 15, "bundle-targets.json")
def _():
    lab = factory()
    folder = lab.odd_bundle([2])
    path = folder / "tuf/bundle-targets.json"
    signed = json.loads(path.read_text())["signed"]
    signed["expires"] = "2090-13-01T00:00:00Z"
    signature = lab.signature(lab.keyid("targets"), lab.key("targets").sign(canonical(signed)))
    path.write_bytes(canonical({"signatures": [signature], "signed": signed}))
    return folder


@test("stored metadata that have expired: 12")
def _():
    lab = Lab(factory().new_folder("stored"), releases=(1, 2))
    old = lab.odd_bundle([2])
    lab.release(3, hardware="other")
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", lab.odd_bundle([2]))
        (device.storage / "satchel/tuf/time-floor").write_text("2099-01-01T00:00:00Z\n")
        before = device.digest()
        # A bundle that is older leaves the stored ones to judge by.
        for words in (["list"], ["install"], ["list", "--src-dir", old],
                      ["install", "--src-dir", old], ["pull", "--src-dir", old]):
            result = device.expect(12, *words)
            assert "expired" in result.stderr.splitlines()[-1], result
        assert device.digest() == before


@test("pull before any check checks the bundle then and there: 0 or check's own status")
def _():
    with factory().device() as device:
        device.expect(15, "pull", "--src-dir", factory().odd_bundle([2], tag="stable"))
        device.expect(0, "pull", "--src-dir", factory().odd_bundle([2]))


@test("an older bundle is judged by stored metadata, and by its own signature and expiry: 16, 12")
def _():
    lab = Lab(factory().new_folder("older"), releases=(1, 2))
    old, ended = lab.odd_bundle([2]), lab.odd_bundle([2], days=-1)
    lab.release(3, hardware="other")
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", lab.odd_bundle([2]))
        device.expect(16, "check", "--src-dir", old)
        device.expect(12, "check", "--src-dir", ended)


@test("enough good signatures and a stranger's: accepted")
def _():
    lab = factory()
    good = (lab.keyid("targets"), lab.key("targets"))
    with lab.device() as device:
        device.expect(16, "check", "--src-dir",
                      lab.odd_bundle([2], signers=[lab.stranger(), good]))


@test("the same versions with other content, validly signed: the stored metadata are kept")
def _():
    with factory().device() as device:
        device.expect(16, "check", "--src-dir", factory().odd_bundle([2]))
        path = device.storage / "satchel/tuf/timestamp.json"
        stored = path.read_bytes()
        device.expect(16, "check", "--src-dir",
                      resign("timestamp", lambda signed: signed.update(
                          expires="2060-01-01T00:00:00Z")))
        assert path.read_bytes() == stored


main()
