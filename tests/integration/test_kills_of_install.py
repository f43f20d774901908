#!/usr/bin/python3
"""SIGKILL at any write of install, run and rollback: the next one finishes or goes back.

--every-point: not a sample of the points at which the program can be killed, but all of them, or many.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import Lab, NAME  # noqa: E402
from kill_sweep import WRITES, check_state, kill_sweep  # noqa: E402
from tap import main, test  # noqa: E402


def assert_cleaned_up(device):
    """What boots is there once: nothing is left of the clean-up."""
    for folder, pattern in (("ostree", "boot.?"), ("boot", "loader.?")):
        found = sorted(path.name for path in (device.sysroot / folder).glob(pattern))
        assert len(found) == 1, found


@test(f"killed at {WRITES}, install can be run again, and one of both releases is the default")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(0, "pull", "--src-dir", bundle)

        def again(device):
            assert device.deployments()[0] in (lab.commits[1], lab.commits[2])
            was_pending = "pending" in (device.state() or {})
            device.expect(30 if was_pending else 100, "install")
            assert device.deployments() == [lab.commits[2], lab.commits[1]]
            assert_cleaned_up(device)
            state = check_state(device)
            assert state["pending"]["name"] == f"{NAME}-2" and "installing" not in state
            device.fsck()
            device.expect(0, "run")
        kill_sweep(device, ["install"], 10, again)


@test("killed at many writes of install, run after the next boot tells the truth")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(0, "pull", "--src-dir", bundle)

        def again(device):
            booted = device.deployments()[0]
            result = device.run("run")
            assert result.returncode == (0 if booted == lab.commits[2] else 40), result
            state = check_state(device)
            assert state["current"]["commit"] == booted, state
            assert state["failing"] == [] and "installing" not in state, state
        kill_sweep(device, ["install"], 10, again, most=110, steps=False)


@test(f"killed at {WRITES}, run can be run again")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(100, "update", "--src-dir", bundle)

        def again(device):
            was_pending = "pending" in device.state()
            device.expect(0 if was_pending else 40, "run")
            state = check_state(device)
            assert state["current"]["name"] == f"{NAME}-2" and state["failing"] == []
        kill_sweep(device, ["run"], 10, again)


@test(f"a target that failed stays failing when run is killed at {WRITES} that find that out")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        device.expect(100, "update", "--src-dir", bundle)
        device.boot_old()

        def again(device):
            was_pending = "pending" in device.state()
            device.expect(110 if was_pending else 40, "run")
            state = check_state(device)
            assert [target["name"] for target in state["failing"]] == [f"{NAME}-2"]
            assert state["current"]["name"] == f"{NAME}-1"
        kill_sweep(device, ["run"], 8, again)


@test(f"killed at {WRITES}, rollback of what runs can be run again")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        device.expect(100, "update", "--src-dir", bundle)
        device.expect(0, "run")

        def again(device):
            # Behind its swap it is finished by whoever comes next.
            if device.deployments()[0] == lab.commits[2]:
                device.expect(100, "rollback")
            device.expect(0, "run")
            state = check_state(device)
            assert state["current"]["name"] == f"{NAME}-1"
            assert [target["name"] for target in state["failing"]] == [f"{NAME}-2"]
            device.fsck()
        kill_sweep(device, ["rollback"], 8, again)


@test(f"killed at {WRITES}, an installation can be called off again, or run says that it was")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        device.expect(100, "update", "--src-dir", bundle)

        def again(device):
            old_is_default = device.deployments()[0] == lab.commits[1]
            if "pending" in device.state():
                device.expect(110 if old_is_default else 0, "run" if old_is_default else "rollback")
            state = check_state(device)
            assert "pending" not in state and state["current"]["name"] == f"{NAME}-1"
            assert [target["name"] for target in state["failing"]] == [f"{NAME}-2"]
            assert device.deployments()[0] == lab.commits[1]
        kill_sweep(device, ["rollback"], 8, again)


main()
