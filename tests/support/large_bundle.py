"""Bundles of very many objects, written without repositories and files of their own, so that they
take seconds. Whatever is not wanted as content is a hole.

    commit, objects = large_bundle.release(n_files=100000)
    large_bundle.pack(lab, lab.release(2, commit), objects, output)
"""
import hashlib
import os
import struct
import zlib

import packed_bundle

FOLDER_FILES = 1000


def sha256(data):
    return hashlib.sha256(data).digest()


def _offset(value, width):
    return value.to_bytes(width, "little")


def _width(n_body, n_offsets):
    """Bytes of each framing offset of a GVariant."""
    return next(width for width in (1, 2, 4) if n_body + n_offsets * width < 1 << 8 * width)


def _array(elements):
    """A GVariant array of elements of variable size, without alignment."""
    body, ends, at = b"".join(elements), [], 0
    for element in elements:
        at += len(element)
        ends.append(at)
    width = _width(len(body), len(ends))
    return body + b"".join(_offset(end, width) for end in ends)


def dirtree(files, folders):
    """(a(say)a(sayay)) of {name: checksum} and {name: (tree, meta)}."""
    first = _array([name + b"\0" + checksum + bytes([len(name) + 1])
                    for name, checksum in sorted(files.items())])
    second = _array([name + b"\0" + tree + meta + struct.pack("<HH" if len(name) > 222 else "BB",
                                                             len(name) + 33, len(name) + 1)
                     for name, (tree, meta) in sorted(folders.items())])
    width = _width(len(first) + len(second), 1)
    return first + second + _offset(len(first), width)


def commit(tree, meta, size=0):
    """A commit object; with about @size bytes, most of them in its body."""
    body = b"x" * size + b"\0"
    head = b"\0" + body
    head += bytes(-len(head) % 8) + struct.pack(">Q", 1577836800)
    width = _width(len(head) + 64, 6)
    ends = (len(head) + 32, 1 + len(body), 1, 0, 0, 0)
    return head + tree + meta + b"".join(_offset(end, width) for end in ends)


DIRMETA = struct.pack(">III", os.getuid(), os.getgid(), 0o40755)


def file_object(content):
    """Checksum and `.filez` of a regular file."""
    head = struct.pack(">IIII", os.getuid(), os.getgid(), 0o100644, 0) + b"\0"
    plain = head + b"\x11"
    checksum = sha256(struct.pack(">II", len(plain), 0) + plain + content)
    stored = struct.pack(">Q", len(content)) + head + b"\x19"
    deflate = zlib.compressobj(1, zlib.DEFLATED, -15)
    return checksum, (struct.pack(">II", len(stored), 0) + stored + deflate.compress(content) +
                      deflate.flush())


def object_path(checksum, kind):
    name = checksum.hex()
    return f"ostree_repo/objects/{name[:2]}/{name[2:]}.{kind}".encode()


class Release:
    """Objects by path in the order of a device's walk, and the commit's checksum in hex."""

    def __init__(self):
        self.objects = {}
        self.commit = None

    def add(self, data, kind, checksum=None):
        checksum = checksum or sha256(data)
        self.objects[object_path(checksum, kind)] = data
        return checksum

    def add_commit(self, tree, size=0):
        meta = self.add(DIRMETA, "dirmeta")
        self.commit = self.add(commit(tree, meta, size), "commit").hex()
        path = object_path(bytes.fromhex(self.commit), "commit")
        self.objects = {path: self.objects.pop(path), **self.objects}
        return self


def release(n_files, contents=(), size=0):
    """A release of that many small files, all different, and of files with these @contents. @size:
    of the commit, about."""
    made = Release()
    meta = made.add(DIRMETA, "dirmeta")
    files, folders = {}, {}
    for begin in range(0, n_files, FOLDER_FILES):
        names = {}
        for number in range(begin, min(begin + FOLDER_FILES, n_files)):
            checksum, stored = file_object(b"%d\n" % number)
            files[object_path(checksum, "filez")] = stored
            names[b"file-%07d" % number] = checksum
        folders[b"folder-%07d" % begin] = (made.add(dirtree(names, {}), "dirtree"), meta)
    names = {}
    for number, content in enumerate(contents):
        checksum, stored = file_object(content)
        files[object_path(checksum, "filez")] = stored
        names[b"content-%07d" % number] = checksum
    made.add_commit(made.add(dirtree(names, folders), "dirtree"), size)
    made.objects.update(files)
    return made


CONFIG = b"[core]\nrepo_version=1\nmode=archive-z2\n"


def manifest_of(members):
    """mtree text of {path: content}, the paths being plain."""
    return b"#mtree\n" + b"".join(
        b"./%s type=file size=%d sha256digest=%s\n" % (path, len(data),
                                                       hashlib.sha256(data).hexdigest().encode())
        for path, data in members.items())


def sign(lab, version, manifest, with_manifest=True):
    """bundle-targets.json for that release and that manifest."""
    document = lab.bundle_claims([lab.names[version]])
    if with_manifest:
        document["x-satchel"] = {"format": 1, "issued": "2024-01-01T00:00:00Z",
                                 "manifest": {"sha256": hashlib.sha256(manifest).hexdigest(),
                                              "length": len(manifest)}}
    return lab.signed_claims(document)


def pack(lab, version, made, output, manifest=None, with_manifest=True):
    """The packed bundle of a release that @lab has published, at @output."""
    members = {b"ostree_repo/config": CONFIG, **made.objects}
    manifest = manifest or manifest_of(members)
    tuf = {b"tuf/" + os.fsencode(path.name): path.read_bytes()
           for path in sorted((lab.tuf / "metadata").iterdir())}
    tuf[b"tuf/bundle-targets.json"] = sign(lab, version, manifest, with_manifest)
    head = {**dict(sorted(tuf.items())), packed_bundle.MANIFEST.encode(): manifest}
    with open(output, "wb") as file:
        for part in (head, members):
            for path, data in part.items():
                file.write(packed_bundle.headers(path, len(data)) + packed_bundle.padded(data))
        file.write(bytes(2 * packed_bundle.BLOCK))
        file.write(bytes(-file.tell() % packed_bundle.RECORD))
    return output
