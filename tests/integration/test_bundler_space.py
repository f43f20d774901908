#!/usr/bin/python3
"""satchel-bundler on a full disk and on file systems without links, modes or attributes."""
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from bundle_maker import (NOW, World, add, bundler, commit, contents, leftovers,  # noqa: E402
                          publish)
from tap import main, run, skip, test  # noqa: E402


class Mounted:
    """A file system of its own for one test, gone with it."""

    def __init__(self, folder, *words):
        if os.getuid() != 0:
            skip("only root can mount")
        folder.mkdir()
        self.folder = folder
        self.words = words

    def __enter__(self):
        done = subprocess.run(["mount", *self.words, str(self.folder)], check=False,
                              stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            skip(f"this machine does not let us mount: {done.stderr.strip().splitlines()[0]}")
        return self.folder

    def __exit__(self, *_):
        subprocess.run(["umount", str(self.folder)], check=True)


@test("a build on a disk that runs full ends with status 60 and leaves nothing")
def _(tmp):
    world = World(tmp)
    with open(world.tree / "usr/lib/large", "wb") as file:
        file.write(os.urandom(8 << 20))
    add(world.repo, commit(world.ostree, world.tree), version=2, check=True)
    publish(world.repo, check=True)
    with Mounted(tmp / "disk", "-t", "tmpfs", "-o", "size=4m", "tmpfs") as disk:
        result = world.build("disk/bundle", targets=["intel-corei7-64-lmp-2"])
        assert result.returncode == 60 and "No space left" in result.stderr, result
        assert os.listdir(disk) == []
        world.build("disk/bundle", check=True)  # the small one fits
        assert leftovers(disk) == []
        before = contents(disk)
        result = world.build("disk/bundle", "--force", targets=["intel-corei7-64-lmp-2"])
        assert result.returncode == 60, result
        assert contents(disk) == before


@test("a disk without inodes is a full disk too")
def _(tmp):
    world = World(tmp)
    with Mounted(tmp / "disk", "-t", "tmpfs", "-o", "size=4m,nr_inodes=12", "tmpfs") as disk:
        result = world.build("disk/bundle")
        assert result.returncode == 60, result
        assert os.listdir(disk) == []


@test("a repository on a full disk is not made by half")
def _(tmp):
    with Mounted(tmp / "disk", "-t", "tmpfs", "-o", "size=4m,nr_inodes=6", "tmpfs") as disk:
        result = bundler("repo", "init", disk / "repo")
        assert result.returncode == 60, result
        assert os.listdir(disk) == []


@test("a bundle is built onto a FAT stick, byte for byte as elsewhere")
def _(tmp):
    if shutil.which("mkfs.vfat") is None:
        skip("mkfs.vfat is not installed")
    world = World(tmp)
    world.build("expected", check=True)
    image = tmp / "stick.img"
    with open(image, "wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.vfat", str(image)], check=True, stdout=subprocess.DEVNULL)
    with Mounted(tmp / "stick", "-o", "loop", str(image)) as stick:
        world.build("stick/bundle", check=True)
        world.build("stick/bundle", "--force", check=True)
        assert contents(stick / "bundle") == contents(tmp / "expected")
        assert leftovers(stick) == []
        run(["satchel-verify", "--root", world.repo / "metadata/1.root.json", "--at", NOW,
             "--full", stick / "bundle"], check=True)


@test("an OUTPUT that is a mount point is refused with a message")
def _(tmp):
    world = World(tmp)
    with Mounted(tmp / "disk", "-t", "tmpfs", "tmpfs") as disk:
        for words in ((), ("--force",)):
            result = world.build("disk", *words)
            assert result.returncode == 1 and "disk" in result.stderr, result
            assert os.listdir(disk) == [] and leftovers(tmp) == []


main()
