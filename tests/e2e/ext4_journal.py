"""What the replay of an ext4 journal would write, without writing it (jbd2's format, no checksums)."""
import struct

from ext4_image import JOURNAL_INODE, SECTOR, Ext4, Overlay, Unreadable

MAGIC = 0xC03B3998
DESCRIPTOR, COMMIT, REVOKE = 1, 2, 5
ESCAPED, SAME_UUID, LAST = 1, 2, 8
WIDE = 2              # block numbers have 64 bits
CHECKSUMS = 8 | 16
FAST_COMMITS = 32


class Journal:
    """The journal of a file system as it is on the disk."""

    def __init__(self, file_system):
        self.file_system = file_system
        self.blocks = []
        for _, length, start in file_system.extents(file_system.inode(JOURNAL_INODE)):
            self.blocks += range(start, start + length)
        head = file_system.block(self.blocks[0])
        magic, = struct.unpack_from(">I", head, 0)
        self.length, self.first, self.sequence, self.start = struct.unpack_from(">IIII", head, 16)
        self.features, = struct.unpack_from(">I", head, 40)
        if magic != MAGIC or self.features & (CHECKSUMS | FAST_COMMITS):
            raise Unreadable("a journal that this does not know")

    def block(self, place):
        return self.file_system.block(self.blocks[place])

    def after(self, place):
        return place + 1 if place + 1 < self.length else self.first

    def tags(self, block):
        """(block number, flags) of each block that follows a descriptor."""
        size = 12 if self.features & WIDE else 8
        place = 12
        while place + size <= len(block):
            number, _, flags = struct.unpack_from(">IHH", block, place)
            yield number, flags
            place += size + (0 if flags & SAME_UUID else 16)
            if flags & LAST:
                return

    def revoked(self, block):
        end, = struct.unpack_from(">I", block, 12)
        size = 8 if self.features & WIDE else 4
        for place in range(16, min(end, len(block)), size):
            yield int.from_bytes(block[place:place + size], "big")

    def transactions(self):
        """(blocks to write: [(number, place, flags)], revoked numbers) of each that was committed."""
        place, sequence = self.start, self.sequence
        writes, revoked = [], []
        if place == 0:
            return
        for _ in range(self.length):
            block = self.block(place)
            magic, kind, number = struct.unpack_from(">III", block, 0)
            if magic != MAGIC or number != sequence:
                return
            place = self.after(place)
            if kind == DESCRIPTOR:
                for target, flags in self.tags(block):
                    writes.append((target, place, flags))
                    place = self.after(place)
            elif kind == REVOKE:
                revoked += self.revoked(block)
            elif kind == COMMIT:
                yield writes, revoked
                writes, revoked = [], []
                sequence = (sequence + 1) & 0xFFFFFFFF
            else:
                return

    def replay(self):
        """The blocks that the replay writes, by number."""
        done = list(self.transactions())
        last_revoked = {number: n for n, (_, revoked) in enumerate(done) for number in revoked}
        found = {}
        for n, (writes, _) in enumerate(done):
            for number, place, flags in writes:
                if last_revoked.get(number, -1) >= n:
                    continue
                block = self.block(place)
                if flags & ESCAPED:
                    block = struct.pack(">I", MAGIC) + block[4:]
                found[number] = block
        return found


def replayed(source):
    """The same partition as a mount leaves it."""
    file_system = Ext4(source)
    sectors = dict(source.sectors)
    for number, block in Journal(file_system).replay().items():
        for begin in range(0, len(block), SECTOR):
            sectors[number * file_system.block_size + begin] = block[begin:begin + SECTOR]
    return Overlay(source.disk, source.begin, sectors)
