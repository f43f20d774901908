#!/usr/bin/python3
"""Builds the system that the virtual machines run: Debian on OSTree with Satchel, and its releases.

    image = guest_image.build()       # a folder below build/e2e; a later call finds it there

What it holds:

    disk            a raw disk: MBR, extlinux, a journaled ext4 /boot, a journaled ext4 /; runs release 1
    memory-*        a machine that has booted that disk (see machine.py)
    release-2.satchel    release 2 whole, as one file
    bundles/        others, see stick_bundles.py
    facts.json      commits, the key of what it was made of
    lab/            the factory: keys, repository, TUF metadata

The file systems from Debian's packages are kept apart, for they change seldom.
"""
import hashlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from device_lab import NAME, OS, Lab, sh  # noqa: E402
from initramfs import Archive, fetch_kernel, modules_in_order  # noqa: E402
from tap import BUILD, ROOT  # noqa: E402
import machine  # noqa: E402
import stick_bundles  # noqa: E402

CACHE = ROOT / "build/e2e"
SUITE = "bookworm"
PACKAGES = ("systemd-sysv", "udev", "dbus", "kmod", "ostree", "ostree-boot", "libarchive13",
            "libsodium23", "libjansson4", "libcurl4", "libdeflate0", "libsqlite3-0", "libudev1",
            "libmount1", "libseccomp2", "libfyaml0", "e2fsprogs")
# What no program in the guest needs; /var starts empty in each deployment.
PRUNED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/i18n",
          "usr/share/zoneinfo", "usr/share/perl", "usr/share/perl5", "usr/share/gnupg",
          "usr/share/bash-completion", "usr/lib/x86_64-linux-gnu/gconv",
          "usr/lib/x86_64-linux-gnu/perl-base", "usr/lib/apt", "usr/lib/udev/hwdb.d",
          "usr/lib/udev/hwdb.bin", "usr/lib/x86_64-linux-gnu/perl",
          "usr/lib/x86_64-linux-gnu/libperl*", "usr/lib/x86_64-linux-gnu/libapt*", "usr/bin/perl*",
          "usr/bin/apt*", "usr/bin/dpkg*", "usr/bin/gpg*", "usr/share/zsh", "usr/lib/systemd/user",
          "usr/lib/systemd/system-generators/systemd-[!f]*", "usr/lib/systemd/system/timers.target.wants",
          "etc/systemd/system/timers.target.wants",
          "etc/systemd/system/getty.target.wants", "var", "home", "root", "opt", "srv", "mnt",
          "media", "boot", "usr/local", "proc", "sys", "dev", "run", "tmp")
BOOT_MODULES = ("virtio_pci", "virtio_blk", "ext4", "crc32c_generic")
MODULES = BOOT_MODULES + ("virtio_console", "virtio_rng", "xhci-pci", "usb-storage", "uas", "sd_mod",
                          "sr_mod", "vfat", "exfat", "isofs", "nls_cp437", "nls_ascii",
                          "nls_utf8", "nls_iso8859_1", "loop", "overlay")
# The rules of udev that are needed to find disks and sticks.
RULES = ("50-udev-default", "60-block", "60-persistent-storage", "80-drivers", "99-systemd")
# What takes time at each boot and serves nobody here.
MASKED = ("serial-getty@ttyS0.service", "getty@tty1.service", "e2scrub_reap.service",
          "systemd-networkd.service", "systemd-timesyncd.service", "systemd-pstore.service",
          "systemd-logind.service", "systemd-modules-load.service", "dev-hugepages.mount",
          "dev-mqueue.mount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount",
          "proc-sys-fs-binfmt_misc.automount", "modprobe@.service", "kmod-static-nodes.service",
          "systemd-sysctl.service", "systemd-random-seed.service", "systemd-update-utmp.service",
          "systemd-update-utmp-runlevel.service", "systemd-user-sessions.service",
          "systemd-binfmt.service", "systemd-firstboot.service", "systemd-repart.service",
          "systemd-machine-id-commit.service", "systemd-pcrphase.service",
          "systemd-pcrphase-sysinit.service", "systemd-ask-password-console.path",
          "systemd-ask-password-wall.path", "systemd-initctl.socket",
          "systemd-journald-audit.socket", "sys-kernel-config.mount", "sys-fs-fuse-connections.mount",
          "ostree-finalize-staged.path", "getty-static.service")
PREPARE = "usr/lib/ostree/ostree-prepare-root"
BOOT_MIB = 128
ROOT_MIB = 1024
BOOT_BEGIN = 1 << 20
ROOT_BEGIN = (1 + BOOT_MIB) << 20
KERNEL_ARGUMENTS = ("console=ttyS0,115200", "systemd.show_status=0", "mitigations=off", "nokaslr",
                    "net.ifnames=0", "panic=-1", "loglevel=4", "audit=0", "apparmor=0",
                    "tsc=reliable", "rcupdate.rcu_expedited=1", "usb-storage.delay_use=0",
                    "systemd.unit=multi-user.target")


def say(text):
    print(f"# {text}", flush=True)


def key_of(*parts):
    """A short name for content: bytes, texts, and files by what they hold."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, pathlib.Path):
            part = part.read_bytes()
        part = part if isinstance(part, bytes) else str(part).encode()
        digest.update(b"%d:" % len(part) + part)
    return digest.hexdigest()[:16]


def only(stem, key):
    """The folder for that key; those of other keys are removed."""
    for old in CACHE.glob(f"{stem}-*"):
        if old.name != f"{stem}-{key}":
            shutil.rmtree(old, ignore_errors=True)
    return CACHE / f"{stem}-{key}"


def prune(top, pruned):
    """What is left is quick to boot, to check and to copy."""
    rules = [path for path in top.glob("usr/lib/udev/rules.d/*") if path.stem not in RULES]
    for path in [found for pattern in pruned for found in top.glob(pattern)] + rules:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def make_base(stem, packages, pruned=PRUNED):
    """The root file system as Debian's packages make it, less what no program in the guest needs."""
    folder = only(stem, key_of(SUITE, packages, pruned, RULES))
    if (folder / "complete").exists():
        return folder / "root"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    say("guest: root file system from Debian packages")
    skipped = [f"--dpkgopt=path-exclude=/usr/share/{name}/*"
               for name in ("doc", "man", "locale", "info", "i18n", "zoneinfo")]
    sh("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--skip=cleanup/apt",
       "--aptopt=Acquire::Languages \"none\"", *skipped, f"--include={','.join(packages)}", SUITE,
       folder / "root")
    prune(folder / "root", pruned)
    (folder / "complete").touch()
    return folder / "root"


def make_initramfs(kernel, base, release):
    archive = Archive()
    for folder in ("proc", "sys", "dev", "run", "sysroot"):
        archive.folder(folder)
    archive.file("bin/busybox", pathlib.Path("/bin/busybox").read_bytes(), 0o755)
    archive.file("init", (HERE / "guest/init").read_bytes(), 0o755)
    archive.file("release", f"{release}\n".encode())  # so that each release has its own in /boot
    archive.program(base / PREPARE, PREPARE)
    archive.modules(kernel, BOOT_MODULES)
    return archive.compressed()


def add_kernel(top, kernel, base, release):
    """vmlinuz, initramfs and the modules, where libostree wants them."""
    source = next(kernel.glob("lib/modules/*"))
    target = top / "usr/lib/modules" / source.name
    target.mkdir(parents=True)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copy(source / name, target)
    for module in modules_in_order(kernel, MODULES):
        place = target / module.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(module, place)
    sh("chroot", top, "depmod", source.name)
    shutil.copy(next(kernel.glob("boot/vmlinuz-*")), target / "vmlinuz")
    (target / "initramfs.img").write_bytes(make_initramfs(kernel, base, release))


def add_satchel(top, lab):
    """This tree's Satchel, and a configuration that trusts the factory."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("MAKE") and name != "MFLAGS"}
    subprocess.run(["make", "--silent", "install", f"DESTDIR={top}", "PREFIX=/usr"], cwd=ROOT,
                   env=environment, check=True, stdout=subprocess.DEVNULL)
    for binary in (*top.glob("usr/bin/satchel-*"), *top.glob("usr/lib/libsatchel*.so.*")):
        if not binary.is_symlink():
            sh("strip", binary)
    place = top / "usr/lib/sota"
    (place / "tuf/ci").mkdir(parents=True)
    (place / "conf.d").mkdir()
    shutil.copy(lab.tuf / "metadata/1.root.json", place / "tuf/ci")
    shutil.copy(HERE / "guest/sota.toml", place / "conf.d")


def add_tools(top):
    """What steers the guest from outside."""
    place = top / "usr/lib/satchel-test"
    place.mkdir()
    for tool in ("shell", "quick-init"):
        shutil.copy(HERE / "guest" / tool, place)
    sh("gcc", "-O1", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", place / "call_marks.so",
       HERE / "call_marks.c")
    for unit in HERE.glob("guest/satchel-test-*.*"):
        shutil.copy(unit, top / "usr/lib/systemd/system")
    for tool in HERE.glob("guest/fw_*"):
        shutil.copy(tool, top / "usr/bin")
    shutil.copy(HERE / "guest/80-satchel-test.rules", top / "usr/lib/udev/rules.d")
    drop_in = top / "usr/lib/systemd/system/systemd-udev-trigger.service.d"
    drop_in.mkdir()
    shutil.copy(HERE / "guest/udev-trigger.conf", drop_in)
    shutil.copy(HERE / "guest/tmpfiles.conf", top / "usr/lib/tmpfiles.d/satchel-test.conf")
    sh("chroot", top, "systemctl", "--quiet", "enable", "satchel-run.service",
       "satchel-test-signals.socket", "satchel-test-bus.service")


def add_content(top, release):
    """Files of that release, the same each time: half of them do not compress."""
    place = top / "usr/share/release"
    place.mkdir()
    source = random.Random(release)
    for n in range(200):
        size = source.randrange(1, 64 << 10)
        data = source.randbytes(size) if n % 2 else f"{n} of {release}\n".encode() * (size // 8)
        (place / str(n)).write_bytes(data)
    with open(top / "usr/lib/os-release", "a", encoding="utf-8") as file:
        file.write(f"RELEASE={release}\n")
    names = []
    for path in (top / "usr").rglob("*"):
        is_folder = path.is_dir() and not path.is_symlink()
        names.append(f"{path.relative_to(top)} {0 if is_folder else path.lstat().st_size}")
    (top / "usr/lib/satchel-test/files").write_text("\n".join(sorted(names)) + "\n")


def to_ostree_layout(top):
    """An OSTree deployment has its /etc as default in /usr/etc and nothing of its own in /var."""
    etc = top / "etc"
    (etc / "fstab").write_text("/dev/vda1 /boot ext4 defaults 0 0\n")
    (etc / "machine-id").write_text("5a7c4e15a7c4e15a7c4e15a7c4e15a7c\n")
    (etc / "hostname").write_text("board\n")
    for unit in MASKED:
        place = etc / "systemd/system" / unit
        place.unlink(missing_ok=True)
        place.symlink_to("/dev/null")
    for name in ("boot", "dev", "proc", "run", "sys", "sysroot", "tmp", "var"):
        (top / name).mkdir()
    for name, target in (("ostree", "sysroot/ostree"), ("home", "var/home"), ("opt", "var/opt"),
                         ("root", "var/roothome"), ("srv", "var/srv"), ("mnt", "var/mnt"),
                         ("media", "run/media"), ("usr/local", "../var/usrlocal")):
        (top / name).symlink_to(target)
    etc.rename(top / "usr/etc")


def commit_release(lab, base, kernel, release, work, finish=None, apps=()):
    """@finish: a function that puts more into the folder with its file system."""
    top = work / f"tree-{release}"
    sh("cp", "-a", "--reflink=auto", base, top)
    add_kernel(top, kernel, base, release)
    add_satchel(top, lab)
    add_tools(top)
    if finish:
        finish(top)
    to_ostree_layout(top)
    add_content(top, release)
    commit = sh("ostree", "commit", "--repo", lab.repo, "--branch", f"{NAME}-{release}",
                "--timestamp", f"2026-0{release}-01 00:00:00 +0000", top)
    shutil.rmtree(top)
    lab.release(release, commit=commit, apps=apps)


def partition_table(root_mib):
    """An MBR with /boot and /, and the code that starts the first."""
    code = pathlib.Path("/usr/lib/syslinux/mbr/mbr.bin").read_bytes()
    entries = b""
    begin = 2048
    for flag, mib in ((0x80, BOOT_MIB), (0, root_mib)):
        entries += bytes([flag, 0, 0, 0, 0x83, 0, 0, 0]) + begin.to_bytes(4, "little") + \
            (mib * 2048).to_bytes(4, "little")
        begin += mib * 2048
    return code.ljust(446, b"\0")[:446] + entries.ljust(64, b"\0") + b"\x55\xaa"


def make_file_system(path, mib):
    """A journaled ext4 that extlinux can read."""
    with open(path, "wb") as image:
        image.truncate(mib << 20)
    sh("mkfs.ext4", "-q", "-F", "-O", "^64bit,^metadata_csum,^orphan_file", "-E",
       "lazy_itable_init=0,lazy_journal_init=0", path)


def fill_sysroot(top, lab):
    """libostree's, with release 1 deployed. @top: the root file system with /boot on it."""
    boot = top / "boot"
    (boot / "syslinux").mkdir()
    (boot / "loader.0").mkdir()
    (boot / "loader").symlink_to("loader.0")
    (boot / "syslinux/syslinux.cfg").symlink_to("../loader/syslinux.cfg")
    # Without a DEFAULT line: libostree keeps no foreign one, and then writes none of its own.
    (boot / "loader/syslinux.cfg").write_text("SERIAL 0 115200\nPROMPT 0\nTIMEOUT 1\n")
    sh("extlinux", "--install", boot / "syslinux")
    sh("ostree", "admin", "init-fs", top)
    sh("ostree", "admin", "os-init", OS, f"--sysroot={top}")
    repo = top / "ostree/repo"
    sh("ostree", "pull-local", "--repo", repo, lab.repo, lab.commits[1])
    arguments = [f"--karg={word}" for word in ("root=/dev/vda2", "rw", *KERNEL_ARGUMENTS)]
    sh("ostree", "admin", "deploy", f"--sysroot={top}", f"--os={OS}", *arguments, lab.commits[1])


def make_disk(path, lab, work, root_mib=ROOT_MIB):
    boot, root = work / "boot.img", work / "root.img"
    make_file_system(boot, BOOT_MIB)
    make_file_system(root, root_mib)
    top = work / "mnt"
    top.mkdir()
    sh("mount", "-o", "loop", root, top)
    try:
        (top / "boot").mkdir()
        sh("mount", "-o", "loop", boot, top / "boot")
        try:
            fill_sysroot(top, lab)
        finally:
            sh("umount", top / "boot")
    finally:
        sh("umount", top)
    with open(path, "wb") as disk:
        disk.write(partition_table(root_mib))
        disk.truncate((1 + BOOT_MIB + root_mib) << 20)
    for image, mib in ((boot, 1), (root, 1 + BOOT_MIB)):
        sh("dd", f"if={image}", f"of={path}", "bs=1M", f"seek={mib}", "conv=notrunc,sparse")


class Image:
    """What build() gives."""

    def __init__(self, folder):
        self.folder = folder
        self.facts = json.loads((folder / "facts.json").read_text())
        self.disk = folder / "disk"
        self.memory = folder / f"memory-{key_of(HERE / 'machine.py')}"
        self.packed = folder / "release-2.satchel"
        self.bundles = folder / "bundles"

    def commit(self, release):
        return self.facts["commits"][str(release)]


def new_lab(kind, folder):
    """A factory without releases. @kind: of Lab."""
    lab = kind(folder)
    sh("ostree", "config", "--repo", lab.repo, "set", "archive.zlib-level", "1")
    return lab


def make_image(folder, base, kernel):
    """Gives the commits of its releases."""
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        work = pathlib.Path(name)
        lab = new_lab(lambda place: Lab(place, releases=()), folder / "lab")
        for release in (1, 2):
            say(f"guest: release {release}")
            commit_release(lab, base, kernel, release, work)
        say("guest: disk and bundles")
        make_disk(folder / "disk", lab, work)
        lab.bundle([2], packed=True).rename(folder / "release-2.satchel")
        stick_bundles.make(lab, folder / "bundles", work)
        return lab.commits


def build_with(stem, base, make, *parts):
    """The image that @make fills, made if it is not there. @parts: what else goes into it."""
    kernel = fetch_kernel(CACHE)
    key = key_of(base.parent.name, next(kernel.glob("boot/vmlinuz-*")).name,
                 *sorted((HERE / "guest").iterdir()), HERE / "call_marks.c",
                 pathlib.Path(__file__), *parts, *sorted(BUILD.glob("satchel-*")),
                 *(ROOT / "tests/support" / name for name in ("initramfs.py", "device_lab.py")),
                 *(path for ending in ("service", "rules", "sysusers")
                   for path in sorted((ROOT / "installer").glob(f"*.{ending}"))))
    folder = only(stem, key)
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        commits = make(folder, base, kernel)
        (folder / "facts.json").write_text(json.dumps({"commits": commits}))
        (folder / "complete").touch()
    image = Image(folder)
    if not image.memory.exists():
        say("guest: first boot")
        for old in folder.glob("memory-*"):
            old.unlink()
        machine.make_snapshot(image)
    return image


def build():
    """The image of this tree's programs, made if it is not there."""
    CACHE.mkdir(parents=True, exist_ok=True)
    return build_with("image", make_base("base", PACKAGES), make_image, HERE / "stick_bundles.py")


if __name__ == "__main__":
    print(build().folder)
