#!/usr/bin/python3
"""`satchel-bundler pack` against `tar -c` of the same folder: medians of several runs in turns.

    tests/bench/bench_pack.py [--cache FOLDER] [--runs N]

The bundle is the full one of release 2 that debian_releases.sh makes of Debian packages; the folder
(.cache/demo) keeps the releases. All that is written lies in it, on one file system. pack hashes every
byte and syncs what it wrote; tar does neither, so tar followed by a sync of its file is shown as well:
like with like.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import device_lab  # noqa: E402
import measures  # noqa: E402
from tap import program  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parent.parent
GOAL = 1.2


def make_bundle(folder, releases):
    """A factory whose second release is the workload's."""
    lab = device_lab.Lab(folder / "lab", releases=())
    shutil.rmtree(lab.repo)
    lab.repo.symlink_to(releases)
    lab.release(2, commit=device_lab.sh("ostree", "rev-parse", "--repo", releases, "demo/2"))
    return lab.bundle([2])


def seconds(argv, output):
    """Wall time of one run that begins without its output."""
    output.unlink(missing_ok=True)
    os.sync()
    begin = time.perf_counter()
    subprocess.run(argv, check=True)
    return time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cache", type=pathlib.Path, default=TOP.parent / ".cache/demo")
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    cache = arguments.cache.resolve()
    subprocess.run([TOP / "support/debian_releases.sh", cache], check=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=cache) as folder:
        folder = pathlib.Path(folder)
        bundle = make_bundle(folder, cache / "repo").resolve()
        tar, packed = folder / "out.tar", folder / "out.satchel"
        commands = {
            "tar": (["tar", "-cf", tar, "-C", bundle, "."], tar),
            "tar, sync": (["sh", "-c", 'tar -cf "$0" -C "$1" . && sync "$0"', tar, bundle], tar),
            "pack": ([program("satchel-bundler"), "--quiet", "pack", bundle, packed], packed)}
        for argv, output in commands.values():
            seconds(argv, output)  # what is read lies in memory from now on
        times = {name: [] for name in commands}
        for _ in range(arguments.runs):
            for name, (argv, output) in commands.items():
                times[name].append(seconds(argv, output))
        medians = {name: statistics.median(values) for name, values in times.items()}
        size = packed.stat().st_size
        print(f"{size / 1e6:.0f} MB packed, medians of {arguments.runs} runs")
        for name, (argv, _) in commands.items():
            shown = " ".join(str(word) for word in argv).replace(str(folder), "FOLDER")
            print(f"{name:10} {medians[name]:6.3f} s (best {min(times[name]):.3f})  {shown}")
        for peer, goal in (("tar", GOAL), ("tar, sync", GOAL)):
            measures.note(f"pack, against {peer} of the same tree", f"{medians['pack']:.2f} s",
                          f"{medians[peer]:.2f} s", goal, medians["pack"] / medians[peer],
                          arguments.runs, {name: argv for name, (argv, _) in commands.items()})


main()
