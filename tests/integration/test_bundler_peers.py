#!/usr/bin/python3
"""What satchel-bundler writes in the tuf dialect, read by Debian's python3-securesystemslib."""
import hashlib
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from bundle_maker import add, build, bundler, commit, init, keys_of, make_tree, publish  # noqa: E402
from bundle_maker import rsa_repo  # noqa: E402
import schemas  # noqa: E402
from tap import main, test  # noqa: E402

from securesystemslib.formats import encode_canonical  # noqa: E402
from securesystemslib.keys import verify_signature  # noqa: E402

ROLES = ("root", "targets", "snapshot", "timestamp")


def good_signatures(document, root, role):
    """Distinct keys of the role whose signature securesystemslib finds good."""
    good = set()
    data = encode_canonical(document["signed"]).encode()
    for signature in document["signatures"]:
        keyid = signature["keyid"]
        key = root["signed"]["keys"].get(keyid)
        if key is None or keyid not in root["signed"]["roles"][role]["keyids"]:
            continue
        if verify_signature({**key, "keyid": keyid}, signature, data):
            good.add(keyid)
    return good


def check_repository(metadata, n_roots):
    roots = [json.loads((metadata / f"{n}.root.json").read_text()) for n in range(1, n_roots + 1)]
    for older, newer in zip(roots, roots[1:] + roots[-1:]):
        for judge in (older, newer):
            need = judge["signed"]["roles"]["root"]["threshold"]
            assert len(good_signatures(newer, judge, "root")) >= need
    root = roots[-1]
    for keyid, key in root["signed"]["keys"].items():
        assert keyid == hashlib.sha256(encode_canonical(key).encode()).hexdigest()
    for role in ROLES[1:]:
        text = (metadata / f"{role}.json").read_bytes()
        document = schemas.check(text, "role-tuf.schema.json")
        need = root["signed"]["roles"][role]["threshold"]
        assert len(good_signatures(document, root, role)) >= need, role
        document["signed"]["version"] += 1
        assert not good_signatures(document, root, role), "what was altered was taken for good"


def author(repo, ostree, commit_id, bundle):
    add(repo, commit_id, check=True)
    publish(repo, check=True)
    for role in ("targets", "timestamp"):
        bundler("repo", "rotate", repo, "--role", role, check=True)
    check_repository(repo / "metadata", 3)
    newest = (repo / "metadata/3.root.json").read_text()
    keys = [key for key in keys_of(repo) if key.stem.split("-")[1] in newest]
    build(bundle, repo, ostree, keys=keys, check=True)
    root = json.loads((bundle / "tuf/3.root.json").read_text())
    meta = json.loads((bundle / "tuf/bundle-targets.json").read_text())
    assert len(good_signatures(meta, root, "targets")) == len(keys)


for words in (["ed25519"], ["ecdsa"], ["ed25519", "--threshold", "targets=3"]):
    @test(f"roles and bundle metadata of {' '.join(words)} keys are good")
    def _(tmp, words=words):
        commit_id = commit(tmp / "ostree", make_tree(tmp / "tree"))
        repo = init(tmp / "repo", "--dialect", "tuf", "--key-type", *words)
        author(repo, tmp / "ostree", commit_id, tmp / "bundle")


@test("roles and bundle metadata of rsa keys are good")
def _(tmp):
    commit_id = commit(tmp / "ostree", make_tree(tmp / "tree"))
    author(rsa_repo(tmp / "repo", "tuf"), tmp / "ostree", commit_id, tmp / "bundle")


main()
