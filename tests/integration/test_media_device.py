#!/usr/bin/python3
"""`media DEVICE` and `--watch`: only sticks are served, mounted where nobody else sees them."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import Lab, NAME, sh  # noqa: E402
from tap import ROOT, main, program, skip, test  # noqa: E402

USB = {"ID_BUS": "usb", "ID_USB_DRIVER": "usb-storage", "ID_FS_USAGE": "filesystem",
       "ID_FS_TYPE": "ext4", "ID_FS_UUID": "0123-4567", "ID_PATH": "port-1"}
# What udev would have noted of the loop device, for this process alone.
PRIVATELY = ('mount -t tmpfs none /run && mkdir -p /run/udev/data && '
             'cp "$1" "/run/udev/data/$2" && shift 2 && exec "$@"')
# A /dev from which the device can go away, for all threads.
OWN_DEV = ('mkdir -p /run/dev/shm && mount --bind /dev/shm /run/dev/shm && '
           'cp -a /dev/null /dev/zero /dev/random /dev/urandom "$1" /run/dev && shift && '
           'mount --rbind /run/dev /dev && exec "$@"')


class Stick:
    """A loop device that udev takes for a stick."""

    def __init__(self, folder, content=None, facts=None, readonly=False, fill=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.image = folder / "stick.img"
        self.image.write_bytes(b"")
        os.truncate(self.image, 64 << 20)
        if fill is None:
            sh("mke2fs", "-q", "-t", "ext4", "-d", content, self.image)
        done = subprocess.run(["losetup", "--find", "--show", *(["-r"] if readonly else []),
                               self.image], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False, encoding="utf-8")
        if done.returncode != 0:
            skip(f"no loop device: {done.stderr.strip()}")
        self.node = done.stdout.strip()
        self.facts = folder / "facts"
        lines = {**USB, **(facts or {})}
        self.facts.write_text("I:1\n" + "".join(f"E:{name}={value}\n"
                                              for name, value in lines.items() if value))
        info = os.stat(self.node)
        self.number = f"b{os.major(info.st_rdev)}:{os.minor(info.st_rdev)}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["losetup", "--detach", self.node], check=False)

    def argv(self, device, *words, wrapped=()):
        return ["unshare", "--mount", "sh", "-c", PRIVATELY, "sh", self.facts, self.number,
                *wrapped, program("satchel-installer"), *device.argv("media", *words)[1:]]

    def serve(self, device, status, wrapped=()):
        env = dict(os.environ, OSTREE_SYSROOT_DEBUG="mutable-deployments")
        argv = self.argv(device, self.node, wrapped=wrapped)
        done = subprocess.run(list(map(str, argv)), env=env, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                              stdin=subprocess.DEVNULL, timeout=240)
        assert done.returncode == status, (done.returncode, done.stderr)
        return done.stderr

    def names(self):
        """In its root folder."""
        return sh("debugfs", "-R", "ls -p /", self.image)

    def cat(self, name):
        return subprocess.run(["debugfs", "-R", f"cat {name}", self.image], check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def content_in(tmp, lab, versions=(2,)):
    folder = tmp / "content"
    folder.mkdir()
    shutil.move(lab.bundle(list(versions), packed=True), folder / "u.satchel")
    (folder / "u.satchel").chmod(0o644)
    return folder


@test("a stick is mounted, served, unmounted, and gets its receipt")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    with lab.device() as device, Stick(tmp, content_in(tmp, lab)) as stick:
        device.write_config(f'[media]\nrun_path = "{tmp}/run"\n')
        said = stick.serve(device, 100)
        assert "the stick may be removed" in said, said
        assert device.state()["pending"]["name"] == f"{NAME}-2"
        assert stick.node not in pathlib.Path("/proc/self/mountinfo").read_text()
        assert not list((tmp / "run").glob("stick-*"))
        device.expect(0, "run")
        said = stick.serve(device, 0)
        names = [name.split("/")[5] for name in stick.names().splitlines() if "SATCHEL-" in name]
        receipts = [json.loads(stick.cat(name))["signed"] for name in names
                    if name.endswith(".json")]
        # What the reboot came to is on it as well.
        assert sorted(one["step"] for one in receipts) == ["media", "media", "run"], names
        assert {one["medium"] for one in receipts} == {"0123-4567"}


@test("a write-protected stick is served without a receipt")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    content = content_in(tmp, lab)
    with lab.device() as device, Stick(tmp, content, readonly=True) as stick:
        device.write_config(f'[media]\nrun_path = "{tmp}/run"\n')
        stick.serve(device, 100)
        assert "SATCHEL-" not in stick.names()


@test("what is no stick is not served")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    content = content_in(tmp, lab)
    cases = (({"ID_BUS": "ata"}, "neither USB"), ({"ID_USB_DRIVER": "usbhid"}, "neither USB"),
             ({"ID_FS_USAGE": "raid"}, "no file system"), ({"ID_FS_TYPE": None}, "no file system"),
             ({"ID_FS_TYPE": "ntfs"}, "media.file_systems"),
             ({"ID_PART_ENTRY_TYPE": "0xef"}, "EFI"),
             ({"ID_PART_ENTRY_TYPE": "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"}, "EFI"))
    with lab.device() as device:
        device.write_config(f'[media]\nrun_path = "{tmp}/run"\n')
        before = device.digest()
        for number, (facts, word) in enumerate(cases):
            with Stick(tmp / str(number), content, facts) as stick:
                said = stick.serve(device, 1)
                assert word in said, (facts, said)
        with Stick(tmp / "mounted", content) as stick:
            place = tmp / "place"
            place.mkdir()
            sh("mount", "-o", "ro", stick.node, place)
            try:
                assert "in use" in stick.serve(device, 1)
            finally:
                sh("umount", place)
        result = device.expect(1, "media", "/dev/null")
        assert "no block device" in result.stderr, result
        assert device.digest() == before


@test("a file system that cannot be mounted is a stick that is unreadable")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    with lab.device() as device, Stick(tmp, fill=b"") as stick:
        device.write_config(f'[media]\nrun_path = "{tmp}/run"\n'
                            f'[signals]\nstatus_file = "{tmp}/status"\n')
        assert "the stick is unreadable" in stick.serve(device, 50)
        assert (tmp / "status").read_text().startswith("failed: the stick is unreadable")
        (receipt,) = json.loads(device.expect(0, "history", "--json", "1").stdout)
        assert receipt["signed"]["status"] == 50 and receipt["signed"]["candidates"] == []
        assert not list((tmp / "run").glob("stick-*"))


@test("a contact that flaps makes a stick wait, and it is told")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    (tmp / "content").mkdir()
    with lab.device() as device, Stick(tmp, tmp / "content") as stick:
        device.write_config(f'[media]\nrun_path = "{tmp}/run"\nreceipt = false\n')
        for _round in range(3):
            stick.serve(device, 3)
        # However long these three took on this machine, the last start is recent.
        (record,) = (tmp / "run").glob("starts-*")
        last = record.read_text().split()[-1]
        record.write_text(f"{last}\n" * 3)
        with subprocess.Popen(list(map(str, stick.argv(device, stick.node))),
                              stderr=subprocess.PIPE, encoding="utf-8") as waiting:
            timer = threading.Timer(120, waiting.kill)
            timer.start()
            line = waiting.stderr.readline()
            assert "comes and goes" in line, line
            waiting.send_signal(signal.SIGTERM)
            assert waiting.wait() == 1
            timer.cancel()


@test("a stick that is pulled when it may be does not stop the installation")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    with lab.device() as device, Stick(tmp, content_in(tmp, lab)) as stick:
        # What systemd does when the device goes away, which for the installer it has then.
        pull = tmp / "pull"
        pull.write_text(f'#!/bin/sh\n[ "$MESSAGE" = install-pre ] || exit 0\n'
                        f'rm {stick.node} && kill -TERM $PPID && echo pulled >>{tmp}/pulled\n')
        pull.chmod(0o755)
        device.write_config(f'[media]\nrun_path = "{tmp}/run"\n',
                            pacman=f'callback_program = "{pull}"\n')
        stick.serve(device, 100, wrapped=("sh", "-c", OWN_DEV, "sh", stick.node))
        assert (tmp / "pulled").read_text() == "pulled\n"
        assert device.state()["pending"]["name"] == f"{NAME}-2"
        # Without a stick there is no receipt on it, but one on the device.
        assert "SATCHEL-" not in stick.names()
        assert len(json.loads(device.expect(0, "history", "--json", "1").stdout)) == 1


@test("a stick that is pulled while somebody is asked is told so at once")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    with lab.device() as device, Stick(tmp, content_in(tmp, lab)) as stick:
        ask = tmp / "ask"
        ask.write_text(f"#!/bin/sh\nrm {stick.node} && kill -TERM $PPID && sleep 1000\n")
        ask.chmod(0o755)
        device.write_config(f'[media]\nrun_path = "{tmp}/run"\napproval_command = "{ask}"\n')
        said = stick.serve(device, 50, wrapped=("sh", "-c", OWN_DEV, "sh", stick.node))
        assert "the stick was removed too early" in said, said


@test("the unit starts however often a stick comes, and lets an installation without it take its time")
def _():
    unit = (ROOT / "installer/satchel-media@.service").read_text().splitlines()
    for line in ("BindsTo=dev-%i.device", "StartLimitIntervalSec=0", "TimeoutStartSec=infinity", "TimeoutStopSec=infinity",
                 "KillMode=mixed"):
        assert line in unit, line
    # Verdicts, and that a stick waits, are told to the journal.
    (start,) = [line for line in unit if line.startswith("ExecStart=")]
    assert start.endswith("/satchel-installer media /dev/%I"), start


@test("--watch serves a stick that is there already, and ends with 0 when it is told to")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    with lab.device() as device, Stick(tmp, content_in(tmp, lab)) as stick:
        device.write_config(f'[media]\nrun_path = "{tmp}/run"\n')
        env = dict(os.environ, OSTREE_SYSROOT_DEBUG="mutable-deployments")
        with subprocess.Popen(list(map(str, stick.argv(device, "--watch"))), env=env,
                              stderr=subprocess.PIPE, encoding="utf-8") as watch:
            timer = threading.Timer(240, watch.kill)
            timer.start()
            lines = []
            for line in watch.stderr:
                lines.append(line)
                if "is installed" in line:
                    break
            watch.send_signal(signal.SIGTERM)
            rest = watch.stderr.read()
            assert watch.wait() == 0, (lines, rest)
            timer.cancel()
        assert device.state()["pending"]["name"] == f"{NAME}-2", lines


main()
