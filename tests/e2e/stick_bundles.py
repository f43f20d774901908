"""Bundles for sticks in all the ways in which one can be good or bad; release 2 whole is apart.

    thin/           release 2, for devices on release 1, as a folder
    split/          the same in two files and more
    dead/           release 3: its system does not start
    foreign/        a release for other hardware
    expired/, other-tag/, stranger/, damaged/
"""
import shutil

from device_lab import HARDWARE, NAME, sh
from tap import program

# Long before its metadata would expire, and long enough ago.
OLD_S = 1577836800


def add_dead_release(lab, work):
    """Release 1 whose init ends at once."""
    top = work / "dead"
    (top / "usr/lib/systemd").mkdir(parents=True)
    init = top / "usr/lib/systemd/systemd"
    init.write_text("#!/bin/true\n")
    init.chmod(0o755)
    commit = sh("ostree", "commit", "--repo", lab.repo, "--branch", f"{NAME}-3", "--timestamp",
                "2026-03-01 00:00:00 +0000", f"--tree=ref={NAME}-1", f"--tree=dir={top}")
    lab.release(3, commit=commit)


def damage(bundle):
    """Another byte in the largest object."""
    largest = max(bundle.glob("ostree_repo/objects/*/*.filez"), key=lambda path: path.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[len(data) // 2] ^= 1
    largest.write_bytes(data)


def resign(lab, bundle, stranger):
    """Signed by somebody whom no device knows, instead."""
    claims = lab.bundle_claims([lab.names[2]])
    (bundle / "tuf/bundle-targets.json").write_bytes(lab.signed_claims(claims, [stranger]))


def make(lab, folder, work):
    folder.mkdir()
    thin = ("--from", f"{NAME}-1")
    lab.bundle([2], *thin).rename(folder / "thin")
    (folder / "split").mkdir()
    sh(program("satchel-bundler"), "pack", "--split", "3M",
       folder / "thin", folder / "split/update.satchel")
    # Later than these: of what a device has metadata of, `install` takes the newest.
    add_dead_release(lab, work)
    lab.release(7, hardware=f"other-{HARDWARE}", name="other-lmp", commit=lab.commit(7))
    lab.bundle([3], *thin).rename(folder / "dead")
    lab.bundle([7]).rename(folder / "foreign")
    lab.bundle([3], *thin, epoch=OLD_S, days=30).rename(folder / "expired")
    lab.bundle([3], *thin, tag="other").rename(folder / "other-tag")
    for name in ("damaged", "stranger"):
        shutil.copytree(folder / "thin", folder / name)
    damage(folder / "damaged")
    resign(lab, folder / "stranger", lab.stranger())
