#!/usr/bin/python3
"""What people see of a stick that is served: lights, a status line, the bus, the journal, receipts."""
import base64
import hashlib
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading

import jsonschema
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import Lab, NAME, canonical  # noqa: E402
from tap import ROOT, main, test  # noqa: E402

STATES = ["checking", "copying", "safe-to-remove", "installing", "rebooting"]


def schema(name):
    return json.loads((ROOT / "schemas" / name).read_text())


def stick_in(folder, bundle):
    stick = folder / "stick"
    stick.mkdir()
    shutil.move(bundle, stick / "u.satchel")
    return stick


class Listener:
    """Somebody who listens on a socket; what came is read when the sender is done."""

    def __init__(self, path, kind):
        self.socket = socket.socket(socket.AF_UNIX, kind)
        self.socket.bind(str(path))
        if kind == socket.SOCK_STREAM:
            self.socket.listen(8)
        self.socket.settimeout(60)

    def lines(self):
        """All that one sender wrote."""
        connection, _ = self.socket.accept()
        with connection, connection.makefile("r") as file:
            return [json.loads(line) for line in file]

    def datagrams(self):
        """All that waits."""
        found = []
        self.socket.setblocking(False)
        while True:
            try:
                found.append(dict(line.split("=", 1) for line in
                                  self.socket.recv(65536).decode().splitlines()))
            except BlockingIOError:
                return found


def make_led(folder, name):
    led = folder / name
    led.mkdir(parents=True)
    for file, value in (("trigger", "none"), ("brightness", "0"), ("max_brightness", "255")):
        (led / file).write_text(value + "\n")
    return led


def read_led(led):
    return ((led / "trigger").read_text().strip(), (led / "brightness").read_text().strip())


@test("the states come in order on every channel, percentages only where they are asked for")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    stick = stick_in(tmp, lab.bundle([2], packed=True))
    working, safe, failed = (make_led(tmp / "leds", name) for name in ("w", "s:green", "f"))
    calls = tmp / "calls"
    buzzer = tmp / "buzzer"
    buzzer.write_text(f'#!/bin/sh\nprintf "%s|" "$@" >>{calls}\necho >>{calls}\n'
                      f'echo $(cat {working}/trigger) $(cat {safe}/brightness) >>{tmp}/lamps\n')
    buzzer.chmod(0o755)
    listener = Listener(tmp / "display", socket.SOCK_STREAM)
    journal = Listener(tmp / "journal", socket.SOCK_DGRAM)
    with lab.device() as device:
        device.write_config(f"""[signals]
led_working = "w"
led_safe = "s:green"
led_failed = "f"
leds_path = "{tmp}/leds"
command = "{buzzer} 'a b'"
status_file = "{tmp}/status"
socket = "{tmp}/display"
journal = "{tmp}/journal"
""")
        device.expect(100, "media", stick)
        lines = listener.lines()
        for line in lines:
            jsonschema.validate(line, schema("installer-signal.schema.json"))
        seen = [line["state"] for line in lines]
        assert [state for i, state in enumerate(seen) if seen[i - 1:i] != [state]] == STATES, seen
        percents = [line["percent"] for line in lines if "percent" in line]
        assert percents == sorted(set(percents)) and percents[0] == 0 and percents[-1] == 100
        assert all("percent" in line for line in lines if line["state"] == "copying"), lines
        # Each once, percentages notwithstanding.
        assert [row.split("|")[1] for row in calls.read_text().splitlines()] == STATES
        assert calls.read_text().splitlines()[1] == f"a b|copying|{NAME}-2|"
        entries = journal.datagrams()
        assert [entry["SATCHEL_STATE"] for entry in entries] == STATES, entries
        manual = (ROOT / "installer/satchel-installer.8").read_text()
        for entry in entries:
            assert re.fullmatch("[0-9a-f]{32}", entry["MESSAGE_ID"]), entry
            assert entry["MESSAGE_ID"] in manual, entry
            assert entry["SYSLOG_IDENTIFIER"] == "satchel-installer", entry
        assert (tmp / "status").read_text() == f"rebooting: {NAME}-2 is installed; a reboot starts it\n"
        assert read_led(working) == ("timer", "255") and read_led(safe) == ("none", "255")
        assert read_led(failed) == ("none", "0")
        # While it was copied, only one of them was lit.
        assert (tmp / "lamps").read_text().splitlines()[1:3] == ["timer 0", "timer 255"]
        device.expect(0, "run")
        assert (tmp / "status").read_text() == f"done: {NAME}-2 runs\n"
        assert read_led(working) == ("none", "0") and read_led(safe) == ("none", "255")
        device.expect(40, "run")
        assert (tmp / "status").read_text() == "idle\n" and read_led(safe) == ("none", "0")


@test("lights, listeners and commands that are not there are no error; refusals and failures show")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    stick = stick_in(tmp, lab.bundle([2], tag="other", packed=True))
    failed = make_led(tmp / "leds", "f")
    with lab.device() as device:
        device.write_config(f"""[signals]
led_working = "none"
led_failed = "f"
leds_path = "{tmp}/leds"
command = "{tmp}/none"
status_file = "{tmp}/status"
socket = "{tmp}/none"
journal = "{tmp}/none"
bus = true
""")
        env = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp}/none"}
        device.expect(15, "media", stick, env=env)
        assert (tmp / "status").read_text().startswith("refused: u.satchel: "), \
            (tmp / "status").read_text()
        assert read_led(failed) == ("timer", "255") and not (tmp / "leds/none").exists()
        (stick / "u.satchel").unlink()
        shutil.copytree(lab.bundle([2]), stick / "v")
        victim = max((stick / "v/ostree_repo/objects").rglob("*.filez"),
                     key=lambda p: p.stat().st_size)
        victim.write_bytes(victim.read_bytes()[:-1] + b"?")
        device.expect(50, "media", stick, env=env)
        assert (tmp / "status").read_text().startswith("failed: ")
        assert read_led(failed) == ("none", "255")


@test("the bus gets a signal for each state")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    stick = stick_in(tmp, lab.bundle([2], packed=True))
    config = tmp / "bus.conf"
    config.write_text(f"""<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={tmp}/bus</listen>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="signal"/>
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy></busconfig>
""")
    address = f"unix:path={tmp}/bus"
    with subprocess.Popen(["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile",
                           "--print-address"], stdout=subprocess.PIPE) as daemon:
        timer = threading.Timer(240, daemon.kill)
        timer.start()
        try:
            daemon.stdout.readline()
            with subprocess.Popen(["dbus-monitor", "--address", address, "--profile",
                                   "interface=org.satchel.Media1"], stdout=subprocess.PIPE,
                                  encoding="utf-8") as monitor:
                # It is listening once it has lost its own name.
                for line in monitor.stdout:
                    if "NameLost" in line or "NameAcquired" in line:
                        break
                try:
                    with lab.device() as device:
                        device.write_config("[signals]\nbus = true\n")
                        device.expect(100, "media", stick,
                                      env={"DBUS_SYSTEM_BUS_ADDRESS": address})
                finally:
                    daemon.terminate()
                rows = [row for row in monitor.stdout if "StateChanged" in row]
        finally:
            daemon.kill()
            timer.cancel()
    assert len(rows) >= len(STATES), rows


@test("a receipt of each run is kept and written onto the stick, and none is overwritten")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2, 3))
    stick = stick_in(tmp, lab.bundle([2], packed=True))
    shutil.move(lab.bundle([3], tag="other", packed=True), stick / "w.satchel")
    with lab.device() as device:
        device.expect(100, "media", stick)
        device.expect(0, "run")
        device.expect(0, "media", stick)
        files = sorted(stick.glob("SATCHEL-*.json"))
        assert len(files) == 2 and re.fullmatch(r"SATCHEL-[\w-]+-\d{8}-1\.json", files[0].name)
        for file in files:
            jsonschema.validate(json.loads(file.read_text()),
                                schema("installer-receipt.schema.json"))
            assert file.with_suffix(".txt").read_text()
        first = json.loads(files[0].read_text())
        assert first["signatures"] == []
        signed = first["signed"]
        assert (signed["step"], signed["status"]) == ("media", 100), signed
        assert (signed["before"]["commit"], signed["after"]["name"]) == \
            (lab.commits[1], f"{NAME}-2"), signed
        verdicts = {one["path"]: (one["verdict"], one["chosen"], one.get("status"))
                    for one in signed["candidates"]}
        assert verdicts == {"u.satchel": ("installable", True, None),
                            "w.satchel": ("refused", False, 15)}, verdicts
        assert re.fullmatch("[0-9a-f]{64}", signed["bundle-sha256"])
        text = files[0].with_suffix(".txt").read_text()
        assert "* u.satchel: installable" in text and "- w.satchel: refused" in text, text
        history = json.loads(device.expect(0, "history", "--json", "1").stdout)
        jsonschema.validate(history, schema("installer-history.schema.json"))
        assert [one["signed"]["step"] for one in history] == ["media", "run", "media"]
        assert [one["signed"]["status"] for one in history] == [100, 0, 0]
        text = device.expect(0, "history").stdout
        assert text.count("SATCHEL-") == 3 and f"{NAME}-2 runs" in text, text
        assert not list(stick.glob("*.tmp"))


@test("what the boot loader went back from is in the receipt of run")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    stick = stick_in(tmp, lab.bundle([2], packed=True))
    with lab.device() as device:
        device.write_config(f'[signals]\nstatus_file = "{tmp}/status"\n')
        device.expect(100, "media", stick)
        device.boot_old()
        device.expect(110, "run")
        last = json.loads(device.expect(0, "history", "--json", "1").stdout)[-1]["signed"]
        assert (last["step"], last["status"]) == ("run", 110) and \
            last["after"]["commit"] == lab.commits[1], last
        assert (tmp / "status").read_text().startswith("failed: "), (tmp / "status").read_text()


@test("media.receipt keeps receipts off the stick; a stick that is full of them is no error")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    stick = stick_in(tmp, lab.bundle([2], packed=True))
    with lab.device() as device:
        device.write_config("[media]\nreceipt = false\n")
        device.expect(100, "media", stick)
        assert not list(stick.glob("SATCHEL-*"))
        assert len(json.loads(device.expect(0, "history", "--json", "1").stdout)) == 1


@test("a receipt is signed with the device's key")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    stick = stick_in(tmp, lab.bundle([2], packed=True))
    key = ec.generate_private_key(ec.SECP256R1())
    with lab.device() as device:
        (device.storage / "pkey.pem").write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        device.expect(100, "media", stick)
        receipt = json.loads(next(stick.glob("SATCHEL-*.json")).read_text())
        jsonschema.validate(receipt, schema("installer-receipt.schema.json"))
        (signature,) = receipt["signatures"]
        public = key.public_key()
        assert signature["keyid"] == hashlib.sha256(public.public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo)).hexdigest()
        public.verify(base64.b64decode(signature["sig"]), canonical(receipt["signed"]),
                      ec.ECDSA(hashes.SHA256()))
        (device.storage / "pkey.pem").write_text("no key")
        result = device.expect(30, "media", stick)
        assert "not signed" in result.stderr, result
        last = json.loads(device.expect(0, "history", "--json", "1").stdout)[-1]
        assert (last["signed"]["status"], last["signatures"]) == (30, []), last


@test("nothing is written onto a stick that holds no bundle")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    stick = tmp / "stick"
    stick.mkdir()
    (stick / "photo.jpg").write_bytes(b"photo")
    with lab.device() as device:
        device.write_config(f'[signals]\nstatus_file = "{tmp}/new/status"\n')
        device.expect(3, "media", stick)
        assert [path.name for path in stick.iterdir()] == ["photo.jpg"]
        assert len(json.loads(device.expect(0, "history", "--json", "1").stdout)) == 1
        assert (tmp / "new/status").read_text().startswith("refused: "), "no folder was made"


main()
