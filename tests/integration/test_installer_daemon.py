#!/usr/bin/python3
"""`daemon`: a bundle that appears is installed; what fails is said and not tried again and again."""
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import Lab, NAME  # noqa: E402
from tap import main, program, test  # noqa: E402

LIMIT_S = 280


class Daemon:
    """The daemon of a device while it runs; what it says is read line by line."""

    def __init__(self, device, *words):
        argv = device.argv("daemon", "--interval", "1", *words)
        self.process = subprocess.Popen(
            [program(argv[0]), *argv[1:]], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            encoding="utf-8")
        self.lines = []
        self.timer = threading.Timer(LIMIT_S, self.process.kill)
        self.timer.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.timer.cancel()
        self.process.stderr.close()

    def until(self, word):
        """Reads on to the line that has the word."""
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))
            if word in line:
                return line
        raise AssertionError(f"it never says '{word}':\n" + "\n".join(self.lines))

    def wait_for_calls(self, file, message, count):
        """Until a callback program has noted that message that often."""
        while not file.exists() or file.read_text().split().count(message) < count:
            assert self.process.poll() is None, self.end()
            time.sleep(0.05)
        return file.read_text().split()

    def end(self, how=None):
        """Its exit status; @how: a signal to end it by."""
        if how is not None:
            self.process.send_signal(how)
        self.lines += [line.rstrip("\n") for line in self.process.stderr]
        return self.process.wait(LIMIT_S)


@test("a bundle that appears is installed, and the daemon ends with 0 for the reboot")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    place = tmp / "media"
    with lab.device() as device, Daemon(device, "--src-dir", place) as daemon:
        daemon.until(f"waiting for {place}")
        # The lock is free as long as it waits.
        device.expect(16, "check", "--src-dir", bundle)
        bundle.rename(place)
        daemon.until(f"Updating from {NAME}-1 to {NAME}-2")
        assert daemon.end() == 0, daemon.lines
        assert device.state()["pending"]["name"] == f"{NAME}-2"
        assert not any("no reboot" in line for line in daemon.lines)
        # What it was for is finished at the next start.
        with Daemon(device, "--src-dir", place) as again:
            again.until(f"{NAME}-2 runs")
            again.until("is the current target")
            assert again.end(signal.SIGTERM) == 0
        assert device.state()["current"]["name"] == f"{NAME}-2"


@test("told to end while it waits, it ends at once with 0")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        for how in (signal.SIGTERM, signal.SIGINT):
            with Daemon(device, "--src-dir", tmp / "none", "--interval", "3600") as daemon:
                daemon.until("waiting for")
                assert daemon.end(how) == 0, daemon.lines
                assert len(daemon.lines) == 1, daemon.lines


@test("source and interval come from the configuration; without a source it is refused")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    place = tmp / "media"
    with lab.device() as device:
        result = device.expect(1, "daemon")
        assert "satchel.source" in result.stderr, result
        device.write_config(f'[satchel]\nsource = "{place}"\n[uptane]\npolling_sec = 1\n')
        argv = device.argv("daemon")
        with Daemon.__new__(Daemon) as daemon:
            daemon.process = subprocess.Popen([program(argv[0]), *argv[1:]],
                                              stderr=subprocess.PIPE, encoding="utf-8")
            daemon.lines = []
            daemon.timer = threading.Timer(LIMIT_S, daemon.process.kill)
            daemon.timer.start()
            daemon.until(f"waiting for {place}")
            lab.bundle([1, 2]).rename(place)
            assert daemon.end() == 0, daemon.lines


@test("a setting of the wrong kind is refused with file and line")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        for extra, word in (('[uptane]\npolling_sec = "often"\n', "uptane.polling_sec"),
                            ("[uptane]\npolling_sec = 0\n", "uptane.polling_sec"),
                            ('[satchel]\nsource = "media"\n', "an absolute path"),
                            ("reboot_command = \"/bin/x 'y\"\n", "a program and its arguments")):
            device.write_config(extra)
            result = device.expect(1, "daemon")
            assert word in result.stderr and f"{device.config}:" in result.stderr, result
        device.write_config()
        for words in (["--interval", "0"], ["--interval", "86401"], ["--interval", "x"],
                      ["--interval", "2147483647"], ["board-lmp-1"]):
            device.expect(1, "daemon", "--src-dir", tmp, *words)
        for command in ("check", "update", "run"):
            result = device.expect(1, command, "--interval", "5")
            assert "takes no --interval" in result.stderr, result


@test("a release that cannot be installed is tried once, and another one is taken when it appears")
def _(tmp):
    def no_kernel(top):
        shutil.rmtree(top / "usr/lib/modules")
    lab = Lab(tmp, releases=(1,))
    lab.release(2, commit=lab.commit(2, no_kernel))
    place = tmp / "media"
    lab.bundle([1, 2]).rename(place)
    with lab.device() as device, Daemon(device, "--src-dir", place) as daemon:
        daemon.until("was not installed, the device stays as it is")
        daemon.until("was tried and failed")
        shutil.move(place, tmp / "away")
        daemon.until("waiting for")
        failed = [event for event in device.state()["events"] if event["event"] == "failed"]
        assert len(failed) == 1, failed
        lab.release(3)
        lab.bundle([1, 3]).rename(place)
        daemon.until(f"{NAME}-3 is installed")
        assert daemon.end() == 0, daemon.lines


def note_calls(device, folder, verdict="true"):
    """A callback program that notes its messages; the file it notes them in. @verdict: what it
    then does, in the shell's words."""
    program_file = folder / "handler"
    calls = folder / "calls"
    program_file.write_text(f"#!/bin/sh\necho $MESSAGE >> {calls}\n{verdict}\n")
    program_file.chmod(0o755)
    device.write_config("[satchel]\ncallback_veto = true\n",
                        pacman=f'callback_program = "{program_file}"\n')
    return calls


@test("an installation that is refused is asked for again, said once, and pulled once")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        # Until there was a second pull.
        calls = note_calls(device, tmp, f"""[ "$MESSAGE" != install-pre ] ||
                [ $(grep --count --line-regexp download-pre {tmp}/calls) -ge 2 ]""")
        with Daemon(device, "--src-dir", bundle) as daemon:
            assert daemon.wait_for_calls(calls, "install-pre", 3).count("download-pre") == 1
            # What the device has lost meanwhile is pulled again.
            commit = lab.commits[2]
            (device.repo / f"objects/{commit[:2]}/{commit[2:]}.commit").unlink()
            daemon.until(f"{NAME}-2 is installed")
            assert daemon.end() == 0
            assert calls.read_text().split().count("download-pre") == 2
            for part in ("install-pre was refused", f"Updating from {NAME}-1"):
                assert sum(part in line for line in daemon.lines) == 1, daemon.lines


@test("damaged content is read once, until the bundle changes or was away")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    place = lab.bundle([2])
    with lab.device() as device:
        held = {file.stem for file in (device.repo / "objects").glob("??/*")}
        damaged = next(file for file in (place / "ostree_repo/objects").glob("??/*.filez")
                       if file.stem not in held)
        good = damaged.read_bytes()
        damaged.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        calls = note_calls(device, tmp)
        with Daemon(device, "--src-dir", place) as daemon:
            daemon.until(damaged.stem[:10])
            assert daemon.wait_for_calls(calls, "check-for-update-pre", 3).count(
                "download-pre") == 1
            (place / "tuf/bundle-targets.json").touch()
            daemon.wait_for_calls(calls, "download-post", 2)  # it reads no more
            place.rename(tmp / "away")
            daemon.until("waiting for")
            (tmp / "away").rename(place)
            daemon.wait_for_calls(calls, "download-post", 3)
            damaged.write_bytes(good)
            (place / "new").touch()
            daemon.until(f"{NAME}-2 is installed")
            assert daemon.end() == 0
            # Before it was away, and after.
            assert sum(damaged.stem in line for line in daemon.lines) == 2, daemon.lines


@test("a bundle that is refused is said once, and looked at again all the same")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    place = tmp / "media"
    bundle = lab.bundle([1, 2])
    shutil.copytree(bundle, place)
    (place / "tuf/bundle-targets.json").unlink()
    with lab.device() as device, Daemon(device, "--src-dir", place) as daemon:
        line = daemon.until("bundle-targets.json").rstrip("\n")
        # At least two more looks, each of which takes the lock file's time on.
        lock = device.storage / "satchel/lock"
        for _ in range(2):
            lock.write_text("")
            while lock.read_text() == "":
                assert daemon.process.poll() is None
        assert not device.has_commit(2)
        shutil.copy(bundle / "tuf/bundle-targets.json", place / "tuf")
        daemon.until(f"{NAME}-2 is installed")
        assert daemon.end() == 0
        assert daemon.lines.count(line) == 1, daemon.lines


main()
