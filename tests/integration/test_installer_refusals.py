#!/usr/bin/python3
"""Bundles that a device refuses: the status, one line that names file and reason, and no change."""
import json
import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import Lab, NAME  # noqa: E402
from tap import main, test  # noqa: E402

FAR_S = 3155760000  # 2070-01-01
COMMANDS = ("check", "pull", "install", "update")


def assert_refused(device, status, bundle, *parts, commands=COMMANDS):
    """Every command gives that status and one line with these parts, and nothing changed."""
    before = device.digest()
    for command in commands:
        result = device.expect(status, command, "--src-dir", bundle)
        last = result.stderr.strip().splitlines()[-1]
        assert last.startswith("satchel-installer: "), result
        for part in parts:
            assert part in last, f"{part!r} is not in {result}"
        assert result.stdout == "", result
    assert device.digest() == before


def refusal(sentence, status, *parts, releases=(1, 2), **device_arguments):
    """A test whose body makes or spoils the bundle of release 2 and returns it."""
    def add(body):
        @test(sentence)
        def _(tmp):
            lab = Lab(tmp, releases=releases)
            with lab.device(**device_arguments) as device:
                assert_refused(device, status, body(lab), *parts)
        return body
    return add


def edit(path, change):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document, sort_keys=True, separators=(",", ":")))


@refusal("no bundle at the given path is 14", 14, "nowhere")
def _(lab):
    return lab.folder / "nowhere"


@refusal("a file in place of a bundle is 14", 14)
def _(lab):
    path = lab.folder / "file"
    path.write_text("no bundle")
    return path


@refusal("a device without a trusted root is 14", 14, "trusted root", trusted=False)
def _(lab):
    return lab.bundle([2])


@refusal("bundle metadata that is missing is 15", 15, "bundle-targets.json")
def _(lab):
    return lab.odd_bundle([2], meta=False)


@refusal("bundle metadata changed after it was signed is 15", 15, "bundle-targets.json")
def _(lab):
    bundle = lab.bundle([2])
    edit(bundle / "tuf/bundle-targets.json",
         lambda document: document["signed"]["x-fio-offline-bundle"].update(tag="other"))
    return bundle


@refusal("a bundle signed by a stranger is 15", 15, "bundle-targets.json")
def _(lab):
    return lab.odd_bundle([2], signers=[lab.stranger()])


@refusal("a stranger's signature under the right keyid is 15", 15, "bundle-targets.json")
def _(lab):
    return lab.odd_bundle([2], signers=[(lab.keyid("targets"), lab.stranger()[1])])


@refusal("one key's signature twice is 15", 15, "bundle-targets.json")
def _(lab):
    return lab.odd_bundle([2], signers=[(lab.keyid("targets"), lab.key("targets"))] * 2)


@refusal("a bundle for another tag is 15", 15, "tag")
def _(lab):
    return lab.odd_bundle([2], tag="stable")


@refusal("a production bundle on a CI device is 15", 15, "prod")
def _(lab):
    return lab.odd_bundle([2], kind="prod")


@refusal("a CI bundle on a production device is 15", 15, "ci", kind="prod")
def _(lab):
    return lab.odd_bundle([2], kind="ci")


@refusal("an expired bundle is 12", 12, "bundle-targets.json", "expired")
def _(lab):
    return lab.odd_bundle([2], days=-1)


@refusal("a truncated timestamp is 11", 11, "timestamp")
def _(lab):
    bundle = lab.bundle([2])
    path = bundle / "tuf/timestamp.json"
    path.write_bytes(path.read_bytes()[:100])
    return bundle


@refusal("an empty snapshot is 11", 11, "snapshot")
def _(lab):
    bundle = lab.bundle([2])
    (bundle / "tuf/snapshot.json").write_bytes(b"")
    return bundle


@refusal("a targets role changed after it was signed is 11", 11, "targets")
def _(lab):
    bundle = lab.bundle([2])
    edit(bundle / "tuf/targets.json", lambda document: document["signed"].update(version=99))
    return bundle


@refusal("a timestamp that is gone is 14", 14, "timestamp")
def _(lab):
    bundle = lab.bundle([2])
    (bundle / "tuf/timestamp.json").unlink()
    return bundle


@refusal("a symbolic link in place of a role is refused: 4", 4, "timestamp.json")
def _(lab):
    bundle = lab.bundle([2])
    path = bundle / "tuf/timestamp.json"
    path.rename(lab.folder / "elsewhere.json")
    path.symlink_to(lab.folder / "elsewhere.json")
    return bundle


@refusal("a named pipe in place of a role is refused at once: 4", 4, "timestamp.json")
def _(lab):
    bundle = lab.bundle([2])
    (bundle / "tuf/timestamp.json").unlink()
    os.mkfifo(bundle / "tuf/timestamp.json")
    return bundle


@refusal("no target for this hardware is 6", 6, "board")
def _(lab):
    lab.release(3, hardware="other")
    return lab.odd_bundle([3])


@refusal("no target for this tag is 6", 6)
def _(lab):
    lab.release(3, tag="stable")
    return lab.odd_bundle([3])


@refusal("a bundle that lists nothing that the targets role has is 6", 6)
def _(lab):
    return lab.odd_bundle([2], listed=["nobody-9"])


@refusal("a commit that is not in the bundle is 8", 8)
def _(lab):
    bundle = lab.bundle([2])
    commit = lab.commits[2]
    (bundle / f"ostree_repo/objects/{commit[:2]}/{commit[2:]}.commit").unlink()
    return bundle


@refusal("a bundle without ostree_repo is 8", 8, "ostree_repo")
def _(lab):
    bundle = lab.bundle([2])
    shutil.rmtree(bundle / "ostree_repo")
    return bundle


@test("stray files of other systems harm nobody")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    (bundle / "tuf/._timestamp.json").write_bytes(b"\x00\x05\x16\x07")
    (bundle / ".DS_Store").write_bytes(b"\x00")
    (bundle / "System Volume Information").mkdir()
    (bundle / "ostree_repo/objects/._aa").write_bytes(b"\x00")
    with lab.device() as device:
        device.expect(100, "update", "--src-dir", bundle)


@test("a stranger's signature beside enough good ones does no harm")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    good = (lab.keyid("targets"), lab.key("targets"))
    bundle = lab.odd_bundle([2], signers=[lab.stranger(), good])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)


@test("missing bundle metadata is accepted where the configuration allows it")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.odd_bundle([2], meta=False)
    with lab.device(config="[satchel]\nrequire_bundle_metadata = false\n") as device:
        device.expect(16, "check", "--src-dir", bundle)


@test("trust on first use is a setting: the first bundle's root, and no other one's after it")
def _(tmp):
    lab = Lab(tmp / "one", releases=(1, 2))
    other = Lab(tmp / "two", releases=(1, 2))
    with lab.device(trusted=False,
                    config="[satchel]\ntrust_on_first_use = true\n") as device:
        device.expect(16, "check", "--src-dir", lab.bundle([2]))
        result = device.expect(15, "check", "--src-dir", other.bundle([2]))
        reasons = result.stderr.splitlines()
        assert reasons[-2:] == [
            "also: timestamp 3: 0 of 1 signatures (keys of root 1)",
            "satchel-installer: bundle-targets.json 3: 0 of 1 signatures (keys of the targets "
            "role)"], result


@test("metadata tampered with between check and pull is refused by pull and install")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        meta = bundle / "tuf/bundle-targets.json"
        good = meta.read_bytes()
        meta.write_bytes(good.replace(b'"devel"', b'"other"'))
        assert_refused(device, 15, bundle, commands=("pull", "install", "update"))
        meta.write_bytes(good)
        device.expect(0, "pull", "--src-dir", bundle)
        meta.unlink()
        assert_refused(device, 15, bundle, commands=("pull", "install", "update"))


@test("time never goes back: an accepted bundle's time of issue ends those that expired before")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    soon = lab.bundle([2], days=10)
    later = lab.bundle([2], days=10, epoch=FAR_S)
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", soon)
        device.expect(16, "check", "--src-dir", later)
        assert (device.storage / "satchel/tuf/time-floor").read_text().startswith("2070-")
        assert_refused(device, 12, soon, "expired", "floor")


@test("a refused bundle does not move the time")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    soon = lab.bundle([2], days=10)
    later = lab.bundle([2], days=10, epoch=FAR_S, tag="stable")
    with lab.device() as device:
        assert_refused(device, 15, later)
        device.expect(16, "check", "--src-dir", soon)


@test("the commit that is deployed tells the time as well")
def _(tmp):
    lab = Lab(tmp, releases=(2,))
    lab.release(1, commit=lab.commit(1, time="2070-01-01 00:00:00 +0000"))
    with lab.device(version=1) as device:
        assert_refused(device, 12, lab.bundle([2], days=10), "floor")


@test("stored metadata that has expired is 12 for list and install")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", lab.bundle([2]))
        floor = device.storage / "satchel/tuf/time-floor"
        floor.write_text("2099-01-01T00:00:00Z\n")
        for command in ("list", "install"):
            result = device.expect(12, command)
            assert "floor" in result.stderr, result


@test("stored metadata that cannot be read is 4, for each command that needs it")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        store = device.storage / "satchel/tuf"
        shutil.rmtree(store)
        store.write_text("in the way")
        assert_refused(device, 4, bundle, "tuf")
        device.expect(4, "list")
        device.expect(4, "install")


@test("stored metadata that was altered is 11 for list and install")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", lab.bundle([2]))
        path = device.storage / "satchel/tuf/targets.json"
        path.write_bytes(path.read_bytes().replace(b"board-lmp-2", b"board-lmp-9"))
        for command in ("list", "install"):
            result = device.expect(11, command)
            assert "targets 3: 0 of 1 signatures (keys of root 1)" in result.stderr, result


@test("stored metadata without a target for this device is 6 for list and install")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", lab.bundle([2]))
        device.config.write_text(device.config.read_text().replace('"devel"', '"stable"'))
        for command in ("list", "install"):
            device.expect(6, command)


@test("a damaged trusted root is replaced by the image's, and nothing of it is believed")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        root = device.storage / "satchel/tuf/root.json"
        good = root.read_bytes()
        root.write_bytes(good[:200])
        device.expect(16, "check", "--src-dir", bundle)
        assert root.read_bytes() == good


@test("several reasons are all said, the most telling last")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.odd_bundle([2], tag="stable", kind="prod")
    with lab.device() as device:
        result = device.expect(15, "check", "--src-dir", bundle)
        assert "also: " in result.stderr, result
        assert NAME not in result.stdout


main()
