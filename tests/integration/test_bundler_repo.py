#!/usr/bin/python3
"""satchel-bundler repo: authoring TUF repositories in both dialects."""
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import stat
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from aktualizr_model import Device, canonical, verify_signature  # noqa: E402
from bundle_maker import (HARDWARE_ID, NAME, NOW, NOW_S, TAG, add, bundler, contents,  # noqa: E402
                          init, keys_of, leftovers, publish, rsa_repo)
import schemas  # noqa: E402
from tap import main, program, run, skip, test  # noqa: E402

from cryptography.hazmat.primitives import serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: E402

COMMIT = "ab" * 32
ROLE_SCHEMAS = {"uptane": "role-uptane.schema.json", "tuf": "role-tuf.schema.json"}
ROLES = ("root", "targets", "snapshot", "timestamp")
APP = "hub.example.org/factory/app@sha256:" + "c" * 64


def role(repo, name):
    return json.loads((repo / "metadata" / f"{name}.json").read_text())


def newest_root(repo):
    numbers = [int(path.name.split(".")[0]) for path in (repo / "metadata").glob("*.root.json")]
    return role(repo, f"{max(numbers)}.root")


def good_keyids(document, root, name):
    """Of the role's keys, those that signed, by the uptane dialect's rules."""
    listed = root["signed"]["roles"][name]["keyids"]
    message = canonical(document["signed"]).encode()
    return {s["keyid"] for s in document["signatures"] if s["keyid"] in listed
            and verify_signature(root["signed"]["keys"][s["keyid"]], message, s["sig"])}


def assert_consistent(repo):
    """Every role is signed to its threshold, and lists what is there."""
    root = newest_root(repo)
    for name in ROLES:
        document = root if name == "root" else role(repo, name)
        assert len(good_keyids(document, root, name)) >= \
            root["signed"]["roles"][name]["threshold"], name
    for lister, listed in (("timestamp", "snapshot"), ("snapshot", "targets")):
        entry = role(repo, lister)["signed"]["meta"][f"{listed}.json"]
        file = (repo / "metadata" / f"{listed}.json").read_bytes()
        assert entry["length"] == len(file)
        assert entry["hashes"]["sha256"] == hashlib.sha256(file).hexdigest()
        assert entry["version"] == role(repo, listed)["signed"]["version"]


@test("init makes a complete repository that is valid at once")
def _(tmp):
    repo = init(tmp / "repo")
    assert sorted(os.listdir(repo / "metadata")) == \
        ["1.root.json", "snapshot.json", "targets.json", "timestamp.json"]
    assert_consistent(repo)
    assert role(repo, "targets")["signed"]["targets"] == {}
    assert os.listdir(tmp) == ["repo"]


@test("documents and settings of both dialects follow their schemas")
def _(tmp):
    for dialect, key_type in (("uptane", "ed25519"), ("tuf", "ed25519"), ("tuf", "ecdsa")):
        repo = init(tmp / f"{dialect}-{key_type}", "--dialect", dialect, "--key-type", key_type)
        add(repo, COMMIT, "--app", f"app={APP}", "--lowest-version", "1", check=True)
        publish(repo, check=True)
        for path in (repo / "metadata").iterdir():
            schemas.check(path.read_bytes(), ROLE_SCHEMAS[dialect])
        schemas.check((repo / "repo.json").read_bytes(), "repo-settings.schema.json")


@test("files are canonical bytes without a trailing newline")
def _(tmp):
    repo = rsa_repo(tmp / "repo")
    for path in (repo / "metadata").iterdir():
        text = path.read_text()
        assert canonical(json.loads(text)) == text, path


@test("private keys are PKCS#8 files of mode 0600 in a folder of mode 0700")
def _(tmp):
    repo = init(tmp / "repo")
    assert stat.S_IMODE((repo / "keys").stat().st_mode) == 0o700
    assert len(list((repo / "keys").iterdir())) == 4
    for path in (repo / "keys").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----\n")


@test("keyids are those of fioctl in the uptane dialect and those of TUF in the other")
def _(tmp):
    for key_type, kind in (("ed25519", ed25519.Ed25519PrivateKey), ("rsa", rsa.RSAPrivateKey)):
        repo = rsa_repo(tmp / "rsa") if key_type == "rsa" else init(tmp / key_type)
        for path in (repo / "keys").iterdir():
            key = serialization.load_pem_private_key(path.read_bytes(), None)
            assert isinstance(key, kind)
            der = key.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
            assert path.stem.split("-")[1] == hashlib.sha256(der).hexdigest()
            if key_type == "rsa":
                assert key.key_size == 4096
    repo = init(tmp / "tuf", "--dialect", "tuf", "--key-type", "ecdsa")
    keys = newest_root(repo)["signed"]["keys"]
    for path in (repo / "keys").iterdir():
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1"
        keyid = path.stem.split("-")[1]
        # OLPC canonical JSON: of these strings only the PEM's newlines are special, and raw.
        text = json.dumps(keys[keyid], sort_keys=True, separators=(",", ":")).replace("\\n", "\n")
        assert keyid == hashlib.sha256(text.encode()).hexdigest()


@test("ecdsa keys are refused in the uptane dialect")
def _(tmp):
    result = bundler("repo", "init", tmp / "repo", "--key-type", "ecdsa")
    assert result.returncode == 1 and "uptane" in result.stderr, result
    assert os.listdir(tmp) == []


@test("init refuses a folder that is not empty and leaves it alone")
def _(tmp):
    repo = init(tmp / "repo")
    before = contents(tmp)
    result = bundler("repo", "init", repo)
    assert result.returncode == 1 and "not empty" in result.stderr, result
    assert contents(tmp) == before


@test("wrong settings are refused before anything is made")
def _(tmp):
    for words in (["--expires", "root"], ["--expires", "mirror=3"], ["--expires", "root=0"],
                  ["--expires", "root=-1"], ["--expires", "root= 3"], ["--expires", "root=36526"],
                  ["--threshold", "targets=0"], ["--threshold", "targets=17"],
                  ["--dialect", "TUF"], ["--key-type", "dsa"], ["--unknown"]):
        result = bundler("repo", "init", tmp / "repo", *words)
        assert result.returncode == 1, result
        assert os.listdir(tmp) == [], words


@test("expiries are as asked for and stay so when roles are signed again")
def _(tmp):
    repo = init(tmp / "repo", "--expires", "timestamp=7", "--expires", "root=1000")
    assert role(repo, "timestamp")["signed"]["expires"] == "2090-01-08T00:00:00Z"
    assert role(repo, "1.root")["signed"]["expires"] == "2092-09-27T00:00:00Z"
    publish(repo, now_s=NOW_S + 86400, check=True)
    assert role(repo, "timestamp")["signed"]["expires"] == "2090-01-09T00:00:00Z"


@test("a threshold makes that many keys and all of them sign")
def _(tmp):
    repo = init(tmp / "repo", "--threshold", "targets=2", "--threshold", "root=3")
    root = newest_root(repo)
    assert root["signed"]["roles"]["targets"]["threshold"] == 2
    assert len(keys_of(repo)) == 2 and len(keys_of(repo, "root")) == 3
    assert len(good_keyids(root, root, "root")) == 3
    assert_consistent(repo)


@test("add writes a target in the form of Foundries.io")
def _(tmp):
    repo = init(tmp / "repo")
    (tmp / "custom.json").write_text('{"lmp-ver": "94", "list": [1, {"a": true}]}')
    add(repo, COMMIT, "--tag", "second", "--app", f"app={APP}", "--custom", tmp / "custom.json",
        "--lowest-version", "7", version=7, check=True)
    targets = role(repo, "targets")["signed"]
    assert targets["version"] == 2
    assert targets["targets"] == {f"{NAME}-7": {
        "length": 0, "hashes": {"sha256": COMMIT}, "custom": {
            "name": NAME, "version": "7", "hardwareIds": [HARDWARE_ID], "tags": [TAG, "second"],
            "targetFormat": "OSTREE", "docker_compose_apps": {"app": {"uri": APP}},
            "createdAt": NOW, "updatedAt": NOW, "lmp-ver": "94", "list": [1, {"a": True}],
            "x-satchel": {"lowest-version": 7}}}}


@test("publish lists what was added, with the next versions")
def _(tmp):
    repo = init(tmp / "repo")
    add(repo, COMMIT, check=True)
    add(repo, COMMIT, version=2, check=True)
    publish(repo, check=True)
    assert_consistent(repo)
    assert role(repo, "targets")["signed"]["version"] == 3
    assert role(repo, "snapshot")["signed"]["version"] == 2
    assert role(repo, "timestamp")["signed"]["version"] == 2
    assert sorted(role(repo, "targets")["signed"]["targets"]) == [f"{NAME}-1", f"{NAME}-2"]


@test("publish works without the targets key and leaves targets alone")
def _(tmp):
    repo = init(tmp / "repo")
    before = (repo / "metadata/targets.json").read_bytes()
    keys_of(repo)[0].unlink()
    publish(repo, check=True)
    assert (repo / "metadata/targets.json").read_bytes() == before
    assert_consistent(repo)


@test("publish signs targets again once they have expired")
def _(tmp):
    repo = init(tmp / "repo", "--expires", "targets=1")
    publish(repo, now_s=NOW_S + 2 * 86400, check=True)
    assert role(repo, "targets")["signed"]["version"] == 2
    assert role(repo, "targets")["signed"]["expires"] == "2090-01-04T00:00:00Z"
    assert_consistent(repo)


def assert_add_refused(tmp, words, part):
    repo = init(tmp / "repo")
    add(repo, COMMIT, check=True)
    before = contents(tmp)
    result = bundler("repo", "add", repo, *words)
    assert result.returncode == 1 and part in result.stderr, result
    assert result.stderr.count("\n") == 1, result
    assert contents(tmp) == before


def words_for(**changes):
    values = {"name": NAME, "version": "2", "hardware-id": HARDWARE_ID, "tag": TAG,
              "commit": COMMIT, **changes}
    return [word for name, value in values.items() if value is not None
            for word in (f"--{name}", value)]


for sentence, changes, part in (
        ("a target name that is there already", {"version": "1"}, "already"),
        ("a commit that is too short", {"commit": "ab"}, "64"),
        ("a commit in upper case", {"commit": "AB" * 32}, "64"),
        ("no commit", {"commit": None}, "--commit"),
        ("version 0", {"version": "0"}, "--version"),
        ("a version that is no number", {"version": "1a"}, "--version"),
        ("a negative version", {"version": "-1"}, "--version"),
        ("a name that is not ASCII", {"name": "int\u00e9l"}, "printable ASCII"),
        ("a name with a slash", {"name": "a/b"}, "--name"),
        ("a name that starts with a dot", {"name": ".."}, "--name"),
        ("a hardware id with a blank", {"hardware-id": "a b"}, "--hardware-id"),
        ("a tag with a comma", {"tag": "a,b"}, "--tag"),
        ("no tag", {"tag": None}, "--tag"),
        ("a floor of 0", {"lowest-version": "0"}, "--lowest-version"),
        ("a floor above itself", {"lowest-version": "3"}, "--lowest-version"),
        ("an app without a name", {"app": APP}, "--app"),
        ("an app without a digest", {"app": "a=hub.example.org/factory/app:latest"}, "--app"),
        ("an app with a digest in upper case", {"app": "a=h.io/f/a@sha256:" + "C" * 64}, "--app"),
        ("an app whose factory is two folders", {"app": "a=h.io/f/g/a@sha256:" + "c" * 64},
         "--app"),
        ("an app without a host", {"app": "a=f/a@sha256:" + "c" * 64}, "--app")):
    @test(f"add refuses {sentence} and changes nothing")
    def _(tmp, changes=changes, part=part):
        assert_add_refused(tmp, words_for(**changes), part)


for sentence, text, part in (
        ("that is no object", "[1]", "object"),
        ("with a member that the options set", '{"hardwareIds": ["other"]}', "hardwareIds"),
        ("with a member of Satchel's", '{"x-satchel": {}}', "x-satchel"),
        ("with apps of its own", '{"docker_compose_apps": {}}', "docker_compose_apps"),
        ("with text that is not ASCII", '{"note": {"who": "Zo\u00eb"}}', "custom.note.who"),
        ("with a member name that is not ASCII", '{"note": {"\u00e9": 1}}', "custom.note"),
        ("with a newline", '{"note": "a\\nb"}', "custom.note"),
        ("with a float", '{"note": 1.5}', "custom.json"),
        ("that is no JSON", '{"note": ', "custom.json")):
    @test(f"add refuses custom members {sentence}")
    def _(tmp, text=text, part=part):
        (tmp / "custom.json").write_text(text)
        assert_add_refused(tmp, words_for(custom=str(tmp / "custom.json")), part)


@test("two apps of one name are refused")
def _(tmp):
    assert_add_refused(tmp, words_for() + ["--app", f"a={APP}", "--app", f"a={APP}"], "twice")


for name in ROLES:
    @test(f"rotating {name} gives it a new key by a root that old and new keys sign")
    def _(tmp, name=name):
        repo = init(tmp / "repo")
        add(repo, COMMIT, check=True)
        publish(repo, check=True)
        old = newest_root(repo)
        bundler("repo", "rotate", repo, "--role", name, check=True)
        new = newest_root(repo)
        assert new["signed"]["version"] == 2
        for other in ROLES:
            same = old["signed"]["roles"][other] == new["signed"]["roles"][other]
            assert same == (other != name), other
        assert good_keyids(new, old, "root") and good_keyids(new, new, "root")
        assert len(new["signed"]["keys"]) == 4
        assert len(keys_of(repo, name)) == 2
        assert_consistent(repo)


@test("a chain of rotations is followed by a device that knows root 1 only")
def _(tmp):
    repo = init(tmp / "repo", "--threshold", "targets=2")
    add(repo, COMMIT, check=True)
    publish(repo, check=True)
    for name in ("root", "targets", "root", "timestamp", "snapshot", "root"):
        bundler("repo", "rotate", repo, "--role", name, check=True)
    assert newest_root(repo)["signed"]["version"] == 7
    objects = tmp / "bundle/ostree_repo/objects/ab"
    objects.mkdir(parents=True)
    (objects / f"{'ab' * 31}.commit").write_bytes(b"")
    (tmp / "bundle/tuf").symlink_to(repo / "metadata")
    device = Device(NOW, HARDWARE_ID, [TAG], roots=[role(repo, "1.root")])
    assert device.check(tmp / "bundle") == [f"{NAME}-1"]


@test("rotating root needs the old root key")
def _(tmp):
    repo = init(tmp / "repo")
    keys_of(repo, "root")[0].unlink()
    before = contents(repo / "metadata")
    result = bundler("repo", "rotate", repo, "--role", "root")
    assert result.returncode == 1 and "keys" in result.stderr, result
    assert contents(repo / "metadata") == before


@test("a rotation that was killed behind its root is completed by publish")
def _(tmp):
    repo = init(tmp / "repo")
    add(repo, COMMIT, check=True)
    publish(repo, check=True)
    kept = {name: (repo / f"metadata/{name}.json").read_bytes() for name in ROLES[1:]}
    bundler("repo", "rotate", repo, "--role", "targets", check=True)
    for name, content in kept.items():  # as it was when only the root had been written
        (repo / f"metadata/{name}.json").write_bytes(content)
    publish(repo, check=True)
    assert_consistent(repo)
    assert role(repo, "targets")["signed"]["version"] == 3


@test("a private key is never overwritten")
def _(tmp):
    repo = init(tmp / "repo")
    before = {path: path.read_bytes() for path in (repo / "keys").iterdir()}
    for name in ROLES:
        bundler("repo", "rotate", repo, "--role", name, check=True)
    assert all(path.read_bytes() == content for path, content in before.items())
    assert len(list((repo / "keys").iterdir())) == 8


@test("a key file that holds another key is refused")
def _(tmp):
    repo = init(tmp / "repo")
    keys_of(repo, "snapshot")[0].write_bytes(keys_of(repo, "timestamp")[0].read_bytes())
    result = publish(repo)
    assert result.returncode == 1 and "holds another key" in result.stderr, result


@test("an author who finds the repository in use says so and changes nothing")
def _(tmp):
    repo = init(tmp / "repo")
    before = contents(repo)
    holder = os.open(repo, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    try:
        for words in (("publish", repo), ("rotate", repo, "--role", "root")):
            result = bundler("repo", *words)
            assert result.returncode == 1 and "another" in result.stderr, result
    finally:
        os.close(holder)
    assert contents(repo) == before


@test("a folder that is no repository is refused with status 14")
def _(tmp):
    assert publish(tmp / "absent").returncode == 14
    (tmp / "empty").mkdir()
    assert publish(tmp / "empty").returncode == 14


@test("a repository whose newest root was altered is refused with status 11")
def _(tmp):
    repo = init(tmp / "repo")
    path = repo / "metadata/1.root.json"
    path.write_text(path.read_text().replace('"version":1', '"version":2'))
    assert publish(repo).returncode == 11


@test("the same command at the same time with the same keys writes the same bytes")
def _(tmp):
    for key_type, dialect in (("ed25519", "uptane"), ("rsa", "uptane"), ("ecdsa", "tuf")):
        one = rsa_repo(tmp / "rsa-1") if key_type == "rsa" else \
            init(tmp / f"{key_type}-1", "--key-type", key_type, "--dialect", dialect)
        two = pathlib.Path(shutil.copytree(one, tmp / f"{key_type}-2"))
        for repo in (one, two):
            add(repo, COMMIT, check=True)
            publish(repo, check=True)
        assert contents(one) == contents(two), key_type


@test("no root rights are needed")
def _(tmp):
    if os.getuid() != 0:
        skip("this is no test for root: every other test shows it already")
    os.chmod(tmp, 0o777)
    run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program("satchel-bundler"),
         "repo", "init", tmp / "repo"], check=True)
    assert (tmp / "repo/repo.json").stat().st_uid != 0


@test("--quiet says nothing when all is well")
def _(tmp):
    result = bundler("repo", "init", "--quiet", tmp / "repo")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", ""), result
    assert not leftovers(tmp)


main()
