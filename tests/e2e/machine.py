"""A virtual machine without KVM: a root shell in it, sticks that come and go, a plug to pull.

    with Machine(folder, copy_disk(image.disk, folder / "disk"), image.memory) as guest:
        guest.plug("stick", path)
        text = guest.check("satchel-installer check --src-dir /run/stick")
        guest.cut()                                             # as if the power had gone

It has one processor: a second one is emulated at the same price, and mostly waits for the first.
The disk is written to: callers give a copy. Limits are in the processor's time that the machine has
had, so that a busy host gives no wrong alarm.
"""
import base64
import ctypes
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import time

MEMORY_MIB = 768
BOOT_CPU_S = 240
END_CPU_S = 600       # whatever it still has to do before
COMMAND_CPU_S = 900
IDLE_S = 100          # a machine that does nothing for so long is dead
BOOT_IDLE_S = 40      # and one that boots always does something
WALL_S = 1800
LIFE_CPU_S = 3600     # of the whole machine, whatever it is waited for
USB_PORTS = 4
PR_SET_PDEATHSIG = 1
UP = re.compile(rb"GUEST-IS-UP (\S+)")


class GuestDied(Exception):
    """The machine ended, or gave no sign of life."""


def copy_disk(source, target):
    """A copy with the same holes."""
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", source, target], check=True)
    return target


def _be_mortal():
    """Ends with its parent, and by itself."""
    resource.setrlimit(resource.RLIMIT_CPU, (LIFE_CPU_S, LIFE_CPU_S))
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Port:
    """One end of a character device or of QMP: what came in, and where it was read to."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(os.fspath(path))
        self.socket.settimeout(1)
        self.data = b""

    def receive(self):
        """Takes what is there, waiting for a second at most."""
        try:
            self.data += self.socket.recv(1 << 16)
        except socket.timeout:
            pass

    def take(self, pattern):
        """The match of a pattern, and everything up to its end is gone; None if there is none."""
        found = re.search(pattern, self.data)
        if found:
            self.data = self.data[found.end():]
        return found


class Idleness:
    """For how long a machine has wanted next to no processor."""

    def __init__(self, guest):
        self.guest = guest
        self.at, self.work = time.monotonic(), guest.cpu_s(waiting=True)

    def idle_s(self):
        now, work = time.monotonic(), self.guest.cpu_s(waiting=True)
        if work > self.work + 0.1 * (now - self.at) + 1:
            self.at, self.work = now, work
        return now - self.at


class Machine:
    """A running QEMU. @memory: goes on where that snapshot was taken, instead of booting.
    @log: a file for QEMU's log of all writes to the disk. @quick: boots without systemd (see
    guest/quick-init)."""

    def __init__(self, folder, disk, memory=None, log=None, quick=False):
        self.folder = pathlib.Path(folder)
        self.console = self.folder / "console.log"
        self.console.write_bytes(b"")
        self.sticks = 0
        self.slow = {}
        self.events = []
        self.boot_id = None
        self._remove_sockets()
        self.disk = disk
        argv = self._argv(disk, log)
        if quick:
            argv += ["-smbios", "type=1,serial=quick"]
        if memory:
            argv += ["-incoming", f"exec:cat {memory}"]
        with open(self.folder / "qemu.log", "ab") as errors:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                argv, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                preexec_fn=_be_mortal)
        try:
            self._connect()
            if memory:
                self._go_on()
        except BaseException:
            self.cut()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut()

    def _argv(self, disk, log):
        plain = {"driver": "raw", "node-name": "plain",
                 "file": {"driver": "file", "filename": os.fspath(disk)}}
        nodes = [plain]
        if log:
            with open(log, "wb") as file:
                file.truncate(4 << 30)
            nodes += [{"driver": "raw", "node-name": "log",
                       "file": {"driver": "file", "filename": os.fspath(log)}},
                      {"driver": "blklogwrites", "node-name": "logged", "file": "plain",
                       "log": "log", "log-super-update-interval": 1}]
        argv = ["qemu-system-x86_64", "-accel", "tcg", "-smp", "1", "-m",
                str(MEMORY_MIB), "-display", "none", "-nodefaults", "-no-reboot", "-nic", "none",
                "-serial", f"file:{self.console}", "-device", "virtio-rng-pci",
                "-device", "qemu-xhci,id=usb", "-device", "virtio-serial-pci"]
        for node in nodes:
            argv += ["-blockdev", json.dumps(node)]
        argv += ["-device", f"virtio-blk-pci,drive={nodes[-1]['node-name']},id=disk,bootindex=0"]
        for name in ("shell", "marks"):
            argv += ["-chardev", f"socket,id={name},path={self.folder}/{name},server=on,wait=off",
                     "-device", f"virtserialport,chardev={name},name=satchel.{name}"]
        return argv + ["-qmp", f"unix:{self.folder}/qmp,server=on,wait=off"]

    def _connect(self):
        end = time.monotonic() + 120
        while True:
            try:
                self.qmp = Port(self.folder / "qmp")
                break
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.02)
            if self.process.poll() is not None or time.monotonic() > end:
                raise GuestDied((self.folder / "qemu.log").read_text())
        self.shell = Port(self.folder / "shell")
        self.marks = Port(self.folder / "marks")
        self.command("qmp_capabilities")

    def _go_on(self):
        """A snapshot is of a machine that was stopped."""
        begin = time.monotonic()
        while (status := self.command("query-status")["status"]) == "inmigrate":
            assert time.monotonic() - begin < WALL_S, status
            time.sleep(0.1)
        self.command("cont")

    # ---- time

    def cpu_s(self, waiting=False):
        """Seconds of processor time that the machine has had; @waiting: or would have liked to have."""
        total = 0
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/schedstat"):
            try:
                ran, waited, _ = map(int, task.read_text().split())
            except (FileNotFoundError, ProcessLookupError):
                continue
            total += ran + (waited if waiting else 0)
        return total / 1e9

    def wait(self, port, pattern, cpu_s, most_idle_s=IDLE_S):
        """What a port says that matches the pattern."""
        begin, begin_cpu = time.monotonic(), self.cpu_s()
        watch = Idleness(self)
        while True:
            found = port.take(pattern)
            if found:
                return found
            ended = self.process.poll() is not None
            port.receive()
            cpu, idle_s = self.cpu_s(), watch.idle_s()
            why = "it ended" if ended else \
                f"{cpu - begin_cpu:.0f} s of work" if cpu - begin_cpu > cpu_s else \
                f"idle for {idle_s:.0f} s" if idle_s > most_idle_s else \
                "time" if time.monotonic() - begin > WALL_S else None
            if why:
                raise GuestDied(f"{why}, waiting for {pattern}; console:\n{self.console_tail()}")

    def console_tail(self):
        return self.console.read_bytes()[-3000:].decode("utf-8", "replace")

    # ---- QMP

    def next_message(self):
        """The next thing that QMP says: an answer, an event, or its greeting."""
        return json.loads(self.wait(self.qmp, rb"([^\n]*)\n", 300).group(1))

    def command(self, name, **arguments):
        """A QMP command that must work; gives what it returns. Events that come before the answer
        are kept for wait_event()."""
        text = json.dumps({"execute": name, "arguments": arguments})
        self.qmp.socket.sendall(text.encode() + b"\n")
        while True:
            message = self.next_message()
            if "return" in message:
                return message["return"]
            if "error" in message:
                raise AssertionError(f"{text}: {message['error']}")
            if "event" in message:
                self.events.append(message)

    def wait_event(self, name, **data):
        """Until QMP has told of that event with these data; it is taken."""
        def is_it(event):
            return event["event"] == name and data.items() <= event.get("data", {}).items()
        while not any(map(is_it, self.events)):
            message = self.next_message()
            if "event" in message:
                self.events.append(message)
        self.events.remove(next(filter(is_it, self.events)))

    def plug(self, image, writable=False, port=None, bytes_s=0):
        """A USB stick with that content, by default in the next of the ports. @bytes_s: as slow as
        that. Gives what unplug() takes."""
        self.sticks += 1
        name = f"stick{self.sticks}"
        port = port or 1 + self.sticks % USB_PORTS
        self.command("blockdev-add", **{
            "node-name": name, "driver": "raw", "read-only": not writable,
            "file": {"driver": "file", "filename": os.fspath(image),
                     "read-only": not writable}})
        if bytes_s:
            self.command("object-add", **{"qom-type": "throttle-group", "id": f"{name}-limit",
                                          "limits": {"bps-read": bytes_s}})
            self.command("blockdev-add", **{
                "node-name": f"{name}-slow", "driver": "throttle", "file": name,
                "throttle-group": f"{name}-limit", "read-only": not writable})
            self.slow[name] = f"{name}-slow"
        self.command("device_add", driver="usb-storage", id=f"usb-{name}",
                     drive=self.slow.get(name, name),
                     bus="usb.0", port=str(port), removable=True)
        return name

    def unplug(self, name):
        self.command("device_del", id=f"usb-{name}")
        self.wait_event("DEVICE_DELETED", device=f"usb-{name}")
        if name in self.slow:
            self.command("blockdev-del", **{"node-name": self.slow[name]})
        self.command("blockdev-del", **{"node-name": name})

    # ---- the guest

    def wait_up(self, cpu_s=BOOT_CPU_S):
        """Until the shell is there; gives the id of this boot."""
        self.boot_id = self.wait(self.shell, UP, cpu_s, BOOT_IDLE_S).group(1).decode()
        return self.boot_id

    def start(self, command):
        """Starts a command of the shell; end() waits for it."""
        word = os.urandom(6).hex()
        text = base64.b64encode(command.encode()).decode()
        self.shell.socket.sendall(f"{word} {text}\n".encode())
        return word

    def end(self, word, cpu_s=COMMAND_CPU_S):
        """Status and output of a command that was started."""
        found = self.wait(self.shell, rb"(?s)^(.*?)\n%b (\d+)\n" % word.encode(), cpu_s)
        return int(found.group(2)), found.group(1).decode("utf-8", "replace").strip("\n")

    def run(self, command, cpu_s=COMMAND_CPU_S):
        return self.end(self.start(command), cpu_s)

    def check(self, command, status=0, cpu_s=COMMAND_CPU_S):
        """The output of a command that must give that status."""
        got, output = self.run(command, cpu_s)
        assert got == status, f"{command}: status {got}, not {status}:\n{output}"
        return output

    def held(self, word):
        """Waits for a program to be held (see call_marks.c), or the command that runs it to end.
        Gives what it is held at, or None."""
        begin_cpu, watch = self.cpu_s(), Idleness(self)
        while True:
            if self.cpu_s() - begin_cpu > COMMAND_CPU_S or watch.idle_s() > IDLE_S:
                raise GuestDied(f"nothing is held and nothing ends:\n{self.console_tail()}")
            found = self.marks.take(rb"HELD ([^\n]*)\n")
            if found:
                return found.group(1).decode()
            if self.has_ended(word):
                return None
            self.wait_any()

    def has_ended(self, word):
        """Whether a command that was started has."""
        return re.search(rb"\n%b \d+\n" % word.encode(), self.shell.data) is not None

    def wait_any(self):
        """Takes what is there, of the shell or of a held program, waiting for a second at most."""
        if self.process.poll() is not None:
            raise GuestDied(self.console_tail())
        for port in (self.marks, self.shell):
            port.socket.settimeout(0.1)
            port.receive()
            port.socket.settimeout(1)

    def copy_of_disk(self, target):
        """What a machine that lost its power now would have."""
        self.command("stop")
        copy_disk(self.disk, target)
        self.command("cont")
        return target

    # ---- ends

    def save(self, memory):
        """Stops the machine and keeps it; its disk has all that it needs then."""
        self.command("stop")
        self.command("migrate", uri=f"exec:cat >{memory}")
        while (status := self.command("query-migrate").get("status")) != "completed":
            assert status != "failed", "the snapshot failed"
            time.sleep(0.1)
        self.cut()

    def power_off(self):
        """An orderly end; also that of a reboot, for a machine does not start again by itself."""
        self.start("systemctl poweroff")
        self.wait_ended()

    def wait_ended(self):
        begin, begin_cpu, watch = time.monotonic(), self.cpu_s(), Idleness(self)
        while self.process.poll() is None:
            if self.cpu_s() - begin_cpu > END_CPU_S or watch.idle_s() > IDLE_S or \
                    time.monotonic() - begin > WALL_S:
                raise GuestDied("it does not shut down:\n" + self.console_tail())
            time.sleep(0.1)

    def cut(self):
        """Pulls the plug. What the machine has written stays written; nothing else does."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._remove_sockets()

    def _remove_sockets(self):
        for name in ("qmp", "shell", "marks"):
            (self.folder / name).unlink(missing_ok=True)


def fresh_folder(folder):
    """An empty folder of that name."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def make_snapshot(image):
    """Boots the image's disk and keeps the machine as it is then."""
    folder = fresh_folder(image.folder / "boot")
    with Machine(folder, image.disk) as guest:
        guest.wait_up()
        guest.check("systemctl is-system-running --wait && sync")
        guest.save(folder / "memory")
    (folder / "memory").rename(image.memory)
    shutil.rmtree(folder)
