#!/usr/bin/python3
"""A device whose clock stands in 1970, as without a battery, or in 2100: each command."""
import datetime
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from c_program import build_preload  # noqa: E402
from device_lab import Lab, NAME  # noqa: E402
from kill_sweep import check_state  # noqa: E402
from tap import main, test  # noqa: E402

IN_1970 = 3 * 86400
IN_2060 = 2840140800
IN_2100 = 4102444800


class Clock:
    """Runs commands of a device with the clock at some time."""

    def __init__(self, tmp, device, at_s):
        self.device = device
        at = datetime.datetime.utcfromtimestamp(at_s).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.told = f"the clock says {at}, the time floor is 20"
        self.env = {"LD_PRELOAD": build_preload("clock_at.c", tmp), "CLOCK_AT_S": str(at_s),
                    # its own library wants to be the first
                    "ASAN_OPTIONS": "verify_asan_link_order=0"}

    def expect(self, status, *words):
        return self.device.expect(status, *words, env=self.env)


@test("in 1970 a device updates from release to release, and goes back")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        clock = Clock(tmp, device, IN_1970)
        clock.expect(16, "check", "--src-dir", bundle)
        clock.expect(16, "list")
        clock.expect(0, "pull", "--src-dir", bundle)
        clock.expect(100, "install")
        clock.expect(0, "run")
        clock.expect(0, "check", "--src-dir", bundle)
        state = check_state(device)
        assert state["current"]["name"] == f"{NAME}-2", state
        assert {event["at"][:10] for event in state["events"]} == {"1970-01-04"}, state
        assert "1970-01-04T00:00:00Z: " in clock.expect(0, "status").stdout
        clock.expect(100, "rollback")
        clock.expect(0, "run")
        assert check_state(device)["current"]["name"] == f"{NAME}-1"
        # The right time is no harm to what was noted at a wrong one.
        device.expect(0, "check", "--src-dir", bundle)


@test("in 1970 a bundle that has expired is refused: the device knows a later time")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    ended = lab.odd_bundle([2], days=-4000)
    with lab.device() as device:
        clock = Clock(tmp, device, IN_1970)
        before = device.digest()
        for command in ("check", "pull", "update"):
            result = clock.expect(12, command, "--src-dir", ended)
            assert clock.told in result.stderr, result
        assert device.digest() == before


@test("a clock that ran ahead to 2060 leaves no trace in what the device takes for the time")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle, short = lab.bundle([1, 2]), lab.odd_bundle([1, 2], days=1000)
    with lab.device() as device:
        clock = Clock(tmp, device, IN_2060)
        clock.expect(12, "check", "--src-dir", short)
        clock.expect(16, "check", "--src-dir", bundle)
        clock.expect(0, "pull", "--src-dir", bundle)
        device.expect(16, "check", "--src-dir", short)
        device.expect(100, "update", "--src-dir", short)
        device.expect(0, "run")


@test("in 2100 what has expired is refused, by clock and floor, and nothing is locked out by it")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        clock = Clock(tmp, device, IN_2100)
        device.expect(0, "pull", "--src-dir", bundle)
        before = device.digest()
        for command in ("check", "pull", "update", "install"):
            result = clock.expect(12, command, "--src-dir", bundle)
            assert clock.told in result.stderr, result
        for command in ("list", "install"):
            clock.expect(12, command)
        clock.expect(40, "run")
        clock.expect(21, "rollback")
        assert device.digest() == before
        device.expect(100, "install")


@test("in 2100 what is installed is finished and gone back from, whatever has expired")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        clock = Clock(tmp, device, IN_2100)
        device.expect(16, "check", "--src-dir", bundle)
        device.expect(100, "update", "--src-dir", bundle)
        clock.expect(0, "run")
        assert "2100-01-01T00:00:00Z: " in clock.expect(0, "status").stdout
        clock.expect(100, "rollback")
        clock.expect(0, "run")
        state = check_state(device)
        assert state["current"]["name"] == f"{NAME}-1", state
        assert [target["name"] for target in state["failing"]] == [f"{NAME}-2"], state
        # The clock alone moves no floor: set right, it is as before.
        device.expect(0, "check", "--src-dir", bundle)
        device.expect(100, "update", "2", "--src-dir", bundle)


main()
