"""An initramfs made of Debian's kernel package and files of this machine, for virtual machines.

    kernel = fetch_kernel(cache)              # the unpacked package
    archive = Archive()
    archive.program("/usr/bin/ostree")         # with the libraries that it needs
    archive.modules(kernel, ("virtio_blk", "ext4"))
    archive.file("init", b"#!/bin/busybox sh ...", 0o755)
    path.write_bytes(archive.compressed())
"""
import gzip
import os
import pathlib
import re
import shutil

from device_lab import sh


class Archive:
    """A cpio archive in the form that the kernel unpacks (newc)."""

    def __init__(self):
        self.parts = []
        self.names = set()

    def entry(self, name, mode, content=b""):
        if name in self.names:
            return
        self.names.add(name)
        fields = [len(self.names), mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0]
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
        self.parts += [head, bytes(-len(head) % 4), content, bytes(-len(content) % 4)]

    def folder(self, name):
        for parent in reversed([name, *map(str, pathlib.PurePath(name).parents)]):
            if parent not in (".", ""):
                self.entry(parent, 0o40755)

    def file(self, name, content, mode=0o644):
        self.folder(os.path.dirname(name))
        self.entry(name, 0o100000 | mode, content)

    def program(self, source, name=None):
        """A program of this machine and the libraries that it needs."""
        self.file((name or os.fspath(source)).lstrip("/"), pathlib.Path(source).read_bytes(), 0o755)
        for library in sorted(libraries_of(source)):
            self.file(library.lstrip("/"), pathlib.Path(library).read_bytes(), 0o755)

    def modules(self, kernel, names):
        """Kernel modules, and `modules/order`: their paths in an order for insmod."""
        order = modules_in_order(kernel, names)
        for module in order:
            self.file(f"modules/{module.name}", module.read_bytes())
        self.file("modules/order", "".join(f"/modules/{m.name}\n" for m in order).encode())

    def compressed(self):
        """All of it; the same content gives the same bytes."""
        self.entry("TRAILER!!!", 0)
        return gzip.compress(b"".join(self.parts), compresslevel=1, mtime=0)


def fetch_kernel(cache):
    """Debian's kernel package, unpacked below the cache. Gives the folder."""
    folder = cache / "kernel"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        depends = sh("apt-cache", "depends", "linux-image-amd64")
        package = re.search(r"Depends: (linux-image-\S+)", depends).group(1)
        sh("apt-get", "download", "-o", "APT::Sandbox::User=root", package, cwd=folder)
        sh("dpkg-deb", "-x", *folder.glob("*.deb"), folder / "unpacked")
        (folder / "complete").touch()
    return folder / "unpacked"


def modules_in_order(kernel, names):
    """The modules and what they depend on, in an order in which they can be inserted."""
    files = {path.stem.replace("-", "_"): path for path in kernel.glob("lib/modules/**/*.ko")}
    order = []

    def add(name):
        path = files.get(name.replace("-", "_"))
        if path is None or path in order:
            return
        depends = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes()).group(1).decode()
        for other in filter(None, depends.split(",")):
            add(other)
        order.append(path)

    for name in names:
        add(name)
    return order


def libraries_of(binary):
    return set(re.findall(r"(/\S+) \(0x", sh("ldd", binary)))
