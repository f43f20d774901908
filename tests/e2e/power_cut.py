"""One power cut: an update under way, the plug pulled at a chosen instant, and what then becomes of
the machine.

An instant is a call of the installer that changes what is on the disk (call_marks.c): the program is
held there, some seconds pass in which the kernel writes back what it wants to, and the machine ends.
With a volatile cache, writes that the machine had not flushed are lost as well. A seed gives the same
instant each time.
"""
import json
import pathlib
import random
import re
import time

import machine
import write_log
from disk_look import DiskLook
from device_lab import sh
from schemas import check as check_schema

STICK = "/run/stick"
MARKS = "MARKS_PORT=/dev/virtio-ports/satchel.marks LD_PRELOAD=/usr/lib/satchel-test/call_marks.so"
NOT_SERVED = "mkdir -p /run/udev/rules.d && " \
    "ln -sf /dev/null /run/udev/rules.d/90-satchel-media.rules && udevadm control --reload"
MOUNT = f"mkdir -p {STICK}; until mount -o ro /dev/sda {STICK}; do sleep 0.2; done 2>/dev/null"
NO_REBOOT = "mkdir -p /etc/sota/conf.d && " \
    "printf '[media]\\nreboot = \"never\"\\n' >/etc/sota/conf.d/90-test.toml"
PULL = f"satchel-installer pull --src-dir {STICK}"
INSTALL = "satchel-installer install"
PLAIN = "ostree admin deploy --os=lmp {commit}"
SWAP = "renameat loader"
# The kernel writes back at once what it would keep for half a minute: more is under way to the disk.
EAGER = "cd /proc/sys/vm && echo 20 >dirty_expire_centisecs && echo 10 >dirty_writeback_centisecs"

# (name, command, where it is held, seconds until the cut, volatile cache). What is held at no place
# runs to its end first.
CHOSEN = (
    ("swap, 6 s later", INSTALL, SWAP, 6, False),
    ("swap", INSTALL, SWAP, 0, True),
    ("frozen behind the swap", INSTALL, f"{SWAP}+ioctl FITHAW", 0, True),
    ("first deletion of the clean-up", INSTALL, f"{SWAP}+unlinkat ostree/boot.", 6, False),
    ("installed, 1 s later", INSTALL, None, 1, False),
    ("installed", INSTALL, None, 0, True),
    ("swap, 1 s later", INSTALL, SWAP, 1, False),
    ("state written", INSTALL, f"{SWAP}+renameat state.json", 6, True),
    ("pinned", INSTALL, "linkat .loader.pin", 0, True),
    ("frozen before the checkout", INSTALL, "ioctl FIFREEZE", 0, False),
    ("installed, 6 s later", INSTALL, None, 6, False),
    ("pulled", PULL, None, 0, True),
)


class Plan:
    """What one cut does; all of it follows from the seed."""

    def __init__(self, seed, counts, name=None):
        self.seed = seed
        self.source = random.Random(seed)
        chosen = {entry[0]: entry for entry in CHOSEN}
        self.given = name
        # Drawn in any case, so that a name that is given changes nothing else.
        is_drawn, drawn = self.source.random() < 0.5, self.source.choice(sorted(chosen))
        name = name or (drawn if is_drawn else None)
        self.is_chosen = bool(name)
        if name:
            self.name, self.command, self.hold, self.seconds, self.volatile = chosen[name]
            self.eager = self.volatile and self.source.random() < 0.5
            return
        self.command = self.source.choice((PULL, INSTALL, INSTALL))
        count = counts[self.command]
        self.hold = str(self.source.randrange(1, count + 1))
        self.seconds = self.source.choice((0, 0, 1, 3, 6))
        self.volatile = self.source.random() < 0.5
        self.eager = self.volatile and self.source.random() < 0.5
        self.name = f"{self.command.split()[1]}, call {self.hold} of {count}, {self.seconds} s"

    def __str__(self):
        return f"seed {self.seed}: {self.name}{', volatile cache' if self.volatile else ''}" \
            f"{', eager' if self.eager else ''}"


def control_plan(image):
    """A cut of libostree's own deployment, in the first second after it has returned."""
    plan = Plan(0, {}, CHOSEN[0][0])
    plan.name, plan.command = "control", PLAIN.format(commit=image.commit(2))
    plan.hold, plan.seconds, plan.volatile = None, 1, False
    return plan


class Brick(AssertionError):
    """The machine does not boot any more."""


class Bench:
    """A folder with the image's stick, snapshots and, for one cut at a time, a disk."""

    def __init__(self, image, folder):
        self.image = image
        self.folder = folder
        self.stick = folder / "stick"
        make_stick(image.bundles / "thin", self.stick)
        self.pulled = (folder / "pulled.disk", folder / "pulled.memory")
        self.counts = None
        self.is_installed = False  # said so, before the cut

    def prepare(self):
        """Counts the calls of a whole update, and keeps a machine that has pulled."""
        disk = machine.copy_disk(self.image.disk, self.pulled[0])
        with machine.Machine(self.folder, disk, self.image.memory) as guest:
            stick = self.insert(guest)
            guest.check(f"MARKS_LIST=/run/pull {MARKS} {PULL}")
            self.counts = {PULL: int(guest.check("wc -l </run/pull"))}
            self.remove(guest, stick)
            guest.check("sync")
            guest.save(self.pulled[1])
        with machine.Machine(self.folder, machine.copy_disk(disk, self.folder / "disk"),
                             self.pulled[1]) as guest:
            guest.check(f"MARKS_LIST=/run/install {MARKS} {INSTALL}", 100)
            self.counts[INSTALL] = int(guest.check("wc -l </run/install"))

    def insert(self, guest):
        """Plugs the stick in and mounts it."""
        guest.check(NOT_SERVED)
        name = guest.plug(self.stick)
        guest.check(MOUNT)
        return name

    @staticmethod
    def remove(guest, name):
        guest.check(f"umount {STICK}")
        guest.unplug(name)

    # ---- the cut

    def cut(self, plan):
        """Updates and pulls the plug. Leaves folder/disk as the machine left it; gives a word about
        the instant."""
        first, memory = self.pulled if plan.command != PULL else \
            (self.image.disk, self.image.memory)
        disk = machine.copy_disk(first, self.folder / "disk")
        log = self.folder / "log" if plan.volatile else None
        with machine.Machine(self.folder, disk, memory, log) as guest:
            if plan.command == PULL:
                self.insert(guest)
            if plan.eager:
                guest.check(EAGER)
            told = self._hold(guest, plan)
            time.sleep(plan.seconds)
            guest.cut()
        if plan.volatile:
            machine.copy_disk(first, disk)
            told += " (%d of %d unflushed sectors lost)" % \
                write_log.lose_unflushed(log, disk, plan.source)
            log.unlink()
        return told

    def _hold(self, guest, plan):
        self.is_installed = False
        command = plan.command
        if plan.hold:
            command = f"MARKS_HOLD='{plan.hold}' {MARKS} {command}"
        word = guest.start(command)
        if plan.hold:
            held = guest.held(word)
            if held:
                return f"held at {held}"
        status, output = guest.end(word)
        assert status in (0, 100), output
        # One that is counted may not come: threads share the work anew each time.
        assert not (plan.hold and plan.is_chosen), f"no {plan.hold}"
        self.is_installed = status == 100
        return f"ended with {status}"

    # ---- what has become of it

    def judge(self, quick=False):
        """Boots a copy of the disk; asserts that all is well. Gives the release that booted first.
        @quick: without systemd."""
        disk = machine.copy_disk(self.folder / "disk", self.folder / "judged")
        with machine.Machine(self.folder, disk, quick=quick) as guest:
            booted, looked = self._first_boot(guest, quick)
            with looked:
                if booted == 1:
                    self._update_again(guest)
                    guest.cut()
        assert booted == 2 or not self.is_installed, "what was said to be installed is not booted"
        self._second_boot(disk)
        return booted

    def _first_boot(self, guest, quick):
        """Whether it boots, whole, with a clean repository and a state that tells what runs. Gives
        the release, and a look at the disk's files that is under way."""
        try:
            guest.wait_up()
        except machine.GuestDied as problem:
            raise Brick(str(problem)) from problem
        if not quick:
            guest.check(NOT_SERVED)
        guest.plug(self.stick)  # it takes some time to be there
        # The boot's own `run` has ended then. That the old system runs where the new one was due is
        # told as a failure.
        if not quick:
            guest.check("systemctl is-system-running --wait; "
                        "! systemctl --failed --plain --no-legend | grep -v '^satchel-run'")
        booted, deployment = self._state_is_true(guest)
        return booted, DiskLook(guest.copy_of_disk(self.folder / "looked"), deployment)

    def _state_is_true(self, guest):
        """Gives the release that runs, of which the installer knows, and its deployment."""
        release, state, booted, status = guest.check(
            "sed -n s/RELEASE=//p /usr/lib/os-release; "
            "cat /var/sota/satchel/state.json 2>/dev/null | tr -d '\\n'; echo; "
            "ostree admin status | sed -n 's/^\\* lmp //p'; "
            "satchel-installer status --json 1").split("\n", 3)
        # A device that never had an update has none; release 2 is one.
        state = state or '{"events": [], "failing": [], "format": 1}'
        check_schema(state.encode(), "installer-state.schema.json")
        check_schema(status.encode(), "installer-status.schema.json")
        assert release in ("1", "2")
        commit = self.image.commit(int(release))
        assert json.loads(status)["ostree_hash"] == commit, status
        assert booted.startswith(f"{commit}."), booted
        state = json.loads(state)
        assert state.get("current", {"commit": commit})["commit"] == commit, state
        coming = [state[key]["commit"] for key in ("installing", "pending") if key in state]
        if release == "2":
            assert "current" in state and not coming, state
        assert coming in ([], [self.image.commit(2)]), state
        return int(release), f"ostree/deploy/lmp/deploy/{booted}"

    def _update_again(self, guest):
        """What the next insertion does, on a device that runs what it had."""
        guest.check(f"{MOUNT}; {NO_REBOOT}")
        output = guest.check(f"satchel-installer media {STICK}", 100)
        assert re.search(r"reboot", output), output

    def _second_boot(self, disk):
        """Without an orderly end of the boot before, whose mounts have replayed the journals, and with
        as little as shows that it is the new release, which confirms the update."""
        with machine.Machine(self.folder, disk, quick=True) as guest:
            guest.wait_up()
            booted, deployment = self._state_is_true(guest)
            guest.cut()
        assert booted == 2, "the next try did not reach release 2"
        with DiskLook(disk, deployment):
            pass


def make_stick(content, path):
    """A FAT32 file system without partitions that holds that file or folder."""
    content = pathlib.Path(content)
    files = [content] if content.is_file() else [f for f in content.rglob("*") if f.is_file()]
    size = sum(file.stat().st_size + 8192 for file in files) + (48 << 20)
    with open(path, "wb") as image:
        image.truncate(size)
    sh("mkfs.vfat", "-F", "32", path)
    sh("mcopy", "-i", path, "-s", *([content] if content.is_file() else sorted(content.iterdir())),
       "::")
