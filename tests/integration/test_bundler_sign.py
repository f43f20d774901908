#!/usr/bin/python3
"""satchel-bundler sign: several people at different times, with PEM files and key archives."""
import fcntl
import io
import json
import os
import pathlib
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from aktualizr_model import Device, Refused  # noqa: E402
from bundle_maker import (HARDWARE_ID, NAME, NOW, TAG, World, add, build, bundler,  # noqa: E402
                          commit, contents, init, keys_of, make_tree, publish, rsa_repo)
import schemas  # noqa: E402
from tap import main, run, test  # noqa: E402

from cryptography.hazmat.primitives import serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: E402


def document(bundle):
    return json.loads((bundle / "tuf/bundle-targets.json").read_text())


def signers(bundle):
    return [signature["keyid"] for signature in document(bundle)["signatures"]]


def keyid(key):
    return key.stem.split("-")[1]


def sign(bundle, *keys):
    return bundler("sign", *(word for key in keys for word in ("--key", key)), bundle)


def missing(bundle):
    shown = json.loads(run(["satchel-bundler", "show", "--json", bundle], check=True).stdout)
    return shown["signatures"]["missing"]


def check_refused(bundle, status, part, *keys):
    before = contents(bundle)
    result = sign(bundle, *keys)
    assert result.returncode == status and part in result.stderr, result
    assert result.stderr.count("\n") == 1, result
    assert contents(bundle) == before


def device(bundle):
    root = json.loads((bundle / "tuf/1.root.json").read_text())
    return Device(NOW, HARDWARE_ID, [TAG], "ci", [root])


def status_on_device(bundle):
    try:
        device(bundle).check(bundle)
    except Refused as refused:
        return refused.status
    return 0


@test("two people sign one after the other, and only then is the bundle accepted")
def _(tmp):
    world = World(tmp, "--threshold", "targets=2")
    one, two = keys_of(world.repo)
    result = world.build(keys=[], check=True)
    bundle = tmp / "bundle"
    assert "2 more" in result.stderr and signers(bundle) == [], result
    schemas.check((bundle / "tuf/bundle-targets.json").read_bytes(), "bundle-meta.schema.json")
    assert missing(bundle) == 2 and status_on_device(bundle) == 15
    assert "1 more" in sign(bundle, one).stderr
    assert missing(bundle) == 1 and status_on_device(bundle) == 15
    assert "no more signatures" in sign(bundle, two).stderr
    assert missing(bundle) == 0 and status_on_device(bundle) == 0
    assert signers(bundle) == [keyid(one), keyid(two)]
    words = ["satchel-verify", "--root", world.repo / "metadata/1.root.json", "--at", NOW, bundle]
    assert run(words).returncode == 0


@test("signing later gives the same bytes as signing when it is built")
def _(tmp):
    world = World(tmp, "--threshold", "targets=2")
    keys = keys_of(world.repo)
    world.build("at-once", keys=keys, check=True)
    world.build("later", keys=[], check=True)
    for key in keys:
        assert sign(tmp / "later", key).returncode == 0
    world.build("half", keys=keys[:1], check=True)
    assert sign(tmp / "half", keys[1]).returncode == 0
    assert contents(tmp / "at-once") == contents(tmp / "later") == contents(tmp / "half")


@test("several keys sign in one go")
def _(tmp):
    world = World(tmp, "--threshold", "targets=3")
    world.build(keys=[], check=True)
    assert sign(tmp / "bundle", *keys_of(world.repo)).returncode == 0
    assert missing(tmp / "bundle") == 0


@test("signing changes nothing but the signatures")
def _(tmp):
    world = World(tmp)
    world.build(keys=[], check=True)
    before = contents(tmp / "bundle")
    signed = document(tmp / "bundle")["signed"]
    assert sign(tmp / "bundle", *keys_of(world.repo)).returncode == 0
    after = contents(tmp / "bundle")
    assert document(tmp / "bundle")["signed"] == signed
    for all_ in (before, after):
        del all_["tuf/bundle-targets.json"]
    assert before == after


@test("a key that has signed is refused, and nothing changes")
def _(tmp):
    world = World(tmp, "--threshold", "targets=2")
    one, two = keys_of(world.repo)
    world.build(keys=[one], check=True)
    check_refused(tmp / "bundle", 1, "already", one)
    check_refused(tmp / "bundle", 1, "already", two, one)
    check_refused(tmp / "bundle", 1, "twice", two, two)


@test("a key that is not a targets key is refused")
def _(tmp):
    world = World(tmp)
    world.build(keys=[], check=True)
    check_refused(tmp / "bundle", 1, "targets role", *keys_of(world.repo, "root"))
    other = init(tmp / "other")
    check_refused(tmp / "bundle", 1, "targets role", *keys_of(other))


@test("a key of an older root is refused")
def _(tmp):
    world = World(tmp)
    old = keys_of(world.repo)
    bundler("repo", "rotate", world.repo, "--role", "targets", check=True)
    new = [key for key in keys_of(world.repo) if key not in old]
    world.build(keys=[], check=True)
    check_refused(tmp / "bundle", 1, "targets role (root 2)", *old)
    assert sign(tmp / "bundle", *new).returncode == 0
    assert status_on_device(tmp / "bundle") == 0


@test("a wrong signature under the signer's keyid is replaced")
def _(tmp):
    world = World(tmp)
    world.build(check=True)
    path = tmp / "bundle/tuf/bundle-targets.json"
    good = path.read_text()
    changed = document(tmp / "bundle")
    changed["signatures"][0]["sig"] = "A" * 86 + "=="
    path.write_text(json.dumps(changed))
    assert missing(tmp / "bundle") == 1
    assert sign(tmp / "bundle", *keys_of(world.repo)).returncode == 0
    assert path.read_text() == good


@test("text that is not printable ASCII is not signed")
def _(tmp):
    world = World(tmp)
    world.build(keys=[], check=True)
    path = tmp / "bundle/tuf/bundle-targets.json"
    changed = document(tmp / "bundle")
    changed["signed"]["x-fio-offline-bundle"]["tag"] = "caf\u00e9"
    path.write_text(json.dumps(changed))
    check_refused(tmp / "bundle", 1, "x-fio-offline-bundle.tag", *keys_of(world.repo))


@test("broken metadata is refused with the status of its kind")
def _(tmp):
    world = World(tmp)
    world.build(keys=[], check=True)
    bundle, keys = tmp / "bundle", keys_of(world.repo)
    path = bundle / "tuf/bundle-targets.json"
    good = path.read_bytes()
    for content in (b"", b"{}", b"[]", good[:-1], good + b"x", good.replace(b'"ci"', b'"dev"')):
        path.write_bytes(content)
        check_refused(bundle, 15, "bundle-targets.json", *keys)
    path.unlink()
    check_refused(bundle, 14, "bundle-targets.json", *keys)
    path.write_bytes(good)
    (bundle / "tuf/1.root.json").write_text("{}")
    check_refused(bundle, 11, "1.root.json", *keys)
    (bundle / "tuf/1.root.json").unlink()
    check_refused(bundle, 14, "root.json", *keys)
    assert sign(tmp / "absent", *keys).returncode == 14


@test("a bundle that somebody else is signing is left alone")
def _(tmp):
    world = World(tmp)
    world.build(keys=[], check=True)
    holder = os.open(tmp / "bundle/tuf", os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    try:
        check_refused(tmp / "bundle", 1, "another", *keys_of(world.repo))
    finally:
        os.close(holder)


# ---- fioctl's key archives ----

def fioctl_pair(pem):
    """A key as fioctl stores it: the texts of its .pub and its .sec."""
    key = serialization.load_pem_private_key(pem, None)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        kind = "ED25519"
        private = key.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw,
                                    serialization.NoEncryption()).hex()
        public = key.public_key().public_bytes(serialization.Encoding.Raw,
                                               serialization.PublicFormat.Raw).hex()
    else:
        kind = "RSA"
        private = key.private_bytes(serialization.Encoding.PEM,
                                    serialization.PrivateFormat.TraditionalOpenSSL,
                                    serialization.NoEncryption()).decode()
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    return tuple(json.dumps({"keytype": kind, "keyval": {half: value}}).encode()
                 for half, value in (("public", public), ("private", private)))


def archive(path, members):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def members_of(role, key):
    stem = f"tufrepo/keys/fioctl-{role}-{keyid(key)}"
    public, private = fioctl_pair(key.read_bytes())
    return {f"{stem}.pub": public, f"{stem}.sec": private}


@test("a fioctl key archive signs as the PEM does, for both types of key")
def _(tmp):
    ostree = tmp / "ostree"
    commit_id = commit(ostree, make_tree(tmp / "tree"))
    for name, repo in (("ed25519", init(tmp / "repo")), ("rsa", rsa_repo(tmp / "rsa"))):
        add(repo, commit_id, check=True)
        publish(repo, check=True)
        members = {"tufrepo/readme": b"not a key"}
        for role in ("root", "targets"):
            members.update(members_of(role, keys_of(repo, role)[0]))
        keys = archive(tmp / f"{name}.tgz", members)
        build(tmp / f"{name}-pem", repo, ostree, check=True)
        build(tmp / f"{name}-tgz", repo, ostree, keys=[keys], check=True)
        assert contents(tmp / f"{name}-pem") == contents(tmp / f"{name}-tgz")
        build(tmp / f"{name}-late", repo, ostree, keys=[], check=True)
        assert sign(tmp / f"{name}-late", keys).returncode == 0
        assert contents(tmp / f"{name}-pem") == contents(tmp / f"{name}-late")
        assert status_on_device(tmp / f"{name}-late") == 0


@test("an ed25519 key in fioctl's long form signs too")
def _(tmp):
    world = World(tmp)
    members = members_of("targets", keys_of(world.repo)[0])
    for name in members:
        key = json.loads(members[name])
        if name.endswith(".sec"):
            public = json.loads(members[name[:-3] + "pub"])["keyval"]["public"]
            key["keyval"]["private"] += public
            members[name] = json.dumps(key).encode()
    world.build(keys=[archive(tmp / "keys.tgz", members)], check=True)
    assert status_on_device(tmp / "bundle") == 0


def check_archive_refused(tmp, world, part, members):
    if not (tmp / "bundle").exists():
        world.build(keys=[], check=True)
    path = tmp / "keys.tgz"
    if isinstance(members, bytes):
        path.write_bytes(members)
    else:
        archive(path, members)
    check_refused(tmp / "bundle", 1, part, path)


@test("archives that hold no targets key, several, or a broken one are refused")
def _(tmp):
    world = World(tmp, "--threshold", "targets=2")
    one, two = keys_of(world.repo)
    root = keys_of(world.repo, "root")[0]
    good = members_of("targets", one)
    sec = next(name for name in good if name.endswith(".sec"))
    check_archive_refused(tmp, world, "no key of the targets", members_of("root", root))
    check_archive_refused(tmp, world, "several keys", {**good, **members_of("targets", two)})
    check_archive_refused(tmp, world, "no private key", {"a.pub": good[sec[:-3] + "pub"]})
    check_archive_refused(tmp, world, "no private key", {})
    check_archive_refused(tmp, world, "another key's",
                          {sec: good[sec], sec[:-3] + "pub":
                           members_of("targets", two)[f"tufrepo/keys/fioctl-targets-{keyid(two)}"
                                                      ".pub"]})
    check_archive_refused(tmp, world, "32 bytes", {
        "a.sec": b'{"keytype":"ED25519","keyval":{"private":"abcd"}}'})
    check_archive_refused(tmp, world, "keyval", {"a.sec": b'{"keytype":"ED25519"}'})
    check_archive_refused(tmp, world, "ED25519 nor", {
        "a.sec": b'{"keytype":"ECDSA","keyval":{"private":"abcd"}}'})
    check_archive_refused(tmp, world, "longer than", {"a.sec": b" " * 70000})
    check_archive_refused(tmp, world, "key archive", b"\x1f\x8bjunk")
    whole = archive(tmp / "whole.tgz", good).read_bytes()
    check_archive_refused(tmp, world, "key archive", whole[:len(whole) // 2])


main()
