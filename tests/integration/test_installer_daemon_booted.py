#!/usr/bin/python3
"""`daemon` on a device that runs what it updates: it reboots by the configured command."""
import pathlib
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from booted_lab import BUNDLE, main_booted, with_booted  # noqa: E402
from device_lab import NAME, sh  # noqa: E402

REBOOT = "reboot_command = \"/usr/bin/touch '/var/a reboot' $HOME\"\n"


@with_booted("after the installation the reboot command is run by its arguments, without a shell",
             config=REBOOT)
def _(lab, system):
    del lab
    result = system.expect(0, "daemon", *BUNDLE)
    assert f"{NAME}-2 is installed" in result.stderr, result
    found = {path.name for path in (system.top / "ostree/deploy/lmp/var").iterdir()}
    assert "a reboot" in found, (found, result)
    # Started again before the reboot, it does not go on.
    result = system.expect(1, "daemon", *BUNDLE)
    assert "reboot first" in result.stderr, result
    system.boot()
    system.expect(0, "run")


@with_booted("a reboot command that fails is status 1, and says why",
             config='reboot_command = "/usr/bin/false"\n')
def _(lab, system):
    del lab
    result = system.expect(1, "daemon", *BUNDLE)
    assert "no reboot: /usr/bin/false" in result.stderr, result
    system.expect(100, "run")


@with_booted("a reboot command that cannot be run is found before anything is installed",
             config='reboot_command = "/sbin/there-is-none"\n')
def _(lab, system):
    result = system.expect(1, "daemon", *BUNDLE)
    assert "bootloader.reboot_command: /sbin/there-is-none" in result.stderr, result
    assert system.deployments() == [lab.commits[1]]



@with_booted("a stick that is mounted while the daemon runs is seen, and can be taken off again",
             config=REBOOT)
def _(lab, system):
    del lab
    media = system.root / "run/media"
    media.mkdir()
    sh("mount", "-t", "tmpfs", "none", media)
    with subprocess.Popen(["chroot", system.root, "/mnt/build/satchel-installer", "daemon",
                           "--interval", "1", "--src-dir", "/run/media"], encoding="utf-8",
                          stderr=subprocess.PIPE) as daemon:
        timer = threading.Timer(120, daemon.kill)
        timer.start()
        # A first look, with mounts of its own, at a place that is there and holds no bundle.
        first = daemon.stderr.readline()
        sh("umount", media)
        sh("mount", "--bind", system.media / "bundle", media)
        rest = daemon.stderr.read()
        timer.cancel()
    sh("umount", media)
    assert daemon.returncode == 0 and "is installed" in rest, (first, rest)


main_booted()
