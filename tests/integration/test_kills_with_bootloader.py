#!/usr/bin/python3
"""SIGKILL at many writes with a boot loader that counts and a callback program.

--every-point: not a sample of the points at which the program can be killed, but all of them, or many.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from boot_tools import BootTools  # noqa: E402
from device_lab import Lab, NAME  # noqa: E402
from kill_sweep import check_state, kill_sweep  # noqa: E402
from tap import main, test  # noqa: E402


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
        rig.sweep(["install"], 6, again)


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
        rig.sweep(["run"], 6, again)


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
        rig.sweep(["run"], 6, again)


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
        rig.sweep(["rollback"], 6, again)


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
        rig.sweep(["rollback"], 6, again)


main()
