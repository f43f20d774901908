"""QEMU's log of all writes to a disk (its blklogwrites driver, the form of Linux's dm-log-writes).

    for entry in read(path):
        if entry.flush: ...
        else: disk[entry.offset:entry.offset + len(entry.data)] = entry.data
"""
import struct

MAGIC = 0x6A736677736872
FLUSH, DISCARD = 1, 4
SECTOR = 512


class Entry:
    """One write, or a flush; what has neither data nor the flag changes nothing."""

    def __init__(self, offset, data, flush):
        self.offset = offset
        self.data = data
        self.flush = flush

    def sectors(self):
        """The write sector by sector: (offset, bytes)."""
        for begin in range(0, len(self.data), SECTOR):
            yield self.offset + begin, self.data[begin:begin + SECTOR]


def read(path):
    """The entries that are whole, in order; a machine that was cut leaves the end open."""
    with open(path, "rb") as file:
        magic, version, count, size = struct.unpack("<QQQI", file.read(28))
        assert (magic, version) == (MAGIC, 1), f"{path} is no log of writes"
        file.seek(size)
        for _ in range(count):
            sector, n, flags, _ = struct.unpack("<QQQQ", file.read(size)[:32])
            data = b"" if flags & (FLUSH | DISCARD) else file.read(n * size)
            assert flags & (FLUSH | DISCARD) or len(data) == n * size
            yield Entry(sector * size, data, bool(flags & FLUSH))


def epochs(path):
    """The writes between flushes: a list of lists; the last was never flushed."""
    found = [[]]
    for entry in read(path):
        if entry.flush and found[-1]:
            found.append([])
        elif entry.data:
            found[-1].append(entry)
    return found


def lose_unflushed(path, disk, source):
    """Makes of a copy of the first disk what a disk with a volatile cache would hold: all that was
    flushed, and of the rest the sectors that @source chooses. Gives how many of how many are lost."""
    *flushed, last = epochs(path)
    lost = total = 0
    share = source.choice((0, 0.5, 0.9, 1))
    with open(disk, "r+b") as file:
        for epoch in flushed:
            for entry in epoch:
                file.seek(entry.offset)
                file.write(entry.data)
        for entry in last:
            for offset, data in entry.sectors():
                total += 1
                if source.random() < share:
                    lost += 1
                else:
                    file.seek(offset)
                    file.write(data)
    return lost, total
