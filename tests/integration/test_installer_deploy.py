#!/usr/bin/python3
"""Deployments on a device that runs: room in /boot, other actors, what boots next."""
import fcntl
import os
import pathlib
import re
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from booted_lab import BUNDLE, main_booted, with_booted, with_kernel, with_system  # noqa: E402
from boot_tools import BootTools  # noqa: E402
from c_program import build  # noqa: E402
from device_lab import OS, sh, tree_digest  # noqa: E402
from tap import skip  # noqa: E402


def free_bytes(folder):
    info = os.statvfs(folder)
    return info.f_bfree * info.f_frsize


def fill(path, leave):
    """A file that leaves that many bytes free."""
    with open(path, "wb") as file:
        size = free_bytes(path.parent) - leave
        file.write(b"x" * size)


BIG = 2 << 20


@with_booted("a /boot without room for the kernel: 110, says how much lacks, nothing is changed",
             (with_system, with_kernel(BIG)))
def _(lab, system):
    boot = system.top / "boot"
    system.expect(0, "pull", *BUNDLE)
    fill(boot / "filler", BIG)
    before = tree_digest(boot)
    result = system.expect(110, "install")
    assert re.search(r"/boot: \d+ bytes are lacking", result.stderr), result
    assert "stays as it is" in result.stderr, result
    before.pop(".loader.pin", None)
    after = tree_digest(boot)
    after.pop(".loader.pin", None)
    assert after == before
    assert system.deployments() == [lab.commits[1]]
    # Not a failing target: with room it is installed, without being named.
    (boot / "filler").unlink()
    fill(boot / "filler", BIG + (1 << 20))
    system.expect(100, "install")
    assert (boot / "filler").exists()


@with_booted("what a cut left in /boot is cleaned up where its room is needed",
             (with_system, with_kernel(BIG)))
def _(lab, system):
    boot = system.top / "boot"
    left = boot / f"ostree/{OS}-{'a' * 64}"
    left.mkdir()
    (left / "vmlinuz-6.1.0").write_bytes(b"k" * BIG)
    fill(boot / "filler", BIG // 2)
    system.expect(100, "update", *BUNDLE)
    assert not left.exists()
    system.boot()
    system.expect(0, "run")


@with_booted("a kernel that is in /boot already needs no room of its own",
             (with_kernel(BIG), with_kernel(BIG)))
def _(lab, system):
    fill(system.top / "boot/filler", BIG // 2)
    system.expect(100, "update", *BUNDLE)


@with_booted("a /boot on the root file system is frozen and thawed as well", one_disk=True)
def _(lab, system):
    if shutil.which("strace") is None:
        skip("strace is missing")
    system.expect(0, "pull", *BUNDLE)
    trace = system.media / "trace"
    system.expect(100, "install", before=("strace", "-f", "-qq", "-o", trace, "-e",
                                          "trace=renameat,renameat2,rename,ioctl"))
    text = trace.read_text()
    swap = re.search(r'rename\w*\(.*"loader\.tmp".*"loader"\) = 0', text).start()
    freezes = [m.start() for m in re.finditer(r"ioctl\(\d+, FIFREEZE\) += 0", text)]
    thaws = [m.start() for m in re.finditer(r"ioctl\(\d+, FITHAW\) += 0", text)]
    assert len(freezes) == len(thaws) == 3 and freezes[1] < swap < freezes[2], text
    system.boot()
    system.expect(0, "run")


@with_booted("a deployment that another program has staged is not written over: 1, then 100")
def _(lab, system):
    system.expect(0, "pull", *BUNDLE)
    program = build("stage_deployment.c", system.media, packages=("ostree-1",))
    sh("chroot", system.root, f"/mnt/media/{program.name}", OS, lab.commits[2])
    staged = system.root / "run/ostree/staged-deployment"
    assert staged.exists()
    result = system.expect(1, "install")
    assert "staged" in result.stderr and "undeploy 0" in result.stderr, result
    assert staged.exists()
    # It counts as nothing that we did.
    system.expect(40, "run")
    staged.unlink()
    system.expect(100, "install")


@with_booted("while another program holds the sysroot's lock nothing is deployed: 1, then 100")
def _(lab, system):
    system.expect(0, "pull", *BUNDLE)
    lock = os.open(system.top / "ostree/lock", os.O_RDWR | os.O_CREAT, 0o644)
    fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    result = system.expect(1, "install")
    assert "another process changes the deployments" in result.stderr, result
    assert system.deployments() == [lab.commits[1]]
    os.close(lock)
    system.expect(100, "install")


@with_booted("a boot entry that a cut has lost: status 1, 'reboot once', nothing is changed")
def _(lab, system):
    system.expect(100, "update", *BUNDLE)
    # What runs is in no entry any more, as after a journal's replay.
    entries = sorted((system.top / "boot/loader/entries").iterdir())
    entries[0].unlink()
    state = system.top / f"ostree/deploy/{OS}/var/sota/satchel/state.json"
    before = state.read_bytes()
    for command in ("run", "status", "check"):
        result = system.expect(1, command, *(BUNDLE if command == "check" else ()))
        assert "reboot once" in result.stderr, result
    assert state.read_bytes() == before


@with_booted("a third commit is booted: 110, and status tells what runs",
             (with_system, with_system, with_system))
def _(lab, system):
    system.expect(100, "update", "2", *BUNDLE)
    repo = system.top / "ostree/repo"
    sh("ostree", "pull-local", "--repo", repo, lab.repo, lab.commits[3])
    system.shut_down()
    sh("ostree", "admin", "deploy", f"--sysroot={system.top}", f"--os={OS}", lab.commits[3])
    system.boot(0)
    result = system.expect(110, "run")
    assert lab.commits[3] in result.stderr, result
    assert lab.commits[3] in system.expect(0, "status").stdout
    assert "Pending" not in system.expect(0, "status").stdout
    system.expect(40, "run")


@with_booted("the old one boots once and the new one next: run believes the commit, not the reboot")
def _(lab, system):
    system.expect(100, "update", *BUNDLE)
    system.boot(1)
    assert lab.commits[1] in system.expect(0, "status").stdout
    system.boot(0)
    system.expect(0, "run")
    assert f"Active image is: 2\tsha256:{lab.commits[2]}" in system.expect(0, "status").stdout


@with_booted("kernel arguments are kept; the current, the new and the rollback deployment remain",
             (with_system,) * 4)
def _(lab, system):
    for version in (2, 3):
        system.expect(100, "update", str(version), *BUNDLE)
        system.boot()
        system.expect(0, "run")
    system.expect(100, "update", "4", *BUNDLE)
    assert system.deployments() == [lab.commits[4], lab.commits[3], lab.commits[2]]
    entries = list((system.top / "boot/loader/entries").iterdir())
    assert len(entries) == 3
    for entry in entries:
        assert re.search(r"^options .*\bquiet\b", entry.read_text(), re.M), entry.read_text()


def with_firmware(top):
    with_system(top)
    (top / "usr/lib/firmware").mkdir()
    (top / "usr/lib/firmware/version.txt").write_text("bootfirmware_version=2\n")


@with_booted("a boot loader that counts: rolled back by hand before the first boot, nothing is left",
             (with_system, with_firmware), config='rollback_mode = "fiovb"\n')
def _(lab, system):
    tools = BootTools(system.media / "tools", "fiovb")
    tools["bootfirmware_version"] = "1"
    env = {"PATH": f"/mnt/media/tools:{os.environ['PATH']}"}
    system.expect(100, "update", *BUNDLE, env=env)
    assert [tools[name] for name in ("upgrade_available", "bootupgrade_available")] == ["1", "1"]
    system.expect(0, "rollback", env=env)
    assert [tools[name] for name in ("upgrade_available", "bootupgrade_available")] == ["0", "0"]
    assert system.deployments()[0] == lab.commits[1]
    # And once more, to its end: the firmware waits for a second reboot.
    system.expect(100, "update", "2", *BUNDLE, env=env)
    system.boot()
    tools["bootcount"] = "1"
    system.expect(5, "run", env=env)
    assert [tools[name] for name in ("bootcount", "upgrade_available")] == ["0", "0"]


main_booted()
