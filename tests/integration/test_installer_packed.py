#!/usr/bin/python3
"""Hostile and broken packed bundles on a device: refused, with nothing half-imported, and the next
try with a good copy succeeds."""
import io
import os
import pathlib
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import packed_bundle  # noqa: E402
from device_lab import Lab, NAME  # noqa: E402
from tap import main, test  # noqa: E402


class Rig:
    """A device with release 1 and a packed bundle of release 2."""

    def __init__(self, tmp):
        self.lab = Lab(tmp, releases=(1, 2))
        self.file = self.lab.bundle([2], packed=True)
        self.good = self.file.read_bytes()
        self.device = self.lab.device()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.device.__exit__()

    def forms(self, tmp):
        """The bundle's bytes as each form that --src-dir takes: (what to name, files)."""
        folder = tmp / "stick"
        folder.mkdir()
        alone = folder / "one.satchel"
        yield alone, [alone]
        yield folder, [alone]
        alone.unlink(missing_ok=True)
        parts = packed_bundle.split(self.good, folder / "two.satchel", len(self.good) // 3 + 1)
        yield parts[0], parts
        yield folder, parts

    def needed(self):
        """Where the middle of each object is that the device lacks."""
        with tarfile.open(fileobj=io.BytesIO(self.good)) as archive:
            return [member.offset_data + member.size // 2 for member in archive
                    if "/objects/" in member.name and member.isfile() and not
                    os.path.lexists(self.device.repo / member.name.partition("/")[2]
                                    .replace(".filez", ".file"))]

    def altered(self, place):
        data = bytearray(self.good)
        data[place] ^= 1
        return bytes(data)

    def write(self, data, files):
        size = -(-len(self.good) // len(files))
        for number, file in enumerate(files):
            file.write_bytes(data[number * size:(number + 1) * size])

    def assert_kept_out(self, statuses, source, words=("pull",)):
        device = self.device
        result = device.run(*words, "--src-dir", source)
        assert result.returncode in statuses, result
        assert result.stderr.splitlines()[-1].startswith("satchel-installer: "), result
        assert not device.has_commit(2), result
        assert device.deployments() == [self.lab.commits[1]]
        state = device.state() or {}
        assert "pending" not in state and not state.get("failing"), state
        device.fsck()
        return result

    def assert_installs(self, source):
        device = self.device
        device.expect(0, "pull", "--src-dir", source)
        device.fsck()
        device.expect(100, "update", "--src-dir", source)
        assert device.state()["pending"]["name"] == f"{NAME}-2"


@test("check, pull and update take a file, the first part of a set, and the folder of either")
def _(tmp):
    with Rig(tmp) as rig:
        for number, (source, files) in enumerate(rig.forms(tmp)):
            rig.write(rig.good, files)
            with rig.lab.device() as device:
                device.expect(16, "check", "--src-dir", source)
                if number % 2:
                    device.expect(0, "pull", "--src-dir", source)
                    device.fsck()
                device.expect(100, "update", "--src-dir", source)
                device.expect(0, "run")


@test("a bit flipped in any member that is needed is 50, in each form, and the next copy is taken")
def _(tmp):
    with Rig(tmp) as rig:
        places = rig.needed()
        assert len(places) >= 10, places
        for number, (source, files) in enumerate(rig.forms(tmp)):
            for place in places[number::4]:
                rig.write(rig.altered(place), files)
                with rig.lab.device() as rig.device:  # one that has none of the others either
                    rig.assert_kept_out((50,), source)
                    rig.assert_kept_out((50,), source, ("update",))
            with rig.lab.device() as rig.device:
                rig.assert_kept_out((50,), source)
                rig.write(rig.good, files)
                rig.assert_installs(source)


@test("a copy that broke off is refused at any length, in each form, and the next copy is taken")
def _(tmp):
    with Rig(tmp) as rig:
        end = rig.good.rstrip(b"\0")
        for source, files in rig.forms(tmp):
            for n in (1, 5, 8):
                rig.write(rig.good[:len(end) * n // 9], files)
                rig.assert_kept_out((8, 14, 15, 50), source, ("check",))
                rig.assert_kept_out((8, 14, 15, 50), source)
        rig.write(rig.good, files)
        rig.assert_installs(source)


@test("a part that is missing is named, and once it is there the bundle is taken")
def _(tmp):
    with Rig(tmp) as rig:
        source, files = list(rig.forms(tmp))[-1]
        rig.write(rig.good, files)
        for missing in files[1:]:
            missing.rename(tmp / "aside")
            for name in (source, files[0]):
                for words in (("check",), ("pull",), ("update",)):
                    result = rig.assert_kept_out((8, 50), name, words)
                    assert missing.name in result.stderr, result
            (tmp / "aside").rename(missing)
        rig.assert_installs(source)


@test("damage that is found half-way keeps what was good, and only the rest is read again")
def _(tmp):
    with Rig(tmp) as rig:
        rig.file.write_bytes(rig.altered(rig.needed()[-1]))
        rig.assert_kept_out((50,), rig.file)
        before = {path for path in (rig.device.repo / "objects").rglob("*") if path.is_file()}
        rig.file.write_bytes(rig.good)
        rig.assert_installs(rig.file)
        assert all(os.path.exists(path) for path in before)


main()
