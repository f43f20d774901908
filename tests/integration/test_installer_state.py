#!/usr/bin/python3
"""The device's state: damage, and two updaters at once."""
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import jsonschema

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import Lab, NAME, sh  # noqa: E402
from tap import ROOT, TRACED, main, program, skip, test  # noqa: E402

STATE_SCHEMA = json.loads((ROOT / "schemas/installer-state.schema.json").read_text())


def strace(device, words, *options):
    argv = ["strace", "-f", "-qq", *options, "-o", device.folder / "trace",
            program("satchel-installer"), words[0], "-c", device.config, *words[1:]]
    return subprocess.run([os.fspath(word) for word in argv], check=False, timeout=280,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          env=dict(os.environ, OSTREE_SYSROOT_DEBUG="mutable-deployments", **TRACED))


def need_strace():
    if shutil.which("strace") is None:
        skip("strace is missing")
    if subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False,
                      stderr=subprocess.DEVNULL).returncode != 0:
        skip("no right to trace")


def check_state(device):
    state = device.state()
    jsonschema.Draft202012Validator(STATE_SCHEMA).validate(state)
    return state


@test("a damaged state is set aside, reported, and rebuilt from the sysroot")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(100, "update", "--src-dir", bundle)
        device.expect(0, "run")
        good = device.state_file.read_bytes()
        folder = device.state_file.parent
        for number, damage in enumerate((b"", good[:50], b"\0" * 100, b"[]", b"{}",
                                         good.replace(b'"format": 1', b'"format": 0')), 1):
            device.state_file.write_bytes(damage)
            result = device.expect(0, "check", "--src-dir", bundle)
            name = f"state.json.damaged-{number}"
            assert name in result.stderr, result
            assert (folder / name).read_bytes() == damage
            state = check_state(device)
            assert state["current"]["name"] == f"{NAME}-2"
            assert state["rollback"]["name"] == f"{NAME}-1"


@test("names that no stored metadata know are learnt from the next bundle")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(100, "update", "--src-dir", bundle)
        device.expect(0, "run")
        device.state_file.write_bytes(b"")
        shutil.rmtree(device.storage / "satchel/tuf")
        device.expect(40, "run")
        state = check_state(device)
        assert "current" not in state and state["rollback"]["name"] == "Unknown Target"
        device.expect(0, "check", "--src-dir", bundle)
        state = check_state(device)
        assert state["current"]["name"] == f"{NAME}-2" and state["current"]["version"] == 2
        assert state["rollback"]["name"] == f"{NAME}-1" and state["rollback"]["version"] == 1


@test("a state of a newer version is refused by name, and left as it is")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    with lab.device() as device:
        device.expect(40, "run")
        for newer in (b'{"format": 2}', b'{"format": 2, "what": ["nobody", {"knows": 1}]}'):
            device.state_file.parent.mkdir(exist_ok=True)
            device.state_file.write_bytes(newer)
            before = device.digest()
            for words in (["check", "--src-dir", bundle], ["status"], ["run"]):
                result = device.expect(1, *words)
                assert "newer version of this program" in result.stderr, result
                assert "format 2" in result.stderr, result
            assert device.digest() == before


@test("killed between keeping a damaged state and writing the new one, it is still found damaged")
def _(tmp):
    need_strace()
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        device.expect(40, "run")
        device.state_file.parent.mkdir(exist_ok=True)
        device.state_file.write_bytes(b"{")
        strace(device, ["run"], "-e", "trace=linkat", "-e", "inject=linkat:signal=SIGKILL:when=1")
        strace(device, ["run"], "-e", "trace=rename,renameat,renameat2", "-e",
               "inject=rename,renameat,renameat2:signal=SIGKILL:when=1")
        assert device.state_file.read_bytes() == b"{"
        result = device.expect(40, "run")
        assert "damaged" in result.stderr, result
        check_state(device)


@test("each new state is on the disk before it gets its name, and its folder after it")
def _(tmp):
    need_strace()
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(100, "update", "--src-dir", bundle)
        strace(device, ["run"], "-y", "-e", "trace=fsync,rename,renameat,renameat2")
        lines = (device.folder / "trace").read_text().splitlines()
        folder = device.state_file.parent
        renames = [n for n, line in enumerate(lines) if '"state.json"' in line]
        assert renames, lines
        for n in renames:
            temp = re.search(r'"(\.satchel-\w+\.tmp)"', lines[n]).group(1)
            assert f"<{folder}/{temp}>) = 0" in lines[n - 1] and "fsync" in lines[n - 1], lines
            assert f"<{folder}>) = 0" in lines[n + 1] and "fsync" in lines[n + 1], lines
        assert check_state(device)["current"]["name"] == f"{NAME}-2"


@test("on a full or read-only file system the old state stays whole, and the word is clear")
def _(tmp):
    if subprocess.run(["unshare", "-m", "true"], check=False).returncode != 0:
        skip("no right to mount")
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(100, "update", "--src-dir", bundle)
        old = device.state_file.read_bytes()
        binary = program("satchel-installer")

        def inside(mount, status, word):
            script = (f"mount -t tmpfs -o size=256k none /mnt && cp -a {device.storage}/. /mnt && "
                      f"mount --move /mnt {device.storage} && {mount} && "
                      f"{{ {binary} run -c {device.config}; echo status=$?; }} && "
                      f"cat {device.state_file} >{tmp}/after")
            done = subprocess.run(["unshare", "-m", "sh", "-c", script], check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  encoding="utf-8", timeout=280)
            assert f"status={status}\n" in done.stdout and word in done.stdout, done.stdout
            assert (tmp / "after").read_bytes() == old

        fill = f"{{ dd if=/dev/zero of={device.storage}/fill bs=4096 2>/dev/null; true; }}"
        inside(fill, 60, "No space left on device")
        inside(f"mount -o remount,ro {device.storage}", 1, "Read-only file system")
        device.expect(0, "run")


@test("an installation that was cut off before the swap is forgotten by the next command")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        state = check_state(device)
        cut_off = {**state, "from_commit": lab.commits[1], "installing": {
            "name": f"{NAME}-2", "version": 2, "commit": lab.commits[2], "apps": []}}
        device.state_file.write_text(json.dumps(cut_off))
        text = device.expect(0, "status").stdout
        assert "Pending" not in text and "Failing" not in text, text
        assert device.state() == cut_off
        device.expect(40, "run")
        assert check_state(device) == state


@test("status of a damaged state tells of it, shows what runs, and writes nothing")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        device.expect(40, "run")
        device.state_file.write_bytes(b"{")
        before = device.digest()
        result = device.expect(0, "status")
        assert "damaged" in result.stderr and lab.commits[1] in result.stdout, result
        assert device.digest() == before


@test("a state that cannot be read at all is status 1")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        device.expect(40, "run")
        device.state_file.mkdir()
        result = device.expect(1, "status")
        assert "state.json" in result.stderr, result
        device.expect(1, "run")


@test("a second updater is told at once who runs, and changes nothing; list and status go on")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        before = device.digest()
        with open(device.storage / "satchel/lock", "r+", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            lock.seek(0)
            lock.truncate()
            lock.write("4711\n")
            lock.flush()
            for words in (["check", "--src-dir", bundle], ["pull", "--src-dir", bundle],
                          ["install"], ["update", "--src-dir", bundle], ["run"]):
                result = device.expect(1, *words)
                assert "another updater is running (pid 4711)" in result.stderr, result
            device.expect(16, "list")
            device.expect(0, "status")
        assert device.digest() == before
        device.expect(16, "check", "--src-dir", bundle)


@test("of updaters that start at once one updates, and the others say that it does or did")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        argv = [os.fspath(word) for word in device.argv("update", "--src-dir", bundle)]
        argv[0] = str(program(argv[0]))
        env = dict(os.environ, OSTREE_SYSROOT_DEBUG="mutable-deployments")
        running = [subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                    encoding="utf-8", env=env) for _ in range(6)]
        ended = []
        for one in running:
            said = one.communicate(timeout=300)[1]
            ended.append(one.returncode)
            assert one.returncode in (100, 30, 1), said
            if one.returncode == 1:
                assert "another updater is running" in said, said
        assert ended.count(100) == 1, ended
        state = check_state(device)
        assert state["pending"]["name"] == f"{NAME}-2" and state["failing"] == []
        deployed = [event for event in state["events"] if event["event"] == "deployed"]
        assert len(deployed) == 1, state
        assert device.deployments() == [lab.commits[2], lab.commits[1]]
        device.fsck()
        device.expect(0, "run")


@test("aktualizr-lite that is at work is waited for by nobody, and kept out while we are")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    with lab.device() as device:
        foreign = device.folder / "aklite.lock"
        device.write_config(f'[satchel]\nforeign_lock = "{foreign}"\n')
        with open(foreign, "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = device.digest()
            for words in (["update", "--src-dir", bundle], ["run"]):
                result = device.expect(1, *words)
                assert f"another updater is running (it holds {foreign})" in result.stderr, result
            device.expect(0, "status")
            assert device.digest() == before
        device.expect(100, "update", "--src-dir", bundle)
        assert foreign.exists()


@test("a lock on a file that aktualizr-lite unlinked is no lock")
def _(tmp):
    need_strace()
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        foreign = device.folder / "aklite.lock"
        device.write_config(f'[satchel]\nforeign_lock = "{foreign}"\n')
        foreign.touch()
        first = foreign.stat().st_ino
        keep = foreign.open("rb")  # so that the number is not used again
        argv = ["strace", "-f", "-qq", "-e", "trace=flock", "-e", "inject=flock:signal=SIGSTOP:when=2",
                "-o", device.folder / "trace", *device.argv("run")]
        argv[argv.index("satchel-installer")] = program("satchel-installer")
        with subprocess.Popen(argv, stderr=subprocess.DEVNULL,
                              env=dict(os.environ, **TRACED)) as running:
            trace = device.folder / "trace"
            while running.poll() is None and \
                    (not trace.exists() or "--- stopped by SIGSTOP ---" not in trace.read_text()):
                time.sleep(0.01)
            foreign.unlink()
            os.kill(int(trace.read_text().split()[0]), signal.SIGCONT)
            assert running.wait(timeout=280) == 40
        keep.close()
        assert trace.read_text().count("flock(") == 3, trace.read_text()
        assert foreign.stat().st_ino != first


@test("a sysroot that another program locks is busy, and the target is not failing for it")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    with lab.device() as device:
        device.expect(0, "pull", "--src-dir", bundle)
        with open(device.sysroot / "ostree/lock", "w", encoding="ascii") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)
            result = device.expect(1, "install")
            assert "another process" in result.stderr, result
        state = check_state(device)
        assert state["failing"] == [] and "installing" not in state
        device.expect(100, "install")


@test("a release that cannot be deployed is 110, the device stays as it is, the release fails")
def _(tmp):
    def no_kernel(top):
        shutil.rmtree(top / "usr/lib/modules")
    lab = Lab(tmp, releases=(1,))
    lab.release(2, commit=lab.commit(2, no_kernel))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        result = device.expect(110, "update", "--src-dir", bundle)
        assert "stays as it is" in result.stderr, result
        state = check_state(device)
        assert [target["name"] for target in state["failing"]] == [f"{NAME}-2"]
        assert device.deployments() == [lab.commits[1]]
        device.expect(0, "update", "--src-dir", bundle)
        device.expect(40, "run")


@test("a storage folder that cannot be written is said plainly")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    with lab.device() as device:
        shutil.rmtree(device.storage)
        device.storage.write_text("a file")
        result = device.expect(1, "check", "--src-dir", bundle)
        assert str(device.storage) in result.stderr, result


@test("the file system of a sysroot that does not run is never frozen, only synced")
def _(tmp):
    need_strace()
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    with lab.device() as device:
        device.expect(0, "pull", "--src-dir", bundle)
        strace(device, ["install"], "-e", "trace=ioctl,syncfs")
        lines = (device.folder / "trace").read_text().splitlines()
        frozen = [line for line in lines if "FIFREEZE" in line]
        # libostree tries; without the right to, it syncs.
        assert all("EPERM" in line for line in frozen), frozen
        assert any("syncfs" in line for line in lines)
        device.expect(0, "run")


@test("a bundle's metadata are read once: what is remembered of them is what was judged")
def _(tmp):
    need_strace()
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    with lab.device() as device:
        strace(device, ["update", "--src-dir", bundle], "-e", "trace=openat")
        opened = [line for line in (device.folder / "trace").read_text().splitlines()
                  if '"bundle-targets.json", O_RDONLY' in line]
        assert len(opened) == 1, opened
        raw = (bundle / "tuf/bundle-targets.json").read_bytes()
        assert hashlib.sha256(raw).hexdigest() in device.state_file.read_text()


main()
