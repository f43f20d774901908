"""Packs bundles as satchel-bundler should, without it: tar headers written here, by the rule of
verify/tar_layout.h, so that a test can make each of them wrong.
"""
import io
import os
import pathlib
import re
import tarfile

BLOCK = 512
RECORD = 10240
USTAR_MAX = 0o77777777777
MANIFEST = "manifest.mtree"


def unescape(text):
    """A path of manifest.mtree as bytes."""
    return re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), text)


def manifest_members(text):
    """(path, size) of each line, paths as bytes."""
    return [(unescape(found[1]), int(found[2]))
            for found in re.finditer(rb"^\./(\S+) type=file size=(\d+)", text, re.MULTILINE)]


def padded(data):
    return data + bytes(-len(data) % BLOCK)


def fits_ustar(path):
    if len(path) <= 100:
        return True
    slash = path.find(b"/", max(len(path) - 101, 1))
    return 0 < slash <= 155 and slash + 1 < len(path)


def checksummed(header):
    """The header with its checksum set."""
    header = bytearray(header)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def ustar(path, size, kind=b"0"):
    """One ustar header; a name that does not fit is cut."""
    prefix, name = b"", path
    if len(path) > 100 and fits_ustar(path):
        slash = path.find(b"/", max(len(path) - 101, 1))
        prefix, name = path[:slash], path[slash + 1:]
    header = bytearray(BLOCK)
    header[0:100] = name[:100].ljust(100, b"\0")
    header[100:108] = b"0000644\0"
    header[108:116] = header[116:124] = b"0000000\0"
    header[124:136] = b"%011o\0" % min(size, USTAR_MAX)
    header[136:148] = b"%011o\0" % 0
    header[156:157] = kind
    header[257:265] = b"ustar\00000"
    header[345:500] = prefix.ljust(155, b"\0")
    return checksummed(header)


def pax_record(key, value):
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return b"%d %s=%s\n" % (length, key, value)


def pax(records, kind=b"x"):
    body = b"".join(pax_record(*record) for record in records)
    return ustar(b"PaxHeader", len(body), kind) + padded(body)


def headers(path, size):
    """All headers of a regular file."""
    records = []
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        records.append((b"hdrcharset", b"BINARY"))
    if not path.isascii() or not fits_ustar(path):
        records.append((b"path", path))
    if size > USTAR_MAX:
        records.append((b"size", b"%d" % size))
    return (pax(records) if records else b"") + ustar(path, size)


def folder_header(path):
    return ustar(path + b"/", 0, b"5")


def members_of(bundle, content_of, folders=(b"ostree_repo/tmp",)):
    """The packed form of the bundle folder, one (path, headers, content) after the other.
    @content_of: gives the content of a path (bytes), or None for what is in the folder."""
    bundle = pathlib.Path(bundle)
    manifest = (bundle / MANIFEST).read_bytes()
    tuf = sorted(path.relative_to(bundle).as_posix().encode()
                 for path in (bundle / "tuf").rglob("*") if path.is_file())
    listed = [path for path, _ in manifest_members(manifest) if not path.startswith(b"tuf/")]
    for path in [*tuf, *folders, MANIFEST.encode(), *listed]:
        if path in folders:
            yield path, folder_header(path), b""
            continue
        content = content_of(path)
        if content is None:
            content = (bundle / os.fsdecode(path)).read_bytes()
        yield path, headers(path, len(content)), content


def members(bundle):
    """All of members_of() as a list, of what is in the folder."""
    return list(members_of(bundle, lambda path: None))


def join(parts):
    """The archive of what members() gave."""
    data = b"".join(head + padded(content) for _, head, content in parts) + bytes(2 * BLOCK)
    return data + bytes(-len(data) % RECORD)


def pack(bundle, output):
    """The packed form of @bundle at @output; gives its bytes."""
    data = join(members(bundle))
    pathlib.Path(output).write_bytes(data)
    return data


def split(data, output, part_bytes):
    """Writes @output.000 and so on; gives their paths."""
    paths = []
    for number, begin in enumerate(range(0, len(data), part_bytes)):
        path = pathlib.Path(f"{output}.{number:03}")
        path.write_bytes(data[begin:begin + part_bytes])
        paths.append(path)
    return paths


def head_bytes(data):
    """Length of @data up to the end of manifest.mtree."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            if member.name == MANIFEST:
                return member.offset_data + member.size + -member.size % BLOCK
    raise AssertionError("no manifest")
