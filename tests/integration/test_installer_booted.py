#!/usr/bin/python3
"""A device that runs what it updates: the installer in a root that was "booted" from its sysroot.

A boot is a chroot into a deployment, laid out as ostree-prepare-root does it, with a fresh /run. All
mounts are in a namespace of this process and end with it. /boot is a small ext4 file system of its
own, so that freezing it is real and disturbs nobody.
"""
import ctypes
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import HARDWARE, Lab, NAME, OS, TAG, sh  # noqa: E402
from tap import BUILD, main, run, skip, test  # noqa: E402

CLONE_NEWNS = 0x00020000
SENTINEL = "run/satchel/need_reboot"


def with_system(top):
    """What a root needs so that programs of the host run in it."""
    for name in ("lib", "lib64", "bin", "sbin"):
        (top / name).symlink_to(f"usr/{name}")
    for name in ("sysroot", "boot", "var", "run", "proc", "dev", "tmp", "mnt"):
        (top / name).mkdir()
    (top / "ostree").symlink_to("sysroot/ostree")


class System:
    """A sysroot, its /boot and what is booted."""

    def __init__(self, lab, folder):
        self.lab = lab
        self.top = folder / "disk"
        self.root = folder / "root"
        self.media = folder / "media"
        self.mounts = []
        for path in (self.top, self.root, self.media):
            path.mkdir()
        self._make_boot(folder)
        sh("ostree", "admin", "init-fs", "--modern", self.top)
        repo = self.top / "ostree/repo"
        sh("ostree", "config", "--repo", repo, "set", "core.min-free-space-percent", "0")
        sh("ostree", "admin", "os-init", f"--sysroot={self.top}", OS)
        sh("ostree", "pull-local", "--repo", repo, lab.repo, lab.commits[1])
        sh("ostree", "admin", "deploy", f"--sysroot={self.top}", f"--os={OS}", "--karg=quiet",
           lab.commits[1])
        self._configure()
        self.boot()

    def _make_boot(self, folder):
        image = folder / "boot.img"
        with open(image, "wb") as file:
            file.truncate(32 << 20)
        sh("mkfs.ext4", "-q", "-F", image)
        (self.top / "boot").mkdir()
        if run(["mount", "-o", "loop", image, self.top / "boot"]).returncode != 0:
            skip("no loop devices")
        self.mounts.append(self.top / "boot")

    def _configure(self):
        var = self.top / f"ostree/deploy/{OS}/var"
        (var / "roots/ci").mkdir(parents=True)
        (var / "sota").mkdir()
        shutil.copy(self.lab.tuf / "metadata/1.root.json", var / "roots/ci")
        (var / "sota/sota.toml").write_text(f"""\
[provision]
primary_ecu_hardware_id = "{HARDWARE}"
[storage]
path = "/var/sota"
uptane_metadata_path = "/var/roots"
[pacman]
type = "ostree"
os = "{OS}"
tags = "{TAG}"
[bootloader]
reboot_sentinel_dir = "/run/satchel"
""")

    def _mount(self, source, target, *options):
        target = self.root / target if target else self.root
        sh("mount", *options, source, target)
        self.mounts.append(target)

    def deployments(self):
        text = sh("ostree", "admin", "status", f"--sysroot={self.top}")
        return re.findall(r"\b([0-9a-f]{64})\.\d+", text)

    def boot(self, index=0):
        """Into the default deployment, or another one, as a boot loader that goes back would."""
        self.shut_down()
        commit = self.deployments()[index]
        self._mount(next((self.top / f"ostree/deploy/{OS}/deploy").glob(f"{commit}.[0-9]")), "",
                    "--bind")
        self._mount(self.top, "sysroot", "--rbind")
        self._mount(self.top / "boot", "boot", "--bind")
        self._mount(self.top / f"ostree/deploy/{OS}/var", "var", "--bind")
        self._mount("none", "run", "-t", "tmpfs")
        self._mount("none", "tmp", "-t", "tmpfs")
        self._mount("/proc", "proc", "--bind")
        self._mount("/dev", "dev", "--bind")
        self._mount("/usr", "usr", "--bind")
        self._mount("none", "mnt", "-t", "tmpfs")
        for name, source in (("media", self.media), ("build", BUILD)):
            (self.root / "mnt" / name).mkdir()
            self._mount(source, f"mnt/{name}", "--bind")
        (self.root / "run/ostree-booted").touch()

    def shut_down(self):
        """All but /boot of the disk."""
        while len(self.mounts) > 1:
            sh("umount", "-R", self.mounts.pop())

    def power_off(self):
        self.shut_down()
        sh("umount", "-R", self.mounts.pop())

    def run(self, *words, before=()):
        return run([*before, "chroot", self.root, "/mnt/build/satchel-installer", *words],
                   env={"OSTREE_SYSROOT_DEBUG": "mutable-deployments",
                        # a sanitizer cannot look for leaks in a program that is traced
                        **({"LSAN_OPTIONS": "detect_leaks=0"} if before else {})})

    def expect(self, status, *words, **kwargs):
        result = self.run(*words, **kwargs)
        assert result.returncode == status, f"not {status}: {result}"
        return result


def with_booted(sentence):
    """A test with a lab, a booted system that runs release 1, and a bundle of 1 and 2."""
    def add(body):
        @test(sentence)
        def _(tmp):
            lab = Lab(tmp, releases=())
            for version in (1, 2):
                lab.release(version, commit=lab.commit(version, with_system))
            system = System(lab, tmp)
            try:
                shutil.copytree(lab.bundle([1, 2]), system.media / "bundle", symlinks=True)
                body(lab, system)
            finally:
                system.power_off()
        return body
    return add


BUNDLE = ("--src-dir", "/mnt/media/bundle")


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
    result = system.expect(
        100, "install", before=("strace", "-f", "-qq", "-o", trace, "-e",
                                "trace=renameat,renameat2,rename,linkat,unlinkat,ioctl,chroot"))
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
        assert write.wait(timeout=20) == 0
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


if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
    print("1..0 # SKIP no right to mount")
    sys.exit(0)
if run(["mount", "--make-rprivate", "/"]).returncode != 0:
    print("1..0 # SKIP / is no mount point, as in a chroot")
    sys.exit(0)
main()
