"""Looks from outside at the root file system of a disk, while a machine goes on with another copy of it.

    with DiskLook(copy, "ostree/deploy/lmp/deploy/0123...cdef.0"):
        ...                     # raises at the end what is wrong

A processor that is emulated takes ten times as long to hash a repository. The mount replays the
journal, as that of the machine itself would.
"""
import concurrent.futures
import os
import tempfile
import pathlib

from device_lab import sh
from guest_image import ROOT_BEGIN, ROOT_MIB

LIST = "usr/lib/satchel-test/files"


def files_in(top):
    """Names and sizes, in the form of the list that each release has of itself."""
    found = set()
    for place, folders, files in os.walk(top / "usr"):
        for name in folders + files:
            path = os.path.join(place, name)
            is_folder = name in folders and not os.path.islink(path)
            found.add(f"{os.path.relpath(path, top)} {0 if is_folder else os.lstat(path).st_size}")
    return found


def look_at(top, deployment):
    """The repository is clean and the deployment whole."""
    said = sh("ostree", "fsck", f"--repo={top}/ostree/repo")
    assert "no errors found" in said, said
    place = top / deployment
    expected = set((place / LIST).read_text().splitlines())
    wrong = {line for line in expected ^ files_in(place) if not line.startswith(f"{LIST} ")}
    assert not wrong, sorted(wrong)[:20]


def look(disk, deployment):
    with tempfile.TemporaryDirectory() as name:
        sh("mount", "-o", f"loop,offset={ROOT_BEGIN},sizelimit={ROOT_MIB << 20}", disk, name)
        try:
            look_at(pathlib.Path(name), deployment)
        finally:
            sh("umount", name)


class DiskLook:
    """A look that is under way."""

    def __init__(self, disk, deployment):
        self.worker = concurrent.futures.ThreadPoolExecutor(1)
        self.looking = self.worker.submit(look, disk, deployment)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.worker.shutdown()
        if kind is None:
            self.looking.result()
