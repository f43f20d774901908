#!/usr/bin/python3
"""`satchel-bundler pack` against `tar -c` of the same folder: medians of several runs in turns.

    tests/bench/bench_pack.py [--runs N] [BUNDLE]

Without BUNDLE, a folder form with a signed manifest, one is made: 17,500 objects whose sizes are spread
like those of a Debian system, 245 MB, incompressible. pack hashes every byte and syncs what it wrote;
tar does neither, so tar followed by a sync of its file is shown as well.
"""
import argparse
import hashlib
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import bundle_builder  # noqa: E402
from tap import program  # noqa: E402

N_OBJECTS = 17500
GOAL = 1.2


def make_bundle(folder):
    """Sizes log-normal with a median of 2 kB, at most 30 MB."""
    builder = bundle_builder.Builder(folder)
    builder.publish()
    bundle = folder / "bundle"
    chance = random.Random(1)
    pool = chance.randbytes(64 << 20)
    for i in range(N_OBJECTS):
        name = hashlib.sha256(str(i).encode()).hexdigest()
        begin = chance.randrange(32 << 20)
        size = min(int(chance.lognormvariate(7.6, 2.0)), 30 << 20)
        bundle_builder.write(bundle / "ostree_repo/objects" / name[:2] / f"{name[2:]}.filez",
                             pool[begin:begin + size])
    builder.write_bundle(bundle)
    return bundle


def seconds(argv, output):
    """Wall time of one run that begins without its output."""
    output.unlink(missing_ok=True)
    os.sync()
    begin = time.perf_counter()
    subprocess.run(argv, check=True)
    return time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("bundle", nargs="?", type=pathlib.Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as folder:
        folder = pathlib.Path(folder)
        bundle = (arguments.bundle or make_bundle(folder)).resolve()
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
        print(f"pack / tar         {medians['pack'] / medians['tar']:.2f}  (goal: {GOAL} or less)")
        print(f"pack / (tar, sync) {medians['pack'] / medians['tar, sync']:.2f}")


main()
