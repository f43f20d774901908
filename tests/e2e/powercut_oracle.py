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


def built(image, release):
    """SHA-256 of kernel and initramfs of a release."""
    repo, commit = image.folder / "lab/repo", image.commit(release)
    folder = sh("ostree", "ls", "--repo", repo, commit, "/usr/lib/modules").split()[-1]
    return tuple(hashlib.sha256(subprocess.run(
        ["ostree", "cat", f"--repo={repo}", commit, f"{folder}/{name}"], check=True,
        stdout=subprocess.PIPE).stdout).hexdigest() for name in ("vmlinuz", "initramfs.img"))


class Recording:
    """The log of all writes of a command and of what the kernel still writes behind it."""

    def __init__(self, bench, name, command, status):
        begin = time.monotonic()
        self.name = name
        self.disk, memory = bench.pulled
        self.log = bench.folder / f"log of {name}"
        self.kernels = {built(bench.image, release) for release in (1, 2)}
        copy = machine.copy_disk(self.disk, bench.folder / "disk")
        with machine.Machine(bench.folder, copy, memory, self.log) as guest:
            guest.check(command, status)
            guest.check(f"sleep {WRITE_BACK_S}")
            guest.cut()
        self.ran_s = time.monotonic() - begin

    def judge(self):
        """What became of it, in words, points by verdict, and verdicts by time. In any process."""
        begin = time.monotonic()
        counts, bricks, by_time = oracle.judge(self.disk, self.log, self.kernels)
        text = f"{self.name}: {sum(counts.values())} points at {len(by_time)} times: {counts[1]} boot " \
            f"release 1, {counts[2]} release 2, {counts[oracle.BRICK]} nothing; {self.ran_s:.0f} s to " \
            f"run, {time.monotonic() - begin:.0f} s to judge"
        text += "".join(f"\n    {n} times: {why}" for why, n in bricks.most_common(3))
        return text, counts, by_time


def record_both(bench):
    """An installation by satchel-installer, and one by libostree's deploy."""
    plain = PLAIN.format(commit=bench.image.commit(2))
    return (Recording(bench, "satchel-installer install", INSTALL, 100),
            Recording(bench, "control: ostree admin deploy", plain, 0))


def is_good(judged):
    """Whether satchel-installer's is as it must be, and whether the control has a brick."""
    (own, counts, by_time), (control, control_counts, _) = judged
    print(own, control, sep="\n", flush=True)
    return (counts[oracle.BRICK] == 0 and by_time[0] == {1} and by_time[-1] == {2},
            control_counts[oracle.BRICK] > 0)


def main():
    image = guest_image.build()
    with tempfile.TemporaryDirectory(prefix="satchel-powercut-") as folder:
        bench = power_cut.Bench(image, pathlib.Path(folder))
        bench.prepare()
        judged = [recording.judge() for recording in record_both(bench)]
        sys.exit(0 if all(is_good(judged)) else 1)


if __name__ == "__main__":
    main()
