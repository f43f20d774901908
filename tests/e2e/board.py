"""The machine as the device that it is: sticks go in, the unit serves them, and what it said is read.

    with board.resume(image, tmp) as device:
        came = device.insert(stick)          # until satchel-media@.service has ended
        assert came.status == 15, came
"""
import json

import machine
from machine import copy_disk

UNIT = "satchel-media@{}.service"
SERVED_CPU_S = 600


class Served:
    """What came of a stick: the main process's status, how the unit ended, what was said."""

    def __init__(self, status, result, lines, line, states):
        self.status = status
        self.result = result        # of systemd: "success", "exit-code"
        self.lines = lines          # of the unit in the journal
        self.line = line            # of the status file
        self.states = states        # that the journal was told, in their order

    def __str__(self):
        return f"status {self.status}, {self.result}, {self.line!r}\n" + "\n".join(self.lines)

    def said(self, part):
        return any(part in line for line in self.lines)


class Board(machine.Machine):
    """A machine that serves sticks."""

    def ended(self, name):
        """When the unit's process ended last, in microseconds of the guest's clock; 0: never."""
        return int(self.check(f"systemctl show --value -p ExecMainExitTimestampMonotonic "
                              f"{UNIT.format(name)}"))

    def wait_served(self, name, before=0):
        """Until the unit has ended once more than @before."""
        unit = UNIT.format(name)
        self.check(f"while at=$(systemctl show --value -p ExecMainExitTimestampMonotonic {unit}); "
                   f"[ \"$at\" -le {before} ] || "
                   f"systemctl is-active --quiet {unit} || "
                   f"[ \"$(systemctl is-active {unit})\" = activating ]; do sleep 0.3; done",
                   cpu_s=SERVED_CPU_S)
        return self.served(name)

    def wait_begun(self, name):
        """Until the device is there, and its unit is wanted."""
        self.check(f"until [ -b /dev/{name} ]; do sleep 0.1; done; udevadm settle")

    def wait_idle(self, name):
        """Until the unit does nothing, and the device is gone."""
        self.check(f"while [ -b /dev/{name} ] || systemctl is-active {UNIT.format(name)} | "
                   "grep -q ing; do sleep 0.2; done")

    def wait_said(self, name, words, times=1):
        """Until the unit has said that so many times."""
        self.check(f"until [ $(journalctl -q -o cat -u {UNIT.format(name)} | grep -cF '{words}') "
                   f"-ge {times} ]; do sleep 0.3; done", cpu_s=SERVED_CPU_S)

    def served(self, name):
        unit = UNIT.format(name)
        shown = self.check(f"systemctl show -p ExecMainStatus -p Result {unit}")
        shown = dict(line.split("=", 1) for line in shown.splitlines())
        run = f"_SYSTEMD_INVOCATION_ID=$(systemctl show --value -p InvocationID {unit})"
        journal = self.check(f"journalctl -q -o cat {run}")
        states = self.check(f"journalctl -q -o cat --output-fields=SATCHEL_STATE {run}")
        return Served(int(shown["ExecMainStatus"]), shown["Result"], journal.splitlines(),
                      self.check("cat /run/satchel/status 2>/dev/null || true"), states.split())

    def insert(self, image, name="sda", writable=True):
        """Plugs it in, waits for what comes of it, and pulls it out again."""
        before = self.ended(name)
        plug = self.plug(image, writable)
        served = self.wait_served(name, before)
        self.unplug(plug)
        return served

    def configure(self, text):
        """Further settings."""
        self.check(f"mkdir -p /etc/sota/conf.d && cat >/etc/sota/conf.d/90-test.toml <<'END'\n"
                   f"{text}\nEND")

    def keep_journal(self):
        """Over a reboot, too."""
        self.check("mkdir -p /var/log/journal && journalctl --flush")

    def signals(self):
        """What came to the socket so far."""
        text = self.check("cat /var/satchel-test/signals 2>/dev/null || true")
        return [json.loads(line) for line in text.splitlines()]

    def history(self):
        return json.loads(self.check("satchel-installer history --json 1"))

    def state(self):
        return json.loads(self.check("cat /var/sota/satchel/state.json"))


def resume(image, folder):
    """A device that runs release 1, with a disk of its own, where the snapshot was taken."""
    return Board(folder, copy_disk(image.disk, folder / "disk"), image.memory)


def start(folder):
    """The same device after it went down."""
    device = Board(folder, folder / "disk")
    try:
        device.wait_up()
        device.run("systemctl is-system-running --wait")
    except BaseException:
        device.cut()
        raise
    return device
