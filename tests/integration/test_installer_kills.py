#!/usr/bin/python3
"""SIGKILL at any write of any command: the next one finishes or goes back, and nothing is wrong.

    test_installer_kills.py                 a sample of the points at which the program can be killed
    test_installer_kills.py --every-point   all of them, or many (.ci/run does that)
"""
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from boot_tools import BootTools  # noqa: E402
from device_lab import Lab, NAME  # noqa: E402
from kill_sweep import WRITES, check_state, kill_sweep  # noqa: E402
from tap import main, test  # noqa: E402


@test(f"killed at {WRITES}, check can be run again")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        def again(device):
            device.expect(16, "check", "--src-dir", bundle)
            assert check_state(device)["current"]["name"] == f"{NAME}-1"
            device.expect(16, "list")
        kill_sweep(device, ["check", "--src-dir", bundle], 25, again)


@test("killed at many writes, pull can be run again and the repository is whole")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        def again(device):
            # A commit that is there is complete.
            if device.has_commit(2):
                device.fsck()
            device.expect(0, "pull", "--src-dir", bundle)
            device.fsck()
            device.expect(100, "install")
        kill_sweep(device, ["pull", "--src-dir", bundle], 25, again, steps=False)


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
        kill_sweep(device, ["install"], 40, again)


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
        kill_sweep(device, ["install"], 25, again, most=110, steps=False)


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
        kill_sweep(device, ["run"], 25, again)


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
        kill_sweep(device, ["run"], 15, again)


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
        kill_sweep(device, ["rollback"], 25, again)


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
        kill_sweep(device, ["rollback"], 25, again)

# ---- other forms of a bundle

NOISE = random.Random(6).randbytes(300_000)


def with_blob(change):
    """A file of which a delta carries little."""
    def make(top):
        (top / "usr/lib/blob").write_bytes(NOISE + change)
    return make


def sweep_pull(lab, bundle, n):
    """Kills pulls of release 2 on a device with release 1."""
    with lab.device() as device:
        def again(device):
            if device.has_commit(2):
                device.fsck()
            device.expect(0, "pull", "--src-dir", bundle)
            device.fsck()
            left = [path.name for path in (device.repo / "tmp").iterdir()]
            assert all(name.startswith(("cache", "staging")) for name in left), left
            device.expect(100, "install")
        return kill_sweep(device, ["pull", "--src-dir", bundle], n, again, most=120, steps=False)


@test("killed at many writes in any thread, pull of a packed bundle can be run again")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    assert sweep_pull(lab, lab.bundle([1, 2], packed=True), 25) >= 2


@test("killed at many writes, pull of a thin bundle with a delta can be run again")
def _(tmp):
    lab = Lab(tmp, releases=())
    for version in (1, 2):
        lab.release(version, commit=lab.commit(version, with_blob(bytes([version]))))
    bundle = lab.bundle([2], "--from", lab.commits[1], "--delta")
    assert list((bundle / "ostree_repo/deltas").rglob("superblock"))
    sweep_pull(lab, bundle, 25)


# ---- boot loaders that count, and a callback program

class Rig:
    """A device with fiovb and a callback program; a kill may fall among their calls."""

    def __init__(self, tmp):
        self.lab = Lab(tmp, releases=(1, 2))
        self.bundle = self.lab.bundle([1, 2])
        self.tools = BootTools(tmp / "tools", "fiovb")
        for name in ("bootcount", "upgrade_available", "rollback"):
            self.tools[name] = "0"
        callback = tmp / "callback"
        callback.write_text(f"#!/bin/sh\necho \"$MESSAGE\" >>'{tmp}/tools/calls'\n")
        callback.chmod(0o755)
        self.device = self.lab.device()
        self.device.write_config('rollback_mode = "fiovb"\n',
                                 pacman=f'callback_program = "{callback}"\n')
        self.expect(16, "check", "--src-dir", self.bundle)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.device.__exit__()

    def expect(self, status, *words):
        return self.device.expect(status, *words, env=self.tools.env)

    def flags(self):
        return tuple(self.tools[name] for name in ("bootcount", "upgrade_available", "rollback"))

    def last_call(self):
        return (self.tools.folder / "calls").read_text().splitlines()[-1]

    def sweep(self, words, n, again):
        kill_sweep(self.device, words, n, again, most=60, env=self.tools.env,
                   more=(self.tools.folder,), steps=False)


@test("killed at many writes, install arms the boot loader in the end, and only for what is deployed")
def _(tmp):
    with Rig(tmp) as rig:
        rig.expect(0, "pull", "--src-dir", rig.bundle)

        def again(device):
            # What boots next is guarded: the new release is never the default with nothing armed.
            if device.deployments()[0] == rig.lab.commits[2]:
                assert rig.tools["upgrade_available"] == "1"
            was_pending = "pending" in (device.state() or {})
            rig.expect(30 if was_pending else 100, "install")
            assert rig.flags() == ("0", "1", "0")
            assert device.deployments() == [rig.lab.commits[2], rig.lab.commits[1]]
            rig.expect(0, "run")
            assert rig.flags() == ("0", "0", "0") and rig.last_call() == "install-post"
        rig.sweep(["install"], 25, again)


@test("killed at many writes, run disarms the boot loader in the end")
def _(tmp):
    with Rig(tmp) as rig:
        rig.expect(100, "update", "--src-dir", rig.bundle)
        rig.tools["bootcount"] = "1"

        def again(device):
            was_pending = "pending" in device.state()
            rig.expect(0 if was_pending else 40, "run")
            assert rig.flags() == ("0", "0", "0")
            assert check_state(device)["current"]["name"] == f"{NAME}-2"
        rig.sweep(["run"], 25, again)


@test("killed at many writes, run of what the boot loader went back from says so in the end")
def _(tmp):
    with Rig(tmp) as rig:
        rig.expect(100, "update", "--src-dir", rig.bundle)
        rig.device.boot_old()
        rig.tools["bootcount"] = "7"
        rig.tools["rollback"] = "1"

        def again(device):
            was_pending = "pending" in device.state()
            rig.expect(110 if was_pending else 40, "run")
            assert rig.flags() == ("0", "0", "1")
            state = check_state(device)
            assert [target["name"] for target in state["failing"]] == [f"{NAME}-2"]
        rig.sweep(["run"], 25, again)


@test("killed at many writes, rollback leaves the boot loader armed for what it deployed")
def _(tmp):
    with Rig(tmp) as rig:
        rig.expect(100, "update", "--src-dir", rig.bundle)
        rig.expect(0, "run")

        def again(device):
            if device.deployments()[0] == rig.lab.commits[2]:
                rig.expect(100, "rollback")
            rig.expect(0, "run")
            assert rig.flags() == ("0", "0", "0")
            state = check_state(device)
            assert state["current"]["name"] == f"{NAME}-1"
            assert [target["name"] for target in state["failing"]] == [f"{NAME}-2"]
        rig.sweep(["rollback"], 25, again)


@test("killed at many writes, an installation that is called off leaves nothing armed")
def _(tmp):
    with Rig(tmp) as rig:
        rig.expect(100, "update", "--src-dir", rig.bundle)

        def again(device):
            old_is_default = device.deployments()[0] == rig.lab.commits[1]
            if "pending" in device.state():
                rig.expect(110 if old_is_default else 0, "run" if old_is_default else "rollback")
            rig.expect(40, "run")
            assert rig.tools["upgrade_available"] == "0"
            assert device.deployments()[0] == rig.lab.commits[1]
            assert "pending" not in check_state(device)
        rig.sweep(["rollback"], 25, again)


main()
