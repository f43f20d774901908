"""Judges what a power cut would have left at every point of an installation, from the log of its writes.

The disk of a cut holds all that was flushed, and of the writes since then any subset. For each time
between two flushes, and for many such subsets, /boot is read as the boot loader reads it, without a
replay of its journal: kernel and initramfs must be there as they were built, and what they would start
in the root file system, after the replay of that one's journal, both as it was before these writes and
as it is after them. What the boot itself makes of /boot by its mount must start again.
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
        found = [re.search(pattern, block, re.MULTILINE)
                 for pattern in (r"^\tKERNEL (.*)$", r"^\tINITRD (.*)$", r"^\tAPPEND .*ostree=(\S+)")]
        if not all(found):
            raise Unreadable("half an entry")
        self.kernel, self.initramfs, self.deployment = (one.group(1) for one in found)


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
    """The disk at one time of the log; step() goes on to the next flush. @kernels: pairs of SHA-256 of
    kernel and initramfs that may be started."""

    def __init__(self, disk, kernels, seed=0):
        with open(disk, "rb") as file:
            self.disk = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        self.source = random.Random(seed)
        self.kernels = kernels
        self.digests = {}
        self.counts = collections.Counter()
        self.bricks = collections.Counter()

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

    def digest(self, boot, path, sectors):
        """Of a file's content; each is read once in a step."""
        inode = boot.find(path)
        extents = boot.extents(inode)
        size = boot.block_size
        own = tuple(sorted(place for place in sectors
                           if any(start * size <= place < (start + length) * size
                                  for _, length, start in extents)))
        key = (inode.size, tuple(extents), own)
        if key not in self.digests:
            self.digests[key] = hashlib.sha256(boot.content(inode)).hexdigest()
        return self.digests[key]

    def verdicts(self, boot, sectors, roots):
        """What becomes of this state of /boot with each of these states of the root."""
        try:
            entry = Entry(boot)
            kernel = tuple(self.digest(boot, path, sectors)
                           for path in (entry.kernel, entry.initramfs))
            if kernel not in self.kernels:
                raise Unreadable(f"{entry.kernel}: kernel or initramfs is not what was built")
            found = [root(entry.deployment) for root in roots]
        except Unreadable as problem:
            found = [problem for _ in roots]
        return found

    def all_verdicts(self, sectors, roots, whole):
        """Also of what a mount makes of /boot, where all or none of the writes are there."""
        found = self.verdicts(self.boot(sectors), sectors, roots)
        if whole:
            mounted = Ext4(replayed(Overlay(self.disk, BOOT_BEGIN, sectors)))
            self.digests.clear()  # the same places, another content
            found += self.verdicts(mounted, sectors, roots)
            self.digests.clear()
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
            for verdict in self.all_verdicts(chosen, (before, after), whole):
                if isinstance(verdict, Unreadable):
                    self.bricks[str(verdict)] += 1
                    verdict = BRICK
                self.counts[verdict] += 1
                seen.add(verdict)
        for place, data in boot_sectors.items():
            self.disk[BOOT_BEGIN + place:BOOT_BEGIN + place + len(data)] = data
        self.digests.clear()
        return seen

    def _after(self, writes, before):
        """The root file system behind these writes, which stay."""
        changed = False
        for entry in writes:
            if ROOT_BEGIN <= entry.offset < ROOT_END:
                self.disk[entry.offset:entry.offset + len(entry.data)] = entry.data
                changed = True
        return self.root() if changed else before


def judge(disk, log, kernels, seed=0):
    """Judges all of a log: (points by verdict, why bricks are ones, verdicts by time)."""
    whole = Judge(disk, kernels, seed)
    try:
        by_time = [whole.step(writes) for writes in write_log.epochs(log)]
        by_time.append(whole.step([]))
        return whole.counts, whole.bricks, by_time
    finally:
        whole.close()
