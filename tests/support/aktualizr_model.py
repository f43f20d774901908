"""What aktualizr-lite checks before it takes an offline bundle, modelled apart from our C code.

    device = Device(now="2090-01-01T00:00:00Z", hardware_id="intel", tags=["devel"], kind="ci")
    names = device.check(bundle)        # or raises Refused, with aktualizr-lite's exit status

The order and the strictness are the vendor client's: what it tolerates, the model tolerates, and
what it refuses (one signature by an unknown key, a keyid that stands twice in a role), the model
refuses. Canonical JSON is jsoncpp's compact output, keys are those of python3-cryptography.
"""
import base64
import hashlib
import json
import pathlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

METADATA_FAILURE = 4
NO_MATCHING_TARGET = 6
NO_CONTENT = 8
METADATA_INVALID = 11
EXPIRED = 12
NOT_FOUND = 14
BUNDLE_INVALID = 15


class Refused(Exception):
    """Why, and with which exit status."""

    def __init__(self, status, reason):
        super().__init__(f"{status}: {reason}")
        self.status = status


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r",
            "\t": "\\t"}


def _string(text):
    out = []
    for letter in text:
        if letter in _ESCAPES:
            out.append(_ESCAPES[letter])
        elif 0x20 <= ord(letter) < 0x80:
            out.append(letter)
        else:
            units = letter.encode("utf-16-be")
            out.extend(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
    return '"' + "".join(out) + '"'


def canonical(value):
    """jsoncpp's compact output."""
    if isinstance(value, dict):
        pairs = sorted(value.items(), key=lambda pair: pair[0].encode())
        return "{" + ",".join(f"{_string(k)}:{canonical(v)}" for k, v in pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical(element) for element in value) + "]"
    if isinstance(value, str):
        return _string(value)
    if value is True or value is False:
        return "true" if value else "false"
    if value is None:
        return "null"
    assert isinstance(value, int), value
    return str(value)


def verify_signature(key, message, signature):
    """By the key's type; the method that the signature names does not matter."""
    kind = key["keytype"].lower()
    public = key["keyval"]["public"]
    raw = base64.b64decode(signature, validate=True)
    try:
        if kind == "ed25519":
            loaded = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
            loaded.verify(raw, message)
        elif kind == "rsa":
            loaded = serialization.load_pem_public_key(public.encode())
            assert isinstance(loaded, rsa.RSAPublicKey)
            assert loaded.key_size in (2048, 3072, 4096), loaded.key_size
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
            loaded.verify(raw, message, pss, hashes.SHA256())
        else:
            raise Refused(METADATA_FAILURE, f"keytype {kind} makes the whole root unreadable")
    except InvalidSignature:
        return False
    return True


class _Role:
    def __init__(self, document, kind):
        self.document = document
        self.signed = document["signed"]
        if self.signed["_type"] != kind:
            raise Refused(METADATA_FAILURE, f"_type is {self.signed['_type']}, not {kind}")
        self.version = self.signed["version"]
        assert isinstance(self.version, int)
        self.expires = self.signed["expires"]
        if len(self.expires) != 20 or not self.expires.endswith("Z"):
            raise Refused(1, f"malformed time {self.expires}")

    def check_signatures(self, root, role):
        """Throws as libaktualizr does: a repeated keyid and an unknown method are errors."""
        listed = root.signed["roles"][role]
        threshold = listed["threshold"]
        if not 1 <= threshold <= 1000:
            raise Refused(METADATA_FAILURE, f"{role}: threshold {threshold}")
        message = canonical(self.signed).encode()
        seen, good = set(), 0
        for signature in self.document["signatures"]:
            keyid = signature["keyid"]
            if keyid in seen:
                raise Refused(METADATA_FAILURE, f"{role}: keyid {keyid} twice")
            seen.add(keyid)
            if signature["method"] not in ("ed25519", "rsassa-pss", "rsassa-pss-sha256"):
                raise Refused(METADATA_FAILURE, f"{role}: method {signature['method']}")
            if keyid not in listed["keyids"] or keyid not in root.signed["keys"]:
                continue
            if verify_signature(root.signed["keys"][keyid], message, signature["sig"]):
                good += 1
        if good < threshold:
            raise Refused(METADATA_FAILURE, f"{role}: {good} of {threshold} signatures")

    def check_expiry(self, now):
        if self.expires < now:  # strings are compared, as it does
            raise Refused(EXPIRED, f"{self.signed['_type']} expired {self.expires}")


class _Root(_Role):
    def __init__(self, document):
        super().__init__(document, "Root")
        for key in self.signed["keys"].values():
            if key["keytype"].lower() not in ("ed25519", "rsa"):
                raise Refused(METADATA_FAILURE, "a key of unknown type")


class Device:
    """A device without secondaries. @roots: what was provisioned, documents from version 1 on."""

    def __init__(self, now, hardware_id, tags=(), kind=None, roots=()):
        self.now = now
        self.hardware_id = hardware_id
        self.tags = list(tags)
        self.kind = kind
        self.roots = [_Root(document) for document in roots]

    def _read(self, bundle, name):
        try:
            return json.loads((pathlib.Path(bundle) / "tuf" / name).read_text("utf-8"))
        except FileNotFoundError:
            return None

    def _newest_root(self, bundle):
        root = self.roots[-1] if self.roots else None
        while True:
            version = root.version + 1 if root else 1
            document = self._read(bundle, f"{version}.root.json")
            if document is None:
                break
            following = _Root(document)
            if following.version != version:
                raise Refused(METADATA_FAILURE, f"{version}.root.json is {following.version}")
            following.check_signatures(root or following, "root")
            following.check_signatures(following, "root")
            root = following
        if root is None:
            raise Refused(NOT_FOUND, "no root")
        return root

    def _check_bundle_meta(self, root, bundle):
        document = self._read(bundle, "bundle-targets.json")
        if document is None:
            return None
        signed, signatures = document.get("signed"), document.get("signatures")
        if signed is None or not isinstance(signatures, list):
            raise Refused(BUNDLE_INVALID, "form")
        listed = root.signed["roles"]["targets"]
        message = canonical(signed).encode()
        count = 0
        for signature in signatures:
            if not all(isinstance(signature.get(m), str) for m in ("keyid", "sig", "method")):
                raise Refused(BUNDLE_INVALID, "a signature of wrong form")
            if signature["keyid"] not in listed["keyids"]:
                raise Refused(BUNDLE_INVALID, "a signature by an unknown key")
            if not verify_signature(root.signed["keys"][signature["keyid"]], message,
                                    signature["sig"]):
                raise Refused(BUNDLE_INVALID, "a bad signature")
            count += 1
        if count < listed["threshold"]:
            raise Refused(BUNDLE_INVALID, f"{count} of {listed['threshold']} signatures")
        if len(signed["expires"]) != 20:
            raise Refused(1, "malformed time")
        if signed["expires"] < self.now:
            raise Refused(EXPIRED, "bundle-targets.json")
        about = signed["x-fio-offline-bundle"]
        if self.kind is not None and about["type"] in ("ci", "prod") and about["type"] != self.kind:
            raise Refused(BUNDLE_INVALID, f"type {about['type']}")
        if self.tags and about["tag"] not in self.tags:
            raise Refused(BUNDLE_INVALID, f"tag {about['tag']}")
        return about["targets"]

    def _role(self, root, bundle, name, kind):
        document = self._read(bundle, f"{name}.json")
        if document is None:
            raise Refused(NOT_FOUND, name)
        role = _Role(document, kind)
        role.check_signatures(root, name)
        return role

    def _refresh(self, root, bundle):
        """The image repository, from the bundle; nothing stored."""
        root.check_expiry(self.now)
        timestamp = self._role(root, bundle, "timestamp", "Timestamp")
        timestamp.check_expiry(self.now)
        listed = timestamp.signed["meta"]["snapshot.json"]
        snapshot = self._role(root, bundle, "snapshot", "Snapshot")
        text = canonical(snapshot.document).encode()
        if hashlib.sha256(text).hexdigest() != listed["hashes"]["sha256"].lower():
            raise Refused(METADATA_INVALID, "snapshot hash")
        if len(text) != listed["length"]:
            raise Refused(METADATA_INVALID, "snapshot length")
        if snapshot.version != listed["version"]:
            raise Refused(METADATA_FAILURE, "snapshot version")
        snapshot.check_expiry(self.now)
        listed = snapshot.signed["meta"]["targets.json"]
        targets = self._role(root, bundle, "targets", "Targets")
        text = canonical(targets.document).encode()
        if "hashes" in listed and \
                hashlib.sha256(text).hexdigest() != listed["hashes"]["sha256"].lower():
            raise Refused(METADATA_INVALID, "targets hash")
        if "length" in listed and len(text) > listed["length"]:
            raise Refused(METADATA_INVALID, "targets length")
        if targets.version != listed["version"]:
            raise Refused(METADATA_FAILURE, "targets version")
        targets.check_expiry(self.now)
        return targets

    def _is_for_me(self, target):
        custom = target["custom"]
        if custom["targetFormat"] != "OSTREE" or len(custom["hardwareIds"]) != 1:
            return False
        if self.tags and not set(self.tags) & set(custom["tags"]):
            return False
        return custom["hardwareIds"][0] == self.hardware_id

    def check(self, bundle):
        """Names of the targets that could be installed, oldest first."""
        root = self._newest_root(bundle)
        allowed = self._check_bundle_meta(root, bundle)
        targets = self._refresh(root, bundle).signed["targets"]
        names = [name for name in targets if allowed is None or name in allowed]
        if not names:
            raise Refused(NO_MATCHING_TARGET, "none of the bundle's targets is trusted")
        names = [name for name in names if self._is_for_me(targets[name])]
        if not names:
            raise Refused(NO_MATCHING_TARGET, "no target for hardware id and tags")
        objects = pathlib.Path(bundle) / "ostree_repo" / "objects"

        def has_commit(name):
            commit = targets[name]["hashes"]["sha256"]
            return (objects / commit[:2] / f"{commit[2:]}.commit").is_file()

        names = [name for name in names if has_commit(name)]
        if not names:
            raise Refused(NO_CONTENT, "no commit")
        return sorted(names, key=lambda name: int(targets[name]["custom"]["version"]))
