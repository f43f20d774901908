#!/usr/bin/python3
"""A device that runs what it updates: deployments, reboots, and what a cut in between leaves."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from booted_lab import BUNDLE, SENTINEL, main_booted, with_booted  # noqa: E402
from device_lab import NAME, OS, sh  # noqa: E402
from tap import run, skip  # noqa: E402


@with_booted("a booted device: update 100, run before the reboot 100, after it 0")
def _(lab, system):
    system.expect(16, "check", *BUNDLE)
    system.expect(100, "update", *BUNDLE)
    assert (system.root / SENTINEL).exists()
    result = system.expect(100, "run")
    assert "reboot" in result.stderr, result
    assert lab.commits[1] in system.expect(0, "status").stdout
    system.expect(30, "update", *BUNDLE)
    system.boot()
    assert not (system.root / SENTINEL).exists()
    system.expect(0, "run")
    assert f"Active image is: 2\tsha256:{lab.commits[2]}" in system.expect(0, "status").stdout
    assert system.deployments() == [lab.commits[2], lab.commits[1]]
    system.expect(40, "run")
    system.expect(0, "check", *BUNDLE)


@with_booted("a stick that brings what waits for its reboot gives 100, any other one 30",
             config='[media]\nreboot = "never"')
def _(lab, system):
    system.expect(100, "media", "/mnt/media")
    assert "board-lmp-2 is installed; a reboot starts it" in \
        system.expect(100, "media", "/mnt/media").stderr
    (system.media / "bundle").rename(system.media / "._bundle")
    result = system.expect(30, "media", "/mnt/media")
    assert "not confirmed yet" in result.stderr, result
    (system.media / "._bundle").rename(system.media / "bundle")
    # Behind the reboot it is settled which one runs: no stick makes it reboot again.
    system.boot(1)
    system.expect(30, "media", "/mnt/media")
    system.expect(110, "run")


@with_booted("a boot loader that went back: run 110, and the old one is current")
def _(lab, system):
    system.expect(16, "check", *BUNDLE)
    system.expect(100, "update", *BUNDLE)
    system.boot(1)
    system.expect(110, "run")
    assert f"Active image is: 1\tsha256:{lab.commits[1]}" in system.expect(0, "status").stdout
    system.expect(0, "check", *BUNDLE)
    # By name it may be tried again. What runs is next, for the boot loader to go back to; and the
    # present default stays: a power cut could boot it once more.
    system.expect(100, "update", "2", *BUNDLE)
    assert system.deployments() == [lab.commits[2], lab.commits[1], lab.commits[2]]
    system.boot(1)
    system.expect(110, "run")
    # Booted into it all the same, later: status tells what runs.
    system.boot(0)
    assert lab.commits[2] in system.expect(0, "status").stdout


@with_booted("nothing that the old boot entry needs is deleted before the new one is in place")
def _(lab, system):
    if shutil.which("strace") is None:
        skip("strace is missing")
    system.expect(0, "pull", *BUNDLE)
    trace = system.media / "trace"
    calls = "renameat,renameat2,rename,linkat,unlinkat,mkdirat,syncfs,ioctl,chroot"
    result = system.expect(100, "install", before=(
        "strace", "-f", "-qq", "-o", trace, "-e", f"trace={calls}"))
    lines = trace.read_text().splitlines()

    def places(pattern):
        return [n for n, line in enumerate(lines) if re.search(pattern, line)]

    swap = places(r'rename\w*\(.*"loader\.tmp".*"loader"\) = 0')
    freezes = places(r"ioctl\(\d+, FIFREEZE\) += 0")
    thaws = places(r"ioctl\(\d+, FITHAW\) += 0")
    pins = places(r'linkat\(\d+, "loader", \d+, "\.loader\.pin", 0\) = 0')
    deleted = places(r'unlinkat\(\d+, "(boot\.\d|loader\.\d|entries|ostree-\d)')
    assert len(swap) == 1 and len(pins) == 1, (swap, pins, result)
    before = [n for n in freezes if n < swap[0]]
    after = [n for n in freezes if n > swap[0]]
    # Ours at the beginning, libostree's own before the swap, ours behind it.
    assert len(before) == 2 and len(after) == 1 and len(thaws) == 3, (freezes, thaws, swap)
    assert pins[0] < before[0]
    # The checkout is on the disk before anything names it.
    entries = places(r'mkdirat\(\d+, "boot/loader\.\d/entries", \d+\) = 0')
    synced = [n for n in places(r"syncfs\(\d+\) += 0") if n < entries[0]]
    assert len(synced) == 2 and synced[1] > before[0], (synced, before, entries)
    late = [n for n in deleted if n > swap[0]]
    assert late and min(late) > after[0], (late, after)
    assert (system.top / "boot/.loader.pin").is_symlink()


@with_booted("an installer that dies while /boot is frozen leaves it thawed")
def _(_lab, system):
    if shutil.which("strace") is None:
        skip("strace is missing")
    system.expect(0, "pull", *BUNDLE)
    trace = system.media / "trace"
    # When the program is about to thaw what it froze first. Its child has other numbers.
    number = 0
    for n in range(1, 60):
        result = system.run("install", before=(
            "strace", "-f", "-qq", "-o", trace, "-e", "trace=ioctl", "-e",
            f"inject=ioctl:signal=SIGKILL:when={n}"))
        lines = trace.read_text().splitlines()
        program = lines[0].split()[0]
        own = [line for line in lines if line.startswith(program)]
        if any("FIFREEZE" in line and line.endswith("= 0") for line in own):
            number = n
            break
    assert number > 1, result
    assert result.returncode in (-9, 137), result
    # A write to what is frozen cannot even be killed: thaw before waiting for its end.
    write = subprocess.Popen(["touch", system.top / "boot/touched"])
    try:
        assert write.wait(timeout=120) == 0
    except subprocess.TimeoutExpired as problem:
        raise AssertionError(f"/boot is frozen:\n{trace.read_text()}") from problem
    finally:
        run(["fsfreeze", "-u", system.top / "boot"])
        write.wait()
    system.expect(100, "install")


@with_booted("a cut between swap and clean-up is finished by the next command, commits compared")
def _(lab, system):
    system.expect(0, "pull", *BUNDLE)
    # The state as it is on disk when the power goes right behind the swap.
    system.expect(100, "install")
    state = system.top / f"ostree/deploy/{OS}/var/sota/satchel/state.json"
    text = state.read_text()
    state.write_text(text.replace('"pending"', '"installing"'))
    # The old one boots once more: only the next boot tells.
    system.boot(1)
    assert "Pending Target: 2" in system.expect(0, "status").stdout
    system.expect(100, "run")
    system.boot(0)
    system.expect(0, "run")
    state.write_text(text.replace('"pending"', '"installing"'))
    system.boot(0)
    system.expect(0, "run")
    assert f'"name": "{NAME}-2"' in state.read_text()


@with_booted("without a place for the reboot's sentinel nothing is deployed")
def _(lab, system):
    system.expect(0, "pull", *BUNDLE)
    (system.root / "run/satchel").write_text("in the way")
    result = system.expect(1, "install")
    assert "need_reboot" in result.stderr, result
    assert system.deployments() == [lab.commits[1]]
    os.unlink(system.root / "run/satchel")
    system.expect(100, "install")


def state_file(system):
    return system.top / f"ostree/deploy/{OS}/var/sota/satchel/state.json"


@with_booted("a state that is damaged before the reboot does not lose what is pending")
def _(lab, system):
    system.expect(100, "update", *BUNDLE)
    state_file(system).write_text("{")
    # Without the sentinel: only the next reboot tells what the next boot takes.
    os.unlink(system.root / SENTINEL)
    assert f"Pending Target: 2\tsha256:{lab.commits[2]}" in system.expect(0, "status").stdout
    assert not (system.root / SENTINEL).exists()
    # Whoever asks for an update did not ask for this one.
    result = system.expect(30, "update", *BUNDLE)
    assert "damaged" in result.stderr and f"{NAME}-2" in result.stderr, result
    system.expect(100, "run")
    system.boot()
    system.expect(0, "run")
    state = json.loads(state_file(system).read_text())
    assert state["current"]["name"] == f"{NAME}-2" and state["current"]["version"] == 2
    assert state["rollback"]["name"] == f"{NAME}-1", state


@with_booted("a state that is damaged and a boot loader that goes back: 110 after the next reboot")
def _(lab, system):
    system.expect(100, "update", *BUNDLE)
    state_file(system).write_text("{")
    system.boot(1)
    system.expect(100, "run")
    system.boot(1)
    system.expect(110, "run")
    state = json.loads(state_file(system).read_text())
    assert [target["name"] for target in state["failing"]] == [f"{NAME}-2"]
    assert state["current"]["commit"] == lab.commits[1]


@with_booted("what somebody else deployed waits for the reboot, and gets its name from metadata")
def _(lab, system):
    sh("ostree", "pull-local", "--repo", system.top / "ostree/repo", lab.repo, lab.commits[2])
    sh("ostree", "admin", "deploy", f"--sysroot={system.top}", f"--os={OS}", lab.commits[2])
    system.boot(1)
    assert "Pending Target: sha256:" in system.expect(0, "status").stdout
    system.expect(100, "run")
    system.expect(16, "check", *BUNDLE)
    assert f"Pending Target: 2\tsha256:{lab.commits[2]}" in system.expect(0, "status").stdout
    system.boot()
    system.expect(0, "run")
    assert f"Active image is: 2\tsha256:{lab.commits[2]}" in system.expect(0, "status").stdout


main_booted()
