#!/usr/bin/python3
"""Judges every point of one installation at which the power could go: see oracle.py.

An installation by satchel-installer must leave a disk that boots at each of them, and one by libostree's
own deploy must not, or else nothing was looked at.
"""
import hashlib
import pathlib
import subprocess
import sys
import tempfile
import time

import guest_image
import machine
import oracle
import power_cut
from device_lab import sh
from power_cut import INSTALL, PLAIN

WRITE_BACK_S = 12     # the kernel writes what is dirty, and its journal, in that time


def record(bench, command, status):
    """The log of all writes of that command and of what the kernel still writes behind it."""
    disk, memory = bench.pulled
    log = bench.folder / "log"
    copy = machine.copy_disk(disk, bench.folder / "disk")
    with machine.Machine(bench.folder, copy, memory, log) as guest:
        guest.check(command, status)
        guest.check(f"sleep {WRITE_BACK_S}")
        guest.cut()
    return log


def built(image, release):
    """SHA-256 of kernel and initramfs of a release."""
    repo, commit = image.folder / "lab/repo", image.commit(release)
    folder = sh("ostree", "ls", "--repo", repo, commit, "/usr/lib/modules").split()[-1]
    return tuple(hashlib.sha256(subprocess.run(
        ["ostree", "cat", f"--repo={repo}", commit, f"{folder}/{name}"], check=True,
        stdout=subprocess.PIPE).stdout).hexdigest() for name in ("vmlinuz", "initramfs.img"))


def judge(bench, name, command, status):
    """Prints and gives what became of it: points by verdict, verdicts by time."""
    begin = time.monotonic()
    log = record(bench, command, status)
    ran = time.monotonic() - begin
    kernels = {built(bench.image, release) for release in (1, 2)}
    counts, bricks, by_time = oracle.judge(bench.pulled[0], log, kernels)
    log.unlink()
    print(f"{name}: {sum(counts.values())} points at {len(by_time)} times: {counts[1]} boot release 1, "
          f"{counts[2]} release 2, {counts[oracle.BRICK]} nothing; {ran:.0f} s to run, "
          f"{time.monotonic() - begin - ran:.0f} s to judge", flush=True)
    for why, n in bricks.most_common(3):
        print(f"    {n} times: {why}", flush=True)
    return counts, by_time


def judge_both(bench):
    """Whether all is as it must be."""
    counts, by_time = judge(bench, "satchel-installer install", INSTALL, 100)
    good = counts[oracle.BRICK] == 0 and by_time[0] == {1} and by_time[-1] == {2}
    plain = PLAIN.format(commit=bench.image.commit(2))
    control, _ = judge(bench, "control: ostree admin deploy", plain, 0)
    return good, control[oracle.BRICK] > 0


def main():
    image = guest_image.build()
    with tempfile.TemporaryDirectory(prefix="satchel-powercut-") as folder:
        bench = power_cut.Bench(image, pathlib.Path(folder))
        bench.prepare()
        sys.exit(0 if all(judge_both(bench)) else 1)


if __name__ == "__main__":
    main()
