#!/usr/bin/python3
"""The readers with which the oracle of power cuts judges disks: ext4, its journal, QEMU's log."""
import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "e2e"), str(HERE.parent / "support")]
import write_log  # noqa: E402
from ext4_image import SECTOR, Ext4, Overlay, Unreadable  # noqa: E402
from ext4_journal import replayed  # noqa: E402
from device_lab import sh  # noqa: E402
from tap import main, run, test  # noqa: E402

LARGE = bytes(range(256)) * 4000


def make_image(folder):
    """A journaled ext4 of 1 kB blocks with some content."""
    tree = folder / "tree"
    (tree / "a/b").mkdir(parents=True)
    (tree / "a/b/small").write_text("small\n")
    (tree / "a/large").write_bytes(LARGE)
    (tree / "link").symlink_to("a/b")
    (tree / "a/back").symlink_to("../link/small")
    for n in range(300):
        (tree / "a/b" / f"file-{n}").write_text(f"{n}\n")
    image = folder / "image"
    with open(image, "wb") as file:
        file.truncate(16 << 20)
    sh("mkfs.ext4", "-q", "-F", "-b", "1024", "-O", "^64bit,^metadata_csum,^orphan_file", "-d", tree,
       image)
    return image


def block_of(image, path):
    """The first block of a file."""
    return int(sh("debugfs", "-R", f"blocks {path}", image).splitlines()[-1].split()[0])


def unreadable(file_system, path):
    try:
        file_system.read(path)
    except Unreadable:
        return True
    return False


@test("files, folders and symbolic links of an ext4 are read out of its bytes")
def _(tmp):
    file_system = Ext4(Overlay(make_image(tmp).read_bytes(), 0))
    assert file_system.read("/a/large") == LARGE
    for path in ("/a/b/small", "/link/small", "/a/back"):
        assert file_system.read(path) == b"small\n", path
    assert file_system.read("/link/file-299") == b"299\n"
    assert unreadable(file_system, "/a/none") and unreadable(file_system, "/a")


@test("a sector that is laid over the bytes is read, and an inode that is wiped or deleted is not")
def _(tmp):
    image = make_image(tmp)
    data = image.read_bytes()
    place = block_of(image, "/a/b/small") * 1024
    changed = Ext4(Overlay(data, 0, {place: b"other\n".ljust(SECTOR, b"\0")}))
    assert changed.read("/link/small") == b"other\n"
    for command in ("set_inode_field /link links_count 0", "clri /link"):
        sh("debugfs", "-w", "-R", command, image)
        assert unreadable(Ext4(Overlay(image.read_bytes(), 0)), "/link/small"), command


@test("what stands in the journal counts after its replay only, and a revoked block never")
def _(tmp):
    image = make_image(tmp)
    block = block_of(image, "/a/b/small")
    (tmp / "new").write_bytes(b"newer\n".ljust(1024, b"\0"))
    (tmp / "commands").write_text(f"journal_open\njournal_write -b {block} {tmp}/new\n"
                                  "journal_close\n")
    sh("debugfs", "-w", "-f", tmp / "commands", image)
    disk = Overlay(image.read_bytes(), 0)
    assert Ext4(disk).read("/a/b/small") == b"small\n"
    assert Ext4(replayed(disk)).read("/a/b/small") == b"newer\n"
    (tmp / "commands").write_text(f"journal_open\njournal_write -r {block}\njournal_close\n")
    sh("debugfs", "-w", "-f", tmp / "commands", image)
    assert Ext4(replayed(Overlay(image.read_bytes(), 0))).read("/a/b/small") == b"small\n"
    assert run(["e2fsck", "-y", "-E", "journal_only", image]).returncode in (0, 1)
    assert Ext4(Overlay(image.read_bytes(), 0)).read("/a/b/small") == b"small\n"


@test("of a log of writes, what was flushed stays and the rest is lost at random")
def _(tmp):
    def entry(sector, data, flags):
        head = struct.pack("<QQQQ", sector, len(data) // SECTOR, flags, 0)
        return head.ljust(SECTOR, b"\0") + data

    entries = [entry(1, b"a" * SECTOR, 0), entry(0, b"", write_log.FLUSH),
               *[entry(10 + n, b"b" * SECTOR, 0) for n in range(64)]]
    head = struct.pack("<QQQI", write_log.MAGIC, 1, len(entries), SECTOR)
    (tmp / "log").write_bytes(head.ljust(SECTOR, b"\0") + b"".join(entries))
    assert [len(epoch) for epoch in write_log.epochs(tmp / "log")] == [1, 64]

    class Source:
        """Loses the half."""
        count = 0

        @staticmethod
        def choice(_):
            return 0.5

        def random(self):
            self.count += 1
            return self.count % 2

    (tmp / "disk").write_bytes(bytes(100 * SECTOR))
    assert write_log.lose_unflushed(tmp / "log", tmp / "disk", Source()) == (32, 64)
    disk = (tmp / "disk").read_bytes()
    assert disk[SECTOR:2 * SECTOR] == b"a" * SECTOR and disk.count(b"b") == 32 * SECTOR


main()
