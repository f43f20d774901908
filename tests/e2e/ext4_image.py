"""Reads an ext4 file system out of bytes, as a boot loader does or as a kernel would after its mount.

    disk = Overlay(mapping, begin, {offset: sector})     # a partition in which some sectors differ
    boot = Ext4(disk)                                    # the journal is not replayed
    root = Ext4(replayed(disk))                          # it is (ext4_journal.py)
    boot.read("/loader/syslinux.cfg")

Only what such images hold: extents, no 64bit, no checksums. Written for tests, so that thousands of
states of a disk can be looked at without mounting one.
"""
import posixpath
import stat
import struct

SECTOR = 512
EXTENT_MAGIC = 0xF30A
EXTENTS_FLAG = 0x80000
JOURNAL_INODE = 8
ROOT_INODE = 2
MAX_LINKS = 20
WRITTEN_MOST = 0x8000


class Unreadable(Exception):
    """What is asked for is not there, or is nothing that can be read."""


class Overlay:
    """Bytes of a partition: those of the disk, but for some sectors."""

    def __init__(self, disk, begin, sectors=None):
        self.disk = disk
        self.begin = begin
        self.sectors = sectors or {}

    def read(self, offset, size):
        data = self.disk[self.begin + offset:self.begin + offset + size]
        if not self.sectors:
            return data
        first = offset - offset % SECTOR
        changed = [place for place in range(first, offset + size, SECTOR) if place in self.sectors]
        if not changed:
            return data
        data = bytearray(data)
        for place in changed:
            sector = self.sectors[place]
            from_begin = max(place, offset)
            to_end = min(place + SECTOR, offset + size)
            data[from_begin - offset:to_end - offset] = sector[from_begin - place:to_end - place]
        return bytes(data)


class Inode:
    """What is needed of one."""

    def __init__(self, raw):
        self.mode, = struct.unpack_from("<H", raw, 0)
        self.size, = struct.unpack_from("<I", raw, 4)
        self.links, = struct.unpack_from("<H", raw, 26)
        self.flags, = struct.unpack_from("<I", raw, 32)
        self.block = raw[40:100]

    def is_live(self):
        return self.mode != 0 and self.links != 0


class Ext4:
    """A file system; every look-up reads it anew."""

    def __init__(self, source):
        self.source = source
        super_block = source.read(1024, 1024)
        if super_block[56:58] != b"\x53\xef":
            raise Unreadable("no ext4")
        self.block_size = 1024 << struct.unpack_from("<I", super_block, 24)[0]
        self.first_block, = struct.unpack_from("<I", super_block, 20)
        self.inodes_per_group, = struct.unpack_from("<I", super_block, 40)
        self.inode_size, = struct.unpack_from("<H", super_block, 88)

    def block(self, number):
        return self.source.read(number * self.block_size, self.block_size)

    def inode(self, number):
        group, index = divmod(number - 1, self.inodes_per_group)
        place = (self.first_block + 1) * self.block_size + group * 32
        table, = struct.unpack_from("<I", self.source.read(place, 32), 8)
        return Inode(self.source.read(table * self.block_size + index * self.inode_size,
                                      self.inode_size))

    def _extents(self, node, depth=0):
        magic, count, _, level, _ = struct.unpack_from("<HHHHI", node)
        if magic != EXTENT_MAGIC or depth > 5:
            raise Unreadable("broken extents")
        for n in range(count):
            entry = node[12 + 12 * n:24 + 12 * n]
            if level:
                yield from self._extents(self.block(struct.unpack_from("<I", entry, 4)[0]),
                                         depth + 1)
            else:
                first, length, _, start = struct.unpack("<IHHI", entry)
                if length <= WRITTEN_MOST:  # what is only allocated reads as zeros
                    yield first, length, start

    def extents(self, inode):
        """(first block of the file, number of blocks, first block on the disk) of each."""
        if not inode.flags & EXTENTS_FLAG:
            raise Unreadable("no extents")
        return list(self._extents(inode.block))

    def content(self, inode):
        data = bytearray(inode.size)
        for first, length, start in self.extents(inode):
            begin = first * self.block_size
            part = self.source.read(start * self.block_size, length * self.block_size)
            data[begin:begin + len(part)] = part
        return bytes(data[:inode.size])

    def names(self, inode):
        """A folder's names and their inodes' numbers."""
        found = {}
        data = self.content(inode)
        place = 0
        while place + 8 <= len(data):
            number, length, size = struct.unpack_from("<IHB", data, place)
            if length < 8 or length % 4:
                raise Unreadable("broken folder")
            if number:
                found[data[place + 8:place + 8 + size].decode("utf-8", "replace")] = number
            place += length
        return found

    def target(self, inode):
        """Where a symbolic link leads to."""
        raw = inode.block[:inode.size] if inode.size < 60 else self.content(inode)
        text = raw.decode("utf-8", "replace")
        if not text or "\0" in text:
            raise Unreadable("an empty link")
        return text

    def find(self, path, links=0):
        """The inode of a path, through symbolic links, which may not leave the file system."""
        if links > MAX_LINKS:
            raise Unreadable(f"{path}: too many links")
        inode = self.inode(ROOT_INODE)
        here = "/"
        words = [word for word in path.split("/") if word]
        for n, word in enumerate(words):
            names = self.names(inode) if stat.S_ISDIR(inode.mode) else {}
            if word not in names:
                raise Unreadable(f"{path}: no {posixpath.join(here, word)}")
            inode = self.inode(names[word])
            if not inode.is_live():
                raise Unreadable(f"{path}: {word} is deleted")
            if stat.S_ISLNK(inode.mode):
                target = posixpath.join(here, self.target(inode), *words[n + 1:])
                return self.find(posixpath.normpath(target), links + 1)
            here = posixpath.join(here, word)
        return inode

    def read(self, path):
        inode = self.find(path)
        if not stat.S_ISREG(inode.mode):
            raise Unreadable(f"{path}: no file")
        return self.content(inode)
