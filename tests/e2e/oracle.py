"""Judges what a power cut would have left at every point of an installation, from the log of its writes.

The disk of a cut holds all that was flushed, and of the writes since then any subset. For each time
between two flushes, and for many such subsets, /boot is read as the boot loader reads it, without a
replay of its journal; what it would start must be there in the root file system, after the replay of
that one's journal, both as it was before these writes and as it is after them.
"""
import collections
import hashlib
import mmap
import random
import re

import write_log
from ext4_image import Ext4, Overlay, Unreadable
from ext4_journal import replayed
from guest_image import BOOT_BEGIN, ROOT_BEGIN, ROOT_MIB

ROOT_END = ROOT_BEGIN + (ROOT_MIB << 20)
ALL_SUBSETS_OF = 7
SOME = 48
BRICK = "BRICK"


class Entry:
    """What the boot loader would start."""

    def __init__(self, boot):
        text = boot.read("/syslinux/syslinux.cfg").decode()
        label = re.search(r"^DEFAULT (.*)$", text, re.MULTILINE)
        if not label:
            raise Unreadable("no default entry")
        block = text.split(f"\nLABEL {label.group(1)}\n", 1)[-1].split("\nLABEL ")[0]
        self.kernel, self.initramfs, arguments = (
            re.search(rf"^\t{key} (.*)$", block, re.MULTILINE).group(1)
            for key in ("KERNEL", "INITRD", "APPEND"))
        self.deployment = re.search(r"ostree=(\S+)", arguments).group(1)


def subsets(sectors, source):
    """Subsets of what was written: (offset, bytes) in their order, as dictionaries."""
    places = list(sectors.items())
    if len(places) <= ALL_SUBSETS_OF:
        for bits in range(1 << len(places)):
            yield {k: v for n, (k, v) in enumerate(places) if bits >> n & 1}
        return
    yield {}
    yield dict(places)
    few = source.sample(range(len(places)), min(SOME, len(places)))
    for n in few:
        yield dict([places[n]])
        yield dict(places[:n] + places[n + 1:])
        yield dict(places[:n])
        yield {k: v for k, v in places if source.random() < 0.5}


class Judge:
    """The disk at one time of the log; step() goes on to the next flush."""

    def __init__(self, disk, seed=0):
        with open(disk, "rb") as file:
            self.disk = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        self.source = random.Random(seed)
        self.kernels = {}
        self.counts = collections.Counter()
        self.bricks = collections.Counter()
        self.know_kernels()

    def close(self):
        self.disk.close()

    def boot(self, sectors=None):
        return Ext4(Overlay(self.disk, BOOT_BEGIN, sectors))

    def root(self):
        """Which deployment is of which release, after a mount. Each is asked for once."""
        root = Ext4(replayed(Overlay(self.disk, ROOT_BEGIN)))
        known = {}

        def release_of(deployment):
            if deployment not in known:
                try:
                    text = root.read(deployment + "/usr/lib/os-release").decode()
                    known[deployment] = int(re.search(r"RELEASE=(\d+)", text).group(1))
                except Unreadable as problem:
                    known[deployment] = problem
            return known[deployment]
        return release_of

    def digests(self, boot, entry):
        return tuple(hashlib.sha256(boot.read(path)).hexdigest()
                     for path in (entry.kernel, entry.initramfs))

    def know_kernels(self):
        """What stands under a kernel's name never has another content."""
        try:
            boot = self.boot()
            entry = Entry(boot)
            digests = self.digests(boot, entry)
        except Unreadable:
            return  # step() has counted it
        assert self.kernels.setdefault(entry.kernel, digests) == digests, entry.kernel

    def verdicts(self, sectors, roots, whole):
        """What becomes of this state of /boot with each of these states of the root."""
        try:
            boot = self.boot(sectors)
            entry = Entry(boot)
            if whole and entry.kernel in self.kernels:
                assert self.digests(boot, entry) == self.kernels[entry.kernel], entry.kernel
            found = [root(entry.deployment) for root in roots]
        except Unreadable as problem:
            found = [problem for _ in roots]
        return found

    def step(self, writes):
        """Judges the time in which these writes were under way. Gives the verdicts' set."""
        boot_sectors, seen = {}, set()
        before = self.root()
        for entry in writes:
            for offset, data in entry.sectors():
                if BOOT_BEGIN <= offset < ROOT_BEGIN:
                    boot_sectors[offset - BOOT_BEGIN] = data
        after = self._after(writes, before)
        for chosen in subsets(boot_sectors, self.source):
            whole = len(chosen) in (0, len(boot_sectors))
            for verdict in self.verdicts(chosen, (before, after), whole):
                if isinstance(verdict, Unreadable):
                    self.bricks[str(verdict)] += 1
                    verdict = BRICK
                self.counts[verdict] += 1
                seen.add(verdict)
        for place, data in boot_sectors.items():
            self.disk[BOOT_BEGIN + place:BOOT_BEGIN + place + len(data)] = data
        if boot_sectors:
            self.know_kernels()
        return seen

    def _after(self, writes, before):
        """The root file system behind these writes, which stay."""
        changed = False
        for entry in writes:
            if ROOT_BEGIN <= entry.offset < ROOT_END:
                self.disk[entry.offset:entry.offset + len(entry.data)] = entry.data
                changed = True
        return self.root() if changed else before


def judge(disk, log, seed=0):
    """Judges all of a log: (points by verdict, why bricks are ones, verdicts by time)."""
    whole = Judge(disk, seed)
    try:
        by_time = [whole.step(writes) for writes in write_log.epochs(log)]
        by_time.append(whole.step([]))
        return whole.counts, whole.bricks, by_time
    finally:
        whole.close()
