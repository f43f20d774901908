"""Images of USB sticks: file systems with given content, with and without a partition table.

    stick = fat32(tmp / "stick", {"update.satchel": image.packed, "photos/1.jpg": b"..."})

Content is a name for each file or folder and what it is copied from, or its bytes.
"""
import pathlib
import shutil
import tempfile

from device_lab import sh
from tap import skip

MIB = 1 << 20
SPARE = 8 * MIB
FAT32_LEAST = 34 * MIB    # fewer clusters would be FAT16


def size_of(source):
    """Bytes that it takes on a file system of small clusters."""
    if isinstance(source, bytes):
        return len(source) + 8192
    files = [source] if source.is_file() else source.rglob("*")
    return sum(file.lstat().st_size + 8192 for file in files)


def empty_image(path, content, least=0):
    size = max(sum(map(size_of, content.values())) * 5 // 4 + SPARE, least)
    with open(path, "wb") as image:
        image.truncate(-(-size // MIB) * MIB)
    return path


def spread(content, top):
    """Puts content into a folder."""
    for name, source in content.items():
        place = top / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(source, bytes):
            place.write_bytes(source)
        elif source.is_dir():
            shutil.copytree(source, place)
        else:
            shutil.copy(source, place)


def fat32(path, content, label="STICK"):
    empty_image(path, content, FAT32_LEAST)
    sh("mkfs.vfat", "-F", "32", "-s", "1", "-n", label, path)
    with tempfile.TemporaryDirectory() as name:
        top = pathlib.Path(name)
        spread(content, top)
        entries = sorted(top.iterdir())
        if entries:
            sh("mcopy", "-Q", "-i", path, "-s", *entries, "::")
    return path


def ext4(path, content):
    empty_image(path, content)
    with tempfile.TemporaryDirectory() as name:
        spread(content, pathlib.Path(name))
        pathlib.Path(name).chmod(0o755)
        sh("mkfs.ext4", "-q", "-F", "-b", "1024", "-d", name, path)
    return path


def exfat(path, content, work):
    """By way of FUSE, for exFAT has no other writer without the kernel's help."""
    if not pathlib.Path("/dev/fuse").exists():
        skip("no FUSE to write exFAT with")
    empty_image(path, content, 64 * MIB)
    sh("mkfs.exfat", "-c", "4K", path)
    work.mkdir()
    loop = sh("losetup", "--find", "--show", path)
    try:
        sh("mount.exfat-fuse", loop, work)
        try:
            spread(content, work)
        finally:
            sh("umount", work)
    finally:
        sh("losetup", "--detach", loop)
    return path


def iso9660(path, content):
    """As a burnt disc has it, with Rock Ridge."""
    with tempfile.TemporaryDirectory() as name:
        spread(content, pathlib.Path(name))
        sh("bsdtar", "--create", "--format=iso9660", "--file", path, "-C", name, ".")
    return path


def in_partition(plain, path, kind=0x0C):
    """The same file system in the one partition of an MBR."""
    begin = 2048
    sectors = plain.stat().st_size // 512
    entry = bytes([0, 0, 0, 0, kind, 0, 0, 0]) + begin.to_bytes(4, "little") + \
        sectors.to_bytes(4, "little")
    with open(path, "wb") as image:
        image.write(bytes(446) + entry.ljust(64, b"\0") + b"\x55\xaa")
        image.truncate((begin + sectors) * 512)
    sh("dd", f"if={plain}", f"of={path}", "bs=1M", "seek=1", "conv=notrunc,sparse")
    return path


def receipts_on(path):
    """The names of receipts in the root of a FAT file system or an ext4."""
    with open(path, "rb") as image:
        is_ext4 = image.read(1082)[1080:] == b"\x53\xef"
    listed = sh("debugfs", "-R", "ls -p /", path).split("/") if is_ext4 else \
        sh("mdir", "-b", "-i", path, "::").split()
    return [name for name in listed if "SATCHEL-" in name]


def files_on_fat(path):
    """Names and content of the receipts in the root of a FAT file system."""
    if not receipts_on(path):
        return {}
    with tempfile.TemporaryDirectory() as name:
        sh("mcopy", "-n", "-i", path, "::SATCHEL-*", name)
        return {file.name: file.read_bytes() for file in sorted(pathlib.Path(name).iterdir())}
