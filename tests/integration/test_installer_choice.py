#!/usr/bin/python3
"""Which target a device takes: its hardware and tags, names and versions, downgrades and floors."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import HARDWARE, NAME, Lab  # noqa: E402
from schemas import check as check_schema  # noqa: E402
from tap import main, test  # noqa: E402

TARGETS = "installer-targets.schema.json"
STATE = "installer-state.schema.json"


def listed(result):
    """What check or list printed as JSON."""
    return check_schema(result.stdout.encode(), TARGETS)


def follow(device, *words):
    """An update that works."""
    device.expect(100, "update", *words)
    device.expect(0, "run")


def state_of(device):
    return check_schema(device.state_file.read_bytes(), STATE)


@test("of several targets the newest for this hardware and tag is taken, by number and not by name")
def _(tmp):
    lab = Lab(tmp, releases=(1, 9, 10))
    lab.release(11, commit=lab.commits[9], hardware="other", name="other-lmp")
    lab.release(12, commit=lab.commits[9], tag="test", name="test-lmp")
    bundle = lab.bundle([9, 10])
    odd = lab.odd_bundle([9, 10], listed=[f"{NAME}-10", f"{NAME}-9", "other-lmp-11", "test-lmp-12"])
    with lab.device() as device:
        for one in (bundle, odd):
            found = listed(device.expect(16, "check", "--src-dir", one, "--json", "1"))
            assert [target["version"] for target in found] == [9, 10], found
            assert [target["version"] for target in found if target.get("selected")] == [10]
        result = device.expect(16, "check", "--src-dir", odd)
        assert "note: target 'other-lmp-11'" in result.stderr, result
        assert "note: target 'test-lmp-12'" in result.stderr, result


@test("targets for secondary hardware ids are passed over with a word; alone they are 20 and null")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    lab.release(7, commit=lab.commits[2], hardware="mcu", name="mcu")
    both = lab.odd_bundle([2], listed=[f"{NAME}-2", "mcu-7"])
    alone = lab.odd_bundle([2], listed=["mcu-7"])
    config = '[satchel]\nsecondary_hardware_ids = "dsp, mcu"\n'
    with lab.device() as device:
        before = device.digest()
        device.expect(6, "check", "--src-dir", alone)
        assert device.digest() == before
    with lab.device(config=config) as device:
        result = device.expect(16, "check", "--src-dir", both)
        assert "mcu-7" in result.stderr and "secondary" in result.stderr, result
        for command in ("check", "pull", "install", "update"):
            result = device.expect(20, command, "--src-dir", alone)
            assert "secondary" in result.stderr and "mcu-7" in result.stderr, result
        result = device.expect(20, "check", "--src-dir", alone, "--json", "1")
        assert listed(result) is None, result
        # Nothing else that goes wrong looks like it.
        result = device.expect(15, "check", "--src-dir", lab.bundle([2], tag="test"), "--json", "1")
        assert result.stdout == "", result


@test("an automatic downgrade is a setting")
def _(tmp):
    lab = Lab(tmp)
    every, old = lab.bundle([1, 2, 3]), lab.bundle([1, 2])
    with lab.device(version=3) as device:
        device.expect(0, "check", "--src-dir", every)
        result = device.expect(0, "update", "--src-dir", old)
        assert "older than the current" in result.stderr, result
        device.write_config("[satchel]\nauto_downgrade = true\n")
        found = listed(device.expect(16, "check", "--src-dir", old, "--json", "1"))
        assert [target["version"] for target in found if target.get("selected")] == [2], found
        follow(device, "--src-dir", old)
        assert state_of(device)["current"]["version"] == 2


@test("a target of a failing one's name and another commit is not the failing one")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        state = device.state()
        state["failing"] = [{"name": f"{NAME}-2", "version": 2, "commit": "a" * 64, "apps": []}]
        device.state_file.write_text(json.dumps(state))
        found = listed(device.expect(16, "check", "--src-dir", bundle, "--json", "1"))
        assert found[1].get("selected") and "failed" not in found[1], found


def assert_refused(device, *words):
    """102 from each command that acts, and nothing has changed; gives the last result."""
    device.run("check", *words)  # the bundle itself is good: its metadata are taken
    before = device.digest()
    for command in ("pull", "install", "update"):
        result = device.expect(102, command, *words)
        assert result.stderr.count("\n") == 1, result
    assert device.digest() == before
    return result


@test("below the configuration's floor nothing is taken, named or not: 102; check and list go on")
def _(tmp):
    lab = Lab(tmp)
    bundle = lab.bundle([1, 2, 3])
    old = lab.bundle([2])
    with lab.device(config="[satchel]\nlowest_version = 3\n") as device:
        device.expect(16, "check", "--src-dir", bundle)
        for target in ("2", f"{NAME}-2"):
            result = assert_refused(device, target, "--src-dir", bundle)
            assert f"{NAME}-2" in result.stderr and "none below 3" in result.stderr, result
        assert_refused(device, "--src-dir", old)
        for command, status in (("check", 0), ("list", 3)):
            result = device.expect(status, command, "2", "--src-dir", bundle, "--json", "1")
            assert not [target for target in listed(result) if "selected" in target], result
        assert "none below 3" in device.expect(0, "check", "--src-dir", old).stdout
        # What runs is below, too, and there is no harm in it.
        device.expect(0, "install", "1", "--src-dir", bundle)
        follow(device, "--src-dir", bundle)


@test("a floor that a signed target names holds at once, and after it ran for good")
def _(tmp):
    lab = Lab(tmp)
    lab.release(4, lowest=3)
    bundle = lab.bundle([2, 3, 4])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        assert_refused(device, "2", "--src-dir", bundle)
        # A bundle that does not carry that target is no way around it.
        assert_refused(device, "2", "--src-dir", lab.bundle([2]))
        assert "lowest_version" not in state_of(device)
        device.expect(100, "update", "--src-dir", bundle)
        assert state_of(device)["pending"]["lowest_version"] == 3
        assert "lowest_version" not in state_of(device)
        device.expect(0, "run")
        assert state_of(device)["lowest_version"] == 3
        # The target goes from the metadata; what it named stays.
        lab.withdraw(4)
        follow(device, "3", "--src-dir", lab.bundle([3]))
        assert_refused(device, "2", "--src-dir", lab.bundle([2]))
        assert state_of(device)["lowest_version"] == 3


@test("a floor of what failed does not hold once the target is gone")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    lab.release(3, lowest=3)
    with lab.device() as device:
        device.expect(100, "update", "--src-dir", lab.bundle([3]))
        device.boot_old()
        device.expect(110, "run")
        lab.withdraw(3)
        follow(device, "2", "--src-dir", lab.bundle([2]))


@test("a target with a floor above itself is passed over, and its floor does not count")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2, 3))
    lab.edit_targets(lambda targets: targets[f"{NAME}-3"]["custom"].update(
        {"x-satchel": {"lowest-version": 4}}))
    bundle = lab.odd_bundle([2, 3])
    with lab.device() as device:
        result = device.expect(100, "update", "--src-dir", bundle)
        assert "lowest-version" in result.stderr, result
        assert state_of(device)["pending"]["version"] == 2


@test("who is failing and runs does not go back below the floor: 21")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    lab.release(2, lowest=2)
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        follow(device, "--src-dir", bundle)
        state = device.state()
        state["failing"] = [state["current"]]
        device.state_file.write_text(json.dumps(state))
        device.expect(21, "check", "--src-dir", bundle)


@test("rollback does not lead below the floor: 21")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    lab.release(2, lowest=2)
    with lab.device() as device:
        follow(device, "--src-dir", lab.bundle([1, 2]))
        before = device.digest()
        result = device.expect(21, "rollback")
        assert "floor" in result.stderr, result
        assert device.digest() == before


@test("the floor of another hardware id or tag is none of this device's")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    lab.release(5, commit=lab.commits[2], hardware="other", name="other-lmp", lowest=5)
    lab.release(6, commit=lab.commits[2], tag="test", name="test-lmp", lowest=6)
    with lab.device() as device:
        assert HARDWARE != "other"
        follow(device, "2", "--src-dir", lab.bundle([2]))


main()
