"""Makes TUF repositories and bundles with Debian's python3-cryptography and the ostree program.

It shares nothing with our own programs, so that they are checked against another's understanding
of the formats, and it makes what satchel-bundler refuses to: wrong signatures, wrong types, old
versions. All keys derive from names, all times are fixed.

    builder = Builder(tmp)
    commit = builder.commit({"usr/lib/os-release": "1"})
    builder.add_target("intel-corei7-64-lmp-1", 1, commit)
    builder.publish()
    builder.write_bundle(tmp / "bundle")
    run(["satchel-verify", "--root", builder.root_path, tmp / "bundle"])
"""
import base64
import copy
import hashlib
import json
import pathlib
import re
import shutil
import subprocess

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FAR = "2090-01-01T00:00:00Z"
ISSUED = "2024-01-01T00:00:00Z"
HARDWARE = "intel-corei7-64"
ROLES = ("root", "timestamp", "snapshot", "targets")


def canonical(value):
    """Canonical JSON of printable ASCII and integers, on which all dialects agree."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def sha256(data):
    """Hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


def write(path, data):
    """Writes a file and the folders above it."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


class Key:
    """An ed25519 key that is always the same for a name."""

    def __init__(self, name, dialect="uptane"):
        self.private = Ed25519PrivateKey.from_private_bytes(
            hashlib.sha256(f"satchel test key {name}".encode()).digest())
        self.dialect = dialect
        raw = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        if dialect == "tuf":
            self.public = {"keytype": "ed25519", "scheme": "ed25519",
                           "keyval": {"public": raw.hex()}}
        else:
            self.public = {"keytype": "ED25519", "keyval": {"public": raw.hex()}}
        self.keyid = sha256(canonical(self.public))

    def sign(self, message):
        """One entry of `signatures`."""
        signature = self.private.sign(message)
        if self.dialect == "tuf":
            return {"keyid": self.keyid, "sig": signature.hex()}
        return {"keyid": self.keyid, "method": "ed25519",
                "sig": base64.b64encode(signature).decode()}


class Builder:
    """A repository of content and metadata. Change `signed[...]` before publish() at will."""

    def __init__(self, folder, dialect="uptane", bundle_type="ci", tag="devel"):
        self.folder = pathlib.Path(folder)
        self.dialect = dialect
        self.type = bundle_type
        self.tag = tag
        self.keys = {role: [Key(role, dialect)] for role in ROLES}
        self.thresholds = dict.fromkeys(ROLES, 1)
        self.versions = dict.fromkeys(ROLES, 1)
        self.expires = dict.fromkeys((*ROLES, "bundle"), FAR)
        self.targets = {}
        self.roots = {}
        self.files = {}
        self.repo = self.folder / "repo"
        self.make_root()

    # ---- metadata

    def head(self, role):
        """What all signed parts have."""
        name = role if self.dialect == "tuf" else role.capitalize()
        head = {"_type": name, "version": self.versions[role], "expires": self.expires[role]}
        if self.dialect == "tuf":
            head["spec_version"] = "1.0.34"
        return head

    @staticmethod
    def sign(signed, keys):
        """The whole document, in bytes."""
        message = canonical(signed)
        return canonical({"signatures": [key.sign(message) for key in keys], "signed": signed})

    def make_root(self, extra_keys=()):
        """The root of the present version, signed by its keys and @extra_keys."""
        keys = {key.keyid: key.public for role in ROLES for key in self.keys[role]}
        roles = {role: {"keyids": [key.keyid for key in self.keys[role]],
                        "threshold": self.thresholds[role]} for role in ROLES}
        signed = {**self.head("root"), "consistent_snapshot": False, "keys": keys, "roles": roles}
        document = self.sign(signed, [*self.keys["root"], *extra_keys])
        self.roots[self.versions["root"]] = document
        write(self.root_path_of(self.versions["root"]), document)
        return document

    def rotate_root(self, **new_keys):
        """Root N+1 with new keys for some roles, signed by old and new ones."""
        old = [key for key in self.keys["root"]]
        for role, keys in new_keys.items():
            self.keys[role] = keys
        self.versions["root"] += 1
        return self.make_root([key for key in old if key not in self.keys["root"]])

    def root_path_of(self, version):
        """Where that root is, outside the bundle."""
        return self.folder / "roots" / f"{version}.root.json"

    @property
    def root_path(self):
        """The first root: what a device is provisioned with."""
        return self.root_path_of(1)

    def add_target(self, name, version, commit, hardware=(HARDWARE,), tags=("devel",), **custom):
        """A target of the targets role."""
        self.targets[name] = {
            "length": 0, "hashes": {"sha256": commit},
            "custom": {"hardwareIds": list(hardware), "tags": list(tags),
                       "targetFormat": "OSTREE", "version": str(version),
                       "name": f"{HARDWARE}-lmp", **custom}}

    def publish(self):
        """Targets, snapshot and timestamp of the present versions, into `files`."""
        targets = self.sign({**self.head("targets"), "targets": self.targets},
                            self.keys["targets"])
        meta = {"version": self.versions["targets"], "length": len(targets),
                "hashes": {"sha256": sha256(targets)}}
        snapshot = self.sign({**self.head("snapshot"), "meta": {"targets.json": meta}},
                             self.keys["snapshot"])
        meta = {"version": self.versions["snapshot"], "length": len(snapshot),
                "hashes": {"sha256": sha256(snapshot)}}
        timestamp = self.sign({**self.head("timestamp"), "meta": {"snapshot.json": meta}},
                              self.keys["timestamp"])
        self.files = {"targets.json": targets, "snapshot.json": snapshot,
                      "timestamp.json": timestamp}

    # ---- content

    def commit(self, files, time="@1700000000"):
        """Commits files (path to text) at @time into the builder's archive repository."""
        if not (self.repo / "config").exists():
            self.repo.mkdir(parents=True)
            self.ostree("init", "--mode=archive")
        tree = self.folder / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        for path, text in files.items():
            write(tree / path, text)
        return self.ostree("commit", "--branch=main", f"--timestamp={time}",
                           "--owner-uid=0", "--owner-gid=0", "--no-xattrs", "--orphan", tree)

    def ostree(self, command, *arguments):
        """Runs ostree on the builder's repository; gives its output."""
        done = subprocess.run(["ostree", f"--repo={self.repo}", command, *arguments], check=True,
                              stdout=subprocess.PIPE, encoding="utf-8")
        return done.stdout.strip()

    # ---- bundle

    def write_bundle(self, path, targets=None, with_manifest=True, keys=None):
        """A bundle with all that was published, signed by the keys of targets or @keys."""
        path = pathlib.Path(path)
        for version, document in self.roots.items():
            write(path / "tuf" / f"{version}.root.json", document)
        for name, document in self.files.items():
            write(path / "tuf" / name, document)
        if self.repo.exists():
            (path / "ostree_repo").mkdir(exist_ok=True)
            shutil.copy(self.repo / "config", path / "ostree_repo" / "config")
            shutil.copytree(self.repo / "objects", path / "ostree_repo" / "objects",
                            dirs_exist_ok=True)
        if with_manifest:
            self.write_manifest(path)
        self.write_meta(path, targets, with_manifest, keys)

    @staticmethod
    def write_manifest(path):
        """manifest.mtree over what is there."""
        lines = ["#mtree"]
        for member in sorted(path.rglob("*")):
            name = member.relative_to(path).as_posix()
            if member.is_file() and name not in ("manifest.mtree", "tuf/bundle-targets.json"):
                data = member.read_bytes()
                name = re.sub(rb"[^A-Za-z0-9._/+,:@~%-]", lambda byte: b"\\%03o" % ord(byte[0]),
                              name.encode()).decode()
                lines.append(f"./{name} type=file size={len(data)} sha256digest={sha256(data)}")
        write(path / "manifest.mtree", "\n".join(lines) + "\n")

    def meta(self, path, targets=None, with_manifest=True):
        """The signed part of bundle-targets.json for the bundle at @path."""
        signed = {**self.head("targets"), "version": 1, "expires": self.expires["bundle"],
                  "x-fio-offline-bundle": {
                      "type": self.type, "tag": self.tag,
                      "targets": sorted(self.targets) if targets is None else targets}}
        if with_manifest:
            manifest = (path / "manifest.mtree").read_bytes()
            signed["x-satchel"] = {
                "issued": ISSUED,
                "manifest": {"length": len(manifest), "sha256": sha256(manifest)}}
        return copy.deepcopy(signed)

    def write_meta(self, path, targets=None, with_manifest=True, keys=None):
        """bundle-targets.json."""
        write(path / "tuf" / "bundle-targets.json",
              self.sign(self.meta(path, targets, with_manifest),
                        self.keys["targets"] if keys is None else keys))


def simple(folder, **arguments):
    """A builder with one published target, and its bundle at folder/bundle."""
    builder = Builder(folder, **arguments)
    commit = builder.commit({"usr/lib/os-release": "VERSION=1\n", "usr/bin/tool": "tool\n" * 1000,
                             "usr/lib/empty": ""})
    builder.add_target(f"{HARDWARE}-lmp-1", 1, commit)
    builder.publish()
    builder.write_bundle(pathlib.Path(folder) / "bundle")
    return builder
