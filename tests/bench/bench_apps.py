#!/usr/bin/python3
"""App content on the host: a registry download beside skopeo's, and hashing beside openssl's.

The measures of the two run by turns, so that the load of the machine is the same for both; medians.
"""
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from app_builder import Layout, PUBLISH_AS, compose, random_layer  # noqa: E402
import measures  # noqa: E402
from registry_lab import Registry  # noqa: E402
from run_once import run_once  # noqa: E402
from tap import program  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "5"))
SIZES_MB = [int(size) for size in os.environ.get("SIZES_MB", "256 128 64 52").split()]


def row(what, runs, megabytes):
    wall = statistics.median(run[0] for run in runs)
    print(f"{what:34} {wall:7.2f} s {megabytes / wall:7.0f} MB/s  "
          f"cpu {statistics.median(run[1] for run in runs):6.2f} s  "
          f"memory {max(run[2] for run in runs) / 1024:6.1f} MiB")
    return wall


def pairwise(ours, theirs):
    return statistics.median(one[0] / two[0] for one, two in zip(ours, theirs))


def download(tmp, registry, file):
    image = f"{registry.host}/lib/large:1"
    add = [str(program("satchel-bundler")), "app", "add", f"{tmp}/store", "--name", "app",
           "--compose", str(file), "--publish-as", PUBLISH_AS + "app", "--quiet"]
    copy = ["/usr/bin/skopeo", "copy", "--quiet", "--insecure-policy", "--src-tls-verify=false",
            f"docker://{image}", f"oci:{tmp}/copy:large"]
    ours, theirs = [], []
    for i in range(ROUNDS):
        ours.append(run_once(add))
        theirs.append(run_once(copy))
        shutil.rmtree(f"{tmp}/copy")
        if i + 1 < ROUNDS:
            shutil.rmtree(f"{tmp}/store")
    total = sum(SIZES_MB) * 1.048576
    one = row("satchel-bundler app add", ours, total)
    two = row("skopeo copy docker:// oci:", theirs, total)
    measures.note("500 MB from a registry, wall time", f"{one:.2f} s", f"{two:.2f} s, skopeo copy", 1,
                  pairwise(ours, theirs), ROUNDS, {"app add": add, "skopeo": copy})


def hashing(tmp):
    ours, theirs = [], []
    blobs = sorted(str(path) for path in pathlib.Path(tmp, "store/blobs/sha256").iterdir())
    check = [str(program("satchel-bundler")), "app", "check", f"{tmp}/store", "--quiet"]
    digest = ["/usr/bin/openssl", "dgst", "-sha256", *blobs]
    for _ in range(ROUNDS):
        ours.append(run_once(check))
        theirs.append(run_once(digest))
    total = sum(SIZES_MB) * 1.048576
    one = row("satchel-bundler app check", ours, total)
    two = row("openssl dgst -sha256", theirs, total)
    measures.note("hashing the same, part of the peer's rate", f"{total / one:.0f} MB/s",
                  f"{total / two:.0f} MB/s, openssl dgst", 0.8, 1 / pairwise(ours, theirs), ROUNDS,
                  {"app check": check, "openssl": digest[:4]}, at_least=True)


def main():
    tmp = tempfile.mkdtemp(prefix="satchel-bench-", dir="/var/tmp")
    try:
        layout = Layout(pathlib.Path(tmp, "layout"))
        layout.name(layout.image([random_layer(size << 20) for size in SIZES_MB]), "large")
        with Registry(pathlib.Path(tmp, "registry")) as registry:
            registry.push(layout, "large", "lib/large:1")
            download(tmp, registry, compose(pathlib.Path(tmp, "compose.yml"),
                                            web=f"{registry.host}/lib/large:1"))
        hashing(tmp)
    finally:
        shutil.rmtree(tmp, ignore_errors=True)


main()
