#!/usr/bin/python3
"""`rollback` on a device that runs what it updates, before and behind its reboots."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from booted_lab import BUNDLE, SENTINEL, main_booted, with_booted  # noqa: E402
from device_lab import NAME  # noqa: E402


@with_booted("before the reboot: called off, the device is told of no reboot, and boots the old one")
def _(lab, system):
    system.expect(16, "check", *BUNDLE)
    system.expect(100, "update", *BUNDLE)
    system.expect(0, "rollback")
    assert not (system.root / SENTINEL).exists()
    assert system.deployments()[0] == lab.commits[1]
    system.boot()
    system.expect(40, "run")
    assert "Failing Target: 2" in system.expect(0, "status").stdout


@with_booted("cut off before the state was written, the next boot finds that it went back")
def _(lab, system):
    system.expect(16, "check", *BUNDLE)
    system.expect(100, "update", *BUNDLE)
    state = system.top / "ostree/deploy/lmp/var/sota/satchel/state.json"
    before = state.read_bytes()
    system.expect(0, "rollback")
    state.write_bytes(before)
    (system.root / SENTINEL).parent.mkdir(parents=True, exist_ok=True)
    (system.root / SENTINEL).touch()
    system.expect(100, "run")
    system.expect(0, "rollback")
    state.write_bytes(before)
    system.boot()
    system.expect(110, "run")
    assert "Failing Target: 2" in system.expect(0, "status").stdout


@with_booted("booted into it and not confirmed: back to the old one, 100, and after a reboot 0")
def _(lab, system):
    system.expect(16, "check", *BUNDLE)
    system.expect(100, "update", *BUNDLE)
    system.boot()
    result = system.expect(100, "rollback")
    assert f"{NAME}-1" in result.stderr, result
    assert (system.root / SENTINEL).exists()
    assert system.deployments()[0] == lab.commits[1]
    system.expect(100, "run")
    system.boot()
    system.expect(0, "run")
    text = system.expect(0, "status").stdout
    assert f"Active image is: 1\tsha256:{lab.commits[1]}" in text, text
    assert "Failing Target: 2" in text, text


@with_booted("a device that does not know its first release goes back to it all the same")
def _(lab, system):
    system.expect(100, "update", *BUNDLE)
    system.boot()
    system.expect(100, "rollback")
    system.boot()
    system.expect(0, "run")
    assert lab.commits[1] in system.expect(0, "status").stdout.splitlines()[1]


@with_booted("a boot loader that does not take the rollback: run 110, and what ran is current")
def _(lab, system):
    system.expect(16, "check", *BUNDLE)
    system.expect(100, "update", *BUNDLE)
    system.boot()
    system.expect(0, "run")
    system.expect(100, "rollback")
    system.boot(1)
    system.expect(110, "run")
    text = system.expect(0, "status").stdout
    assert "Active image is: 2" in text and "Failing Target: 1" in text, text


main_booted()
