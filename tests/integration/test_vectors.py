#!/usr/bin/python3
"""Keys and signatures that python3-cryptography makes now, judged by us, in both dialects."""
import base64
import copy
import hashlib
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa  # noqa: E402
from securesystemslib.formats import encode_canonical  # noqa: E402

from c_program import build  # noqa: E402
from tap import main, run, test  # noqa: E402


class Signer:
    """A private key with its public half as both dialects write it."""

    def __init__(self, key, keytype, scheme):
        self.key, self.keytype, self.scheme = key, keytype, scheme
        self.digest, self.mgf, self.salt = hashes.SHA256, hashes.SHA256, 32
        if keytype == "ed25519":
            self.public = key.public_key().public_bytes(
                serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()
        else:
            self.public = key.public_key().public_bytes(
                serialization.Encoding.PEM,
                serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    def sign(self, message):
        if self.keytype == "ed25519":
            return self.key.sign(message)
        if self.keytype == "rsa":
            return self.key.sign(
                message, padding.PSS(padding.MGF1(self.mgf()), self.salt), self.digest())
        return self.key.sign(message, ec.ECDSA(self.digest()))

    def tuf_key(self):
        return {"keytype": self.keytype, "scheme": self.scheme,
                "keyval": {"public": self.public}}

    def uptane_key(self):
        return {"keytype": self.keytype.upper(), "keyval": {"public": self.public}}

    def changed(self, **attributes):
        """One that signs otherwise with the same key."""
        other = copy.copy(self)
        for name, value in attributes.items():
            setattr(other, name, value)
        return other


def new_ed25519():
    return Signer(ed25519.Ed25519PrivateKey.generate(), "ed25519", "ed25519")


def new_rsa(bits=2048):
    return Signer(rsa.generate_private_key(65537, bits), "rsa", "rsassa-pss-sha256")


def new_ecdsa(curve=ec.SECP256R1):
    return Signer(ec.generate_private_key(curve()), "ecdsa", "ecdsa-sha2-nistp256")


ED25519, RSA, ECDSA = new_ed25519(), new_rsa(), new_ecdsa()
SIGNED = {"expires": "2090-01-01T00:00:00Z", "version": 7, "targets": {
    "naïve – 中 \U0001f600": {"length": 1, "hashes": {"sha256": "00" * 32}},
    'with "quotes" and \\': {"pem": RSA.public}, "controls\b\f\n\r\t\x01": {}}}


class Tuf:
    """How the tuf dialect writes a case."""
    name = "tuf"
    signers = [ED25519, RSA, ECDSA]
    signed = {**SIGNED, "_type": "targets", "spec_version": "1.0.31"}

    @staticmethod
    def canonical(value):
        return encode_canonical(value).encode()

    @staticmethod
    def key(signer):
        return signer.tuf_key()

    @classmethod
    def keyid(cls, signer):
        return hashlib.sha256(cls.canonical(signer.tuf_key())).hexdigest()

    @staticmethod
    def signature(signer, keyid, raw):
        return {"keyid": keyid, "sig": raw.hex()}


class Uptane:
    """How the uptane dialect writes it."""
    name = "uptane"
    signers = [ED25519, RSA]
    signed = {**SIGNED, "_type": "Targets"}

    @staticmethod
    def canonical(value):
        # As jsoncpp, as long as 0x7f is not in it.
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

    @staticmethod
    def key(signer):
        return signer.uptane_key()

    @staticmethod
    def keyid(signer):
        return hashlib.sha256(signer.public.encode()).hexdigest()

    @staticmethod
    def signature(signer, keyid, raw):
        method = "ed25519" if signer.keytype == "ed25519" else "rsassa-pss-sha256"
        return {"keyid": keyid, "method": method, "sig": base64.b64encode(raw).decode()}


DIALECTS = [Tuf, Uptane]


def case(dialect, listed, signing=None, threshold=1, alter=None, raw=None, signed=None):
    """A case for check_signature. @signing: pairs of the key named and the key used."""
    signing = [(signer, signer) for signer in listed] if signing is None else signing
    signed = signed or dialect.signed
    message = dialect.canonical(signed)
    signatures = [dialect.signature(named, dialect.keyid(named),
                                    raw(used.sign(message)) if raw else used.sign(message))
                  for named, used in signing]
    document = {"signatures": signatures, "signed": copy.deepcopy(signed)}
    if alter:
        alter(document)
    return {"dialect": dialect.name,
            "keys": {dialect.keyid(signer): dialect.key(signer) for signer in listed},
            "role": {"keyids": [dialect.keyid(signer) for signer in listed],
                     "threshold": threshold},
            "document": json.dumps(document, indent=1, ensure_ascii=False)}


def verdicts(tmp, cases):
    program = build("check_signature.c", tmp)
    lines = run([program], stdin="".join(f"{json.dumps(one)}\n" for one in cases),
                check=True).stdout.splitlines()
    assert len(lines) == len(cases), lines
    return lines


def expect(tmp, expected, cases):
    for one, verdict in zip(cases, verdicts(tmp, cases)):
        assert verdict == expected, f"{verdict}\n{json.dumps(one, indent=1)}"


def each_signer():
    return [(dialect, signer) for dialect in DIALECTS for signer in dialect.signers]


NONE = "refused: 0 of 1 signatures"


@test("good signatures of each scheme count in each dialect")
def _(tmp):
    expect(tmp, "good", [case(dialect, [signer]) for dialect, signer in each_signer()])


@test("fresh keys of each kind and size are good")
def _(tmp):
    expect(tmp, "good", [case(Tuf, [make()]) for make in (new_ed25519, new_ecdsa) * 20]
           + [case(dialect, [new_rsa(bits)]) for dialect in DIALECTS for bits in (2048, 3072)])


@test("RSA-PSS is good with any length of salt")
def _(tmp):
    expect(tmp, "good", [case(dialect, [RSA.changed(salt=salt)])
                         for dialect in DIALECTS for salt in (0, 1, 20, 32, 64, 222)])


@test("the legacy keytype of ECDSA is good")
def _(tmp):
    expect(tmp, "good", [case(Tuf, [ECDSA.changed(keytype="ecdsa-sha2-nistp256")])])


@test("three keys of three schemes reach a threshold of three together")
def _(tmp):
    expect(tmp, "good", [case(Tuf, Tuf.signers, threshold=3),
                         case(Uptane, Uptane.signers, threshold=2)])


@test("one key too few does not reach the threshold")
def _(tmp):
    expect(tmp, "refused: 2 of 3 signatures", [
        case(Tuf, Tuf.signers, [(s, s) for s in Tuf.signers if s is not left_out], threshold=3)
        for left_out in Tuf.signers])


@test("a signature by another key of the same kind does not count")
def _(tmp):
    others = {"ed25519": new_ed25519(), "rsa": new_rsa(), "ecdsa": new_ecdsa()}
    expect(tmp, NONE, [case(dialect, [signer], [(signer, others[signer.keytype])])
                       for dialect, signer in each_signer()])


@test("a signature over anything else does not count")
def _(tmp):
    def version(document):
        document["signed"]["version"] = 8

    def extra_member(document):
        document["signed"]["x"] = None

    def one_character(document):
        document["signed"]["targets"]["naive"] = document["signed"]["targets"].popitem()[1]

    expect(tmp, NONE, [case(dialect, [signer], alter=alter)
                       for dialect, signer in each_signer()
                       for alter in (version, extra_member, one_character)])


@test("order and white space of the file do not matter")
def _(tmp):
    def reverse(document):
        document["signed"] = dict(reversed(list(document["signed"].items())))

    expect(tmp, "good", [case(dialect, [signer], alter=reverse)
                         for dialect, signer in each_signer()])


@test("signatures with another digest or MGF do not count")
def _(tmp):
    expect(tmp, NONE, [
        case(Tuf, [RSA], [(RSA, RSA.changed(digest=hashes.SHA512))]),
        case(Tuf, [RSA], [(RSA, RSA.changed(mgf=hashes.SHA1))]),
        case(Uptane, [RSA], [(RSA, RSA.changed(mgf=hashes.SHA512))]),
        case(Tuf, [ECDSA], [(ECDSA, ECDSA.changed(digest=hashes.SHA384))])])


@test("cut, lengthened and changed signatures do not count")
def _(tmp):
    changes = [lambda raw: raw[:-1], lambda raw: raw[1:], lambda raw: raw + b"\0",
               lambda raw: b"\0" + raw, lambda raw: raw[:20] + bytes([raw[20] ^ 1]) + raw[21:],
               lambda raw: bytes(len(raw)), lambda raw: raw[::-1], lambda raw: b""]
    expect(tmp, NONE, [case(dialect, [signer], raw=change)
                       for dialect, signer in each_signer() for change in changes])


@test("keys that are too small or of another curve do not count")
def _(tmp):
    expect(tmp, NONE, [case(Tuf, [new_rsa(1024)]), case(Uptane, [new_rsa(1024)]),
                       case(Tuf, [new_ecdsa(ec.SECP384R1)]), case(Tuf, [new_ecdsa(ec.SECP256K1)]),
                       case(Uptane, [ECDSA])])


@test("the form of the other dialect is not signed by the same signature")
def _(tmp):
    crossed = type("Crossed", (Tuf,), {"canonical": Uptane.canonical, "keyid": Tuf.keyid})
    expect(tmp, NONE, [case(crossed, [signer]) for signer in Tuf.signers])


main()
