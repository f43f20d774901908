#!/usr/bin/python3
"""Taking over a device that runs: what aktualizr-lite left pending, on both sides of the reboot."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from aktualizr_sql import Database, custom_of  # noqa: E402
from booted_lab import BUNDLE, SENTINEL, main_booted, with_booted  # noqa: E402
from device_lab import NAME, OS, sh  # noqa: E402


def storage(system):
    return system.top / f"ostree/deploy/{OS}/var/sota"


def state_of(system):
    return json.loads((storage(system) / "satchel/state.json").read_text())


def leave_to_us(lab, system, reboot_flag, *change):
    """Release 2 is deployed and pending, by aktualizr-lite; 1 is booted."""
    sh("ostree", "pull-local", "--repo", system.top / "ostree/repo", lab.repo, lab.commits[2])
    sh("ostree", "admin", "deploy", f"--sysroot={system.top}", f"--os={OS}", lab.commits[2])
    db = Database(storage(system) / "sql.db")
    for version, flags in ((1, {"current": True, "worked": True}), (2, {"pending": True})):
        db.version(lab.names[version], lab.commits[version], custom=custom_of(version), **flags)
    db.need_reboot(reboot_flag)
    for sql in change:
        db.run(sql)
    db.close()
    system.boot(1)


def check_done(system):
    state = state_of(system)
    assert state["current"]["name"] == f"{NAME}-2" and state["rollback"]["name"] == f"{NAME}-1"
    assert state["failing"] == []


@with_booted("before the reboot: run 100, and after it 0")
def _(lab, system):
    leave_to_us(lab, system, 1)
    # The sentinel of aktualizr-lite is ours, too.
    (system.root / SENTINEL).parent.mkdir()
    (system.root / SENTINEL).touch()
    result = system.expect(100, "run")
    assert f"installed before: {NAME}-1; waiting for 'run': {NAME}-2" in result.stderr, result
    system.boot()
    system.expect(0, "run")
    check_done(system)


@with_booted("after the reboot: run 0")
def _(lab, system):
    leave_to_us(lab, system, 1)
    system.boot(0)
    system.expect(0, "run")
    check_done(system)


@with_booted("after a reboot in which the boot loader went back: run 110")
def _(lab, system):
    leave_to_us(lab, system, 1)
    system.expect(110, "run")
    state = state_of(system)
    assert [target["name"] for target in state["failing"]] == [f"{NAME}-2"]
    assert state["current"]["name"] == f"{NAME}-1"


@with_booted("where the database waits for no reboot, a sentinel that is gone tells of none")
def _(lab, system):
    leave_to_us(lab, system, 0)
    assert "Pending Target: 2" in system.expect(0, "status").stdout
    assert not (system.root / SENTINEL).exists()
    system.expect(100, "run")
    system.boot(1)
    system.expect(110, "run")


@with_booted("after a rollback that aktualizr-lite has noted nothing is pending")
def _(lab, system):
    leave_to_us(lab, system, 0, "UPDATE installed_versions SET is_pending = 0")
    result = system.expect(40, "run")
    assert f"running: {NAME}-1; failing: {NAME}-2" in result.stderr, result
    system.expect(0, "check", *BUNDLE)


@with_booted("a deployment that the database does not know waits for the reboot all the same")
def _(lab, system):
    leave_to_us(lab, system, 0, "DELETE FROM installed_versions WHERE is_pending = 1")
    system.expect(100, "run")
    system.expect(30, "update", *BUNDLE)
    system.boot()
    system.expect(0, "run")
    assert state_of(system)["current"]["commit"] == lab.commits[2]


main_booted()
