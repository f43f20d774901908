"""A device that runs what it updates: the installer in a root that was "booted" from its sysroot.

    @with_booted("a sentence")
    def _(lab, system):               # runs release 1; a bundle of 1 and 2 is at hand
        system.expect(100, "update", *BUNDLE)
        system.boot()

    main_booted()

A boot is a chroot into a deployment, laid out as ostree-prepare-root does it, with a fresh /run. All
mounts are in a namespace of this process and end with it. /boot is a small ext4 file system of its
own, so that freezing it is real and disturbs nobody.
"""
import ctypes
import re
import shutil
import sys

from device_lab import HARDWARE, Lab, OS, TAG, sh
from tap import BUILD, main, run, skip, test

CLONE_NEWNS = 0x00020000
SENTINEL = "run/satchel/need_reboot"
BUNDLE = ("--src-dir", "/mnt/media/bundle")


def with_system(top):
    """What a root needs so that programs of the host run in it."""
    for name in ("lib", "lib64", "bin", "sbin"):
        (top / name).symlink_to(f"usr/{name}")
    for name in ("sysroot", "boot", "var", "run", "proc", "dev", "tmp", "mnt"):
        (top / name).mkdir()
    (top / "ostree").symlink_to("sysroot/ostree")


def with_kernel(size):
    """The same with a kernel of its own, of that many bytes."""
    def change(top):
        with_system(top)
        (top / "usr/lib/modules/6.1.0/vmlinuz").write_bytes(b"another kernel".ljust(size, b"."))
    return change


def mount_image(image, megabytes, folder):
    """A new ext4 on that folder."""
    with open(image, "wb") as file:
        file.truncate(megabytes << 20)
    sh("mkfs.ext4", "-q", "-F", image)
    folder.mkdir(exist_ok=True)
    if run(["mount", "-o", "loop", image, folder]).returncode != 0:
        skip("no loop devices")


class System:
    """A sysroot, its /boot and what is booted. @one_disk: /boot is on the root file system."""

    def __init__(self, lab, folder, one_disk=False, config=""):
        self.lab = lab
        self.config = config
        self.top = folder / "disk"
        self.root = folder / "root"
        self.media = folder / "media"
        self.mounts = []
        for path in (self.top, self.root, self.media):
            path.mkdir()
        mount_image(folder / "disk.img", 32, self.top if one_disk else self.top / "boot")
        (self.top / "boot").mkdir(exist_ok=True)
        self.mounts.append(self.top if one_disk else self.top / "boot")
        sh("ostree", "admin", "init-fs", "--modern", self.top)
        repo = self.top / "ostree/repo"
        sh("ostree", "config", "--repo", repo, "set", "core.min-free-space-percent", "0")
        sh("ostree", "admin", "os-init", f"--sysroot={self.top}", OS)
        sh("ostree", "pull-local", "--repo", repo, lab.repo, lab.commits[1])
        sh("ostree", "admin", "deploy", f"--sysroot={self.top}", f"--os={OS}", "--karg=quiet",
           lab.commits[1])
        self._configure()
        self.boot()

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
{self.config}""")

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
        """All but the disk."""
        while len(self.mounts) > 1:
            sh("umount", "-R", self.mounts.pop())

    def power_off(self):
        self.shut_down()
        sh("umount", "-R", self.mounts.pop())

    def run(self, *words, before=(), env=None):
        return run([*before, "chroot", self.root, "/mnt/build/satchel-installer", *words],
                   env={"OSTREE_SYSROOT_DEBUG": "mutable-deployments", **(env or {})})

    def expect(self, status, *words, **kwargs):
        result = self.run(*words, **kwargs)
        assert result.returncode == status, f"not {status}: {result}"
        return result


def with_booted(sentence, changes=(with_system, with_system), **kwargs):
    """A test with a lab, a booted system that runs release 1, and a bundle of all releases.

    @changes: what is changed in the tree of each release. The rest is System's.
    """
    def add(body):
        @test(sentence)
        def _(tmp):
            lab = Lab(tmp, releases=())
            for version, change in enumerate(changes, 1):
                lab.release(version, commit=lab.commit(version, change))
            system = System(lab, tmp, **kwargs)
            try:
                shutil.copytree(lab.bundle(list(lab.commits)), system.media / "bundle",
                                symlinks=True)
                body(lab, system)
            finally:
                system.power_off()
        return body
    return add


def main_booted():
    """main(), where mounting is allowed."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        print("1..0 # SKIP no right to mount")
        sys.exit(0)
    if run(["mount", "--make-rprivate", "/"]).returncode != 0:
        print("1..0 # SKIP / is no mount point, as in a chroot")
        sys.exit(0)
    main()
