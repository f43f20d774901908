#!/usr/bin/python3
"""Where a device's trust begins: the roots of its image, its certificate, its folders ci and prod."""
import datetime
import json
import pathlib
import shutil
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import Lab, load_key  # noqa: E402
from tap import main, run, test  # noqa: E402


def rotate(lab, times=1, **env):
    for _ in range(times):
        run(["satchel-bundler", "repo", "rotate", "--role", "root", lab.tuf], check=True, env=env)
        run(["satchel-bundler", "repo", "publish", lab.tuf], check=True)


def rotated_lab(tmp, versions=3):
    lab = Lab(tmp, releases=(1, 2))
    rotate(lab, versions - 1)
    assert (lab.tuf / f"metadata/{versions}.root.json").exists()
    return lab


def provision(device, lab, versions, kind="ci"):
    """Exactly these roots in that folder of the image."""
    folder = device.folder / "roots" / kind
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for version in versions:
        shutil.copy(lab.tuf / f"metadata/{version}.root.json", folder)
    return folder


def write_certificate(device, name="device-0815", category=None):
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if category:
        attributes.append(x509.NameAttribute(NameOID.BUSINESS_CATEGORY, category))
    subject = x509.Name(attributes)
    begin = datetime.datetime(2020, 1, 1)
    certificate = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
                   .public_key(key.public_key()).serial_number(1).not_valid_before(begin)
                   .not_valid_after(datetime.datetime(2090, 1, 1)).sign(key, hashes.SHA256()))
    (device.storage / "client.pem").write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM))


@test("an image with roots 1 to 3 takes a bundle whose roots begin with 3, as fioctl's do")
def _(tmp):
    lab = rotated_lab(tmp, 4)
    bundle = lab.odd_bundle([2])
    for version in (1, 2):
        (bundle / f"tuf/{version}.root.json").unlink()
    with lab.device() as device:
        provision(device, lab, (1, 2, 3))
        device.expect(16, "check", "--src-dir", bundle)
        stored = json.loads((device.storage / "satchel/tuf/root.json").read_text())
        assert stored["signed"]["version"] == 4


@test("an image with its newest root only is enough; one before a gap is not asked for")
def _(tmp):
    lab = rotated_lab(tmp, 4)
    bundle = lab.odd_bundle([2])
    with lab.device() as device:
        for versions in ((3,), (1, 3)):
            provision(device, lab, versions)
            shutil.rmtree(device.storage / "satchel", ignore_errors=True)
            device.expect(16, "check", "--src-dir", bundle)


@test("an image whose roots do not lead to one another is 11, and nothing is trusted")
def _(tmp):
    lab = rotated_lab(tmp / "one", 2)
    other = rotated_lab(tmp / "two", 2)
    bundle = lab.odd_bundle([2])
    with lab.device() as device:
        folder = provision(device, lab, (1,))
        shutil.copy(other.tuf / "metadata/2.root.json", folder)
        result = device.expect(11, "check", "--src-dir", bundle)
        assert "2.root.json" in result.stderr, result
        assert not (device.storage / "satchel/tuf").exists()


@test("a root in the image that is cut short is 11; files of other names are passed over")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    with lab.device() as device:
        folder = provision(device, lab, (1,))
        for name in ("01.root.json", "x.root.json", "-1.root.json", "0.root.json", "2.root.json~"):
            (folder / name).write_text("nonsense")
        device.expect(16, "check", "--src-dir", bundle)
        shutil.rmtree(device.storage / "satchel")
        path = folder / "1.root.json"
        path.write_bytes(path.read_bytes()[:100])
        device.expect(11, "check", "--src-dir", bundle)


@test("an expired root in the image is where trust begins all the same")
def _(tmp):
    lab = Lab(tmp, releases=())
    shutil.rmtree(lab.tuf)
    # 2000-01-01, for thirty days; the second root is of today.
    run(["satchel-bundler", "repo", "init", "--expires", "root=30", lab.tuf], check=True,
        env={"SOURCE_DATE_EPOCH": "946684800"})
    rotate(lab)
    lab.release(1)
    lab.release(2)
    bundle = lab.odd_bundle([2], days=300)
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)


@test("a root of the bundle that the trusted one did not sign is 11, and nothing changes")
def _(tmp):
    lab = Lab(tmp / "one", releases=(1, 2))
    other = rotated_lab(tmp / "two", 2)
    bundle = lab.odd_bundle([2])
    shutil.copy(other.tuf / "metadata/2.root.json", bundle / "tuf")
    with lab.device() as device:
        before = device.digest()
        result = device.expect(11, "check", "--src-dir", bundle)
        assert "root" in result.stderr, result
        assert device.digest() == before


@test("a stranger's root in the device's store is replaced by what the image's root leads to")
def _(tmp):
    lab = rotated_lab(tmp / "one", 2)
    other = rotated_lab(tmp / "two", 3)
    good, bad = lab.odd_bundle([2]), other.odd_bundle([2])
    with lab.device() as device:
        provision(device, lab, (1,))
        device.expect(16, "check", "--src-dir", good)
        store = device.storage / "satchel/tuf"
        trusted = (store / "root.json").read_bytes()
        for folder in (store, store / "roots"):
            shutil.copy(other.tuf / "metadata/3.root.json", folder)
        for damage in ((other.tuf / "metadata/3.root.json").read_bytes(), trusted[:100], b""):
            (store / "root.json").write_bytes(damage)
            result = device.expect(11, "check", "--src-dir", bad)
            assert "root 3: 0 of 1 signatures (keys of root 2)" in result.stderr, result
            device.expect(16, "check", "--src-dir", good)
            assert (store / "root.json").read_bytes() == trusted


@test("an image with newer roots than the device's store takes the store along")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    first = lab.odd_bundle([2])
    run(["satchel-bundler", "repo", "rotate", "--role", "timestamp", lab.tuf], check=True)
    run(["satchel-bundler", "repo", "publish", lab.tuf], check=True)
    rotate(lab)
    bundle = lab.odd_bundle([2])
    for version in (1, 2):
        (bundle / f"tuf/{version}.root.json").unlink()
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", first)
        before = device.digest()
        assert device.run("check", "--src-dir", bundle).returncode in (11, 15)
        assert device.digest() == before
        provision(device, lab, (1, 2, 3))
        device.expect(16, "check", "--src-dir", bundle)
        stored = json.loads((device.storage / "satchel/tuf/root.json").read_text())
        assert stored["signed"]["version"] == 3


FIRST_USE = "[satchel]\ntrust_on_first_use = true\n"


def damages(path):
    """A file cut short, emptied, gone, and a folder in its place."""
    good = path.read_bytes()
    for content in (good[:100], b"", None):
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        yield
        path.unlink(missing_ok=True)
        path.write_bytes(good)


@test("first use is once: a damaged root is healed from the ones before it, not by a stranger's")
def _(tmp):
    lab = rotated_lab(tmp / "one", 2)
    other = Lab(tmp / "two", releases=(1, 2))
    good, bad = lab.odd_bundle([2]), other.bundle([2])
    with lab.device(trusted=False, config=FIRST_USE) as device:
        device.expect(16, "check", "--src-dir", good)
        root = device.storage / "satchel/tuf/root.json"
        trusted = root.read_bytes()
        for _ in damages(root):
            result = device.run("check", "--src-dir", bad)
            assert result.returncode in (11, 15), result
            device.expect(16, "check", "--src-dir", good)
            assert root.read_bytes() == trusted


@test("first use is once: with every stored root damaged it is 4, whatever the bundle brings")
def _(tmp):
    lab = Lab(tmp / "one", releases=(1, 2))
    other = Lab(tmp / "two", releases=(1, 2))
    bundles = (lab.bundle([2]), other.bundle([2]))
    with lab.device(trusted=False, config=FIRST_USE) as device:
        device.expect(16, "check", "--src-dir", bundles[0])
        store = device.storage / "satchel/tuf"
        (store / "roots/1.root.json").write_bytes(b"{")
        for _ in damages(store / "root.json"):
            before = device.digest()
            for bundle in bundles:
                device.expect(4, "check", "--src-dir", bundle)
            assert device.digest() == before
        shutil.rmtree(store / "roots")
        (store / "root.json").write_bytes(b"{")
        device.expect(4, "check", "--src-dir", bundles[1])


@test("a damaged time floor is set aside and told; the device goes on with its other floors")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        floor = device.storage / "satchel/tuf/time-floor"
        good = floor.read_bytes()
        for content in (b"", b"soon", b"\0" * 100, None):
            floor.unlink()
            if content is None:
                floor.mkdir()
            else:
                floor.write_bytes(content)
            result = device.expect(16, "check", "--src-dir", bundle)
            assert "time floor was set aside" in result.stderr, result
            assert floor.read_bytes() == good
        assert len(list(floor.parent.glob("time-floor.damaged-*"))) == 4
        result = device.expect(16, "check", "--src-dir", bundle)
        assert "aside" not in result.stderr, result


@test("a bundle from before a rotation is judged by the newer metadata, as long as it is signed")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    old = lab.odd_bundle([2])
    rotate(lab)
    new = lab.odd_bundle([2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", new)
        result = device.run("check", "--src-dir", old)
        assert result.returncode == 16, result


@test("a key that the device saw revoked signs no bundle any more")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    old = lab.odd_bundle([2])
    revoked = (lab.keyid("targets"), lab.key("targets"))
    for file in (lab.tuf / "keys").glob("targets-*.pem"):
        shutil.copy(file, tmp)
    run(["satchel-bundler", "repo", "rotate", "--role", "targets", lab.tuf], check=True)
    run(["satchel-bundler", "repo", "publish", lab.tuf], check=True)
    keys = {path.stem.split("-", 1)[1]: path for path in (lab.tuf / "keys").glob("targets-*.pem")}
    fresh = next(keyid for keyid in keys if keyid != revoked[0])
    new = lab.odd_bundle([2], signers=[(fresh, load_key(keys[fresh]))])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", old)
        device.expect(16, "check", "--src-dir", new)
        before = device.digest()
        device.expect(15, "check", "--src-dir", old)
        assert device.digest() == before


@test("once a device trusts a root, it needs the image's no more")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        shutil.rmtree(device.folder / "roots")
        device.expect(100, "update", "--src-dir", bundle)
        device.expect(0, "run")
        device.expect(3, "list", "--src-dir", bundle)


@test("with roots for both sides and no certificate the type is unknown, and what both share holds")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    with lab.device() as device:
        provision(device, lab, (1,), "ci")
        provision(device, lab, (1,), "prod")
        for kind in ("ci", "prod"):
            device.expect(16, "check", "--src-dir", lab.odd_bundle([2], kind=kind))


@test("with different roots on both sides and no certificate there is no trusted root: 14")
def _(tmp):
    lab = Lab(tmp / "one", releases=(1, 2))
    other = Lab(tmp / "two", releases=())
    with lab.device() as device:
        provision(device, lab, (1,), "ci")
        provision(device, other, (1,), "prod")
        result = device.expect(14, "check", "--src-dir", lab.bundle([2]))
        assert "certificate" in result.stderr, result


@test("the certificate tells the side: production takes prod roots and prod bundles, else ci")
def _(tmp):
    lab = Lab(tmp / "one", releases=(1, 2))
    other = Lab(tmp / "two", releases=())
    ci = lab.odd_bundle([2], kind="ci")
    prod = lab.odd_bundle([2], kind="prod")
    for category, side, good, bad in (("production", "prod", prod, ci), ("test", "ci", ci, prod),
                                      (None, "ci", ci, prod)):
        with lab.device() as device:
            provision(device, lab, (1,), side)
            provision(device, other, (1,), "ci" if side == "prod" else "prod")
            write_certificate(device, category=category)
            device.expect(15, "check", "--src-dir", bad)
            device.expect(16, "check", "--src-dir", good)


@test("status shows the certificate's name as the device's UUID")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        write_certificate(device, name="device-0815")
        status = json.loads(device.expect(0, "status", "--json", "1").stdout)
        assert status["device_uuid"] == "device-0815", status
        assert "Device UUID: device-0815\n" in device.expect(0, "status").stdout


@test("a certificate that is none is status 1: to go on without would compare no type")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    with lab.device() as device:
        (device.storage / "client.pem").write_text("nonsense")
        result = device.expect(1, "check", "--src-dir", lab.bundle([2]))
        assert "client.pem" in result.stderr, result


FAR_COMMIT = "2098-01-01 00:00:00 +0000"


@test("a release dated after the roles have expired is refused, not installed to lock the device out")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    lab.release(7, commit=lab.commit(7, time=FAR_COMMIT))
    bundle = lab.odd_bundle([7])
    with lab.device() as device:
        for command in ("check", "pull", "update"):
            result = device.expect(15, command, "--src-dir", bundle)
            assert "2098-01-01T00:00:00Z" in result.stderr, result
        lab.release(8)
        device.expect(16, "check", "--src-dir", lab.bundle([8]))


@test("a device that runs a commit of a time that cannot be is not locked out")
def _(tmp):
    lab = Lab(tmp, releases=())
    lab.release(7, commit=lab.commit(7, time=FAR_COMMIT))
    lab.release(8)
    with lab.device(7) as device:
        result = device.expect(16, "check", "--src-dir", lab.bundle([8]))
        assert "2098-01-01T00:00:00Z" in result.stderr, result
        assert device.expect(16, "list", "--src-dir", lab.bundle([8]))


@test("a commit's time that can be is the least that the device believes it to be")
def _(tmp):
    lab = Lab(tmp, releases=())
    lab.release(7, commit=lab.commit(7, time="2070-01-01 00:00:00 +0000"))
    lab.release(8)
    bundle = lab.odd_bundle([8], days=365)
    with lab.device(7) as device:
        device.expect(12, "check", "--src-dir", bundle)


main()
