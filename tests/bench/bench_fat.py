#!/usr/bin/python3
"""The same bundle on FAT32, as a folder and as one file: how long a device takes to pull it.

The kernel that runs the tests mounts no FAT, so a virtual machine does: Debian's kernel, an emulated
USB stick, a disk with an empty sysroot, and nothing else in it but satchel-installer. Each run is a
cold boot, so that nothing is in a cache. The processor is emulated, too, and slow: what this says
is the ratio. `--stick-mb-s` and `--stick-iops` make the stick as slow as real ones are.

    tests/bench/bench_fat.py [--runs N] [--stick-mb-s N] [--stick-iops N]
"""
import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import measures  # noqa: E402
from device_lab import HARDWARE, NAME, OS, TAG, sh  # noqa: E402
from initramfs import Archive, fetch_kernel  # noqa: E402
from tap import program  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = pathlib.Path(os.environ.get("SATCHEL_DEMO_CACHE", ROOT / ".cache/demo"))
MODULES = ("virtio_pci", "virtio_blk", "ext4", "crc32c_generic", "xhci-pci", "usb-storage",
           "sd_mod", "vfat", "nls_cp437", "nls_ascii", "nls_utf8")
TIME_LIMIT_S = 1800

# Waits for the stick, pulls, says how long that took in hundredths of a second, and is gone.
INIT = """#!/bin/busybox sh
export PATH=/bin
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs dev /dev
busybox mount -t tmpfs tmp /tmp
while read module; do busybox insmod $module; done </modules/order
n=0
while [ ! -b /dev/sda ] && [ $n -lt 300 ]; do busybox sleep 0.1; n=$((n + 1)); done
busybox mount -t ext4 /dev/vda /sysroot
busybox mount -t vfat -o ro,nosuid,nodev,noexec /dev/sda /stick
read begin rest </proc/uptime
satchel-installer -c /etc/satchel.toml pull --src-dir /stick 2>&1
status=$?
read end rest </proc/uptime
echo "MEASURED status=$status begin=$begin end=$end sectors=$(busybox awk '{print $3}' /sys/block/sda/stat)"
busybox umount /sysroot
busybox poweroff -f
"""


def make_initramfs(kernel, tuf, path):
    """Nothing but busybox, the installer, its libraries, the modules and the trusted root."""
    archive = Archive()
    for folder in ("proc", "sys", "dev", "tmp", "sysroot", "stick", "var"):
        archive.folder(folder)
    archive.file("init", INIT.encode(), 0o755)
    archive.file("bin/busybox", pathlib.Path("/bin/busybox").read_bytes(), 0o755)
    archive.program(program("satchel-installer"), "bin/satchel-installer")
    archive.modules(kernel, MODULES)
    archive.file("usr/lib/sota/tuf/ci/1.root.json", (tuf / "1.root.json").read_bytes())
    archive.file("etc/satchel.toml", f"""[provision]
primary_ecu_hardware_id = "{HARDWARE}"
[storage]
path = "/sysroot/state"
[pacman]
type = "ostree"
sysroot = "/sysroot"
os = "{OS}"
booted = "0"
tags = "{TAG}"
""".encode())
    path.write_bytes(archive.compressed())


def make_commit(work):
    """Python's own files from release 2 of the demonstration: many and small. All of the release
    would take an emulated processor half an hour a run."""
    subprocess.run([ROOT / "tests/support/debian_releases.sh", CACHE], check=True)
    sh("ostree", "init", f"--repo={work}/repo", "--mode=archive")
    sh("ostree", "checkout", f"--repo={CACHE}/repo", "--subpath=/usr/lib/python3.11", "demo/2",
       work / "tree")
    return sh("ostree", "commit", f"--repo={work}/repo", "--branch=bench", work / "tree")


def make_bundle(work):
    """A release as a folder and as one file."""
    bundler = program("satchel-bundler")
    commit = make_commit(work)
    factory = work / "factory"
    sh(bundler, "repo", "init", factory)
    sh(bundler, "repo", "add", factory, "--name", NAME, "--version", "2", "--hardware-id",
       HARDWARE, "--tag", TAG, "--commit", commit)
    sh(bundler, "repo", "publish", factory)
    key = next(factory.glob("keys/targets-*.pem"))
    folder = work / "folder"
    sh(bundler, "build", "--tuf", factory / "metadata", "--ostree", work / "repo", "--target",
       f"{NAME}-2", "--tag", TAG, "--type", "ci", "--key", key, folder)
    packed = work / "packed"
    packed.mkdir()
    sh(bundler, "pack", folder, packed / "release.satchel")
    return factory / "metadata", {"folder": folder, "packed": packed}


def make_stick(content, path):
    """A FAT32 file system without partitions, filled file by file on an empty one."""
    size = sum(max(f.stat().st_size, 1) + 8192 for f in content.rglob("*")) + (64 << 20)
    with open(path, "wb") as image:
        image.truncate(max(size, 600 << 20))
    sh("mkfs.vfat", "-F", "32", path)
    sh("mcopy", "-i", path, "-s", *sorted(content.iterdir()), "::")


def make_disk(path):
    with open(path, "wb") as image:
        image.truncate(4 << 30)
    sh("mkfs.ext4", "-q", path)
    with tempfile.TemporaryDirectory() as folder:
        sh("mount", "-o", "loop", path, folder)
        try:
            sh("ostree", "admin", "init-fs", folder)
            sh("ostree", "admin", "os-init", OS, f"--sysroot={folder}")
        finally:
            sh("umount", folder)


def boot(kernel, initramfs, stick, disk, limits):
    """One cold boot with an empty sysroot. Gives seconds and bytes read from the stick."""
    command = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2",
               "-m", "2048", "-nographic", "-no-reboot", "-nic", "none", "-kernel",
               next(kernel.glob("boot/vmlinuz-*")), "-initrd", initramfs,
               "-append", "console=ttyS0 quiet panic=-1",
               "-drive", f"file={disk},format=raw,if=virtio,snapshot=on",
               "-device", "qemu-xhci", "-drive",
               f"file={stick},format=raw,if=none,id=stick,readonly=on{limits}",
               "-device", "usb-storage,drive=stick"]
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True,
                          timeout=TIME_LIMIT_S, encoding="utf-8", errors="replace")
    found = re.search(r"MEASURED status=(\d+) begin=(\S+) end=(\S+) sectors=(\d+)", done.stdout)
    if found is None or found.group(1) != "0":
        sys.exit(f"the guest did not pull:\n{done.stdout[-4000:]}")
    return float(found.group(3)) - float(found.group(2)), int(found.group(4)) * 512


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--stick-mb-s", type=int, default=0, help="0: as fast as the host")
    parser.add_argument("--stick-iops", type=int, default=0, help="0: as many as the host can")
    given = parser.parse_args()
    limits = ""
    if given.stick_mb_s:
        limits += f",throttling.bps-total={given.stick_mb_s * 1000000}"
    if given.stick_iops:
        limits += f",throttling.iops-total={given.stick_iops}"
    kernel = fetch_kernel(CACHE)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        work = pathlib.Path(folder)
        tuf, bundles = make_bundle(work)
        make_initramfs(kernel, tuf, work / "initramfs")
        make_disk(work / "disk")
        for form, content in bundles.items():
            make_stick(content, work / f"{form}.fat")
        runs = {form: [] for form in bundles}
        for _ in range(given.runs):
            for form in bundles:
                runs[form].append(boot(kernel, work / "initramfs", work / f"{form}.fat",
                                       work / "disk", limits))
    print(f"{'pull from FAT32 in a virtual machine':40} {'s':>8} {'MB read':>8}")
    medians = {}
    for form, results in runs.items():
        medians[form] = statistics.median(seconds for seconds, _ in results)
        print(f"{form:40} {medians[form]:8.1f} {results[0][1] / 1e6:8.1f}")
    measures.note("from FAT32 in a virtual machine, packed against the folder, times faster",
                  f"{medians['packed']:.1f} s", f"{medians['folder']:.1f} s", 3,
                  medians["folder"] / medians["packed"], given.runs, {}, at_least=True)


if __name__ == "__main__":
    main()
