#!/usr/bin/python3
"""What looking at a packed bundle costs that is in no cache: `satchel-installer check`, which reads
its head, and `satchel-verify --full`, which reads, hashes and inflates all of it, beside `openssl dgst
-sha256` of the same file and libdeflate, which inflates every object of it once: medians of several
runs in turns. The workload is that of bench_import.py.

    tests/bench/bench_check.py [--cache FOLDER] [--runs N]
"""
import argparse
import ctypes
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "support"))
sys.path.insert(0, str(TOP / "bench"))
import bench_import  # noqa: E402
import device_lab  # noqa: E402
import measures  # noqa: E402
from run_once import run_once  # noqa: E402
from tap import program  # noqa: E402

CHECK_GOAL_MS = 100
FULL_GOAL = 1.3
AVAILABLE = 16  # the status of `check` where there is something to install


def forget(file):
    """Takes the file out of the page cache."""
    with open(file, "rb") as opened:
        os.fsync(opened.fileno())
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def regular_files(bundle):
    """Where the deflated content of each file object is: (offset, bytes, bytes inflated)."""
    with tarfile.open(bundle) as archive, open(bundle, "rb") as opened:
        for member in archive:
            if not member.name.endswith(".filez"):
                continue
            head = os.pread(opened.fileno(), 16, member.offset_data)
            at = 8 + int.from_bytes(head[:4], "big")
            if at < member.size:
                yield (member.offset_data + at, member.size - at,
                       int.from_bytes(head[8:16], "big"))


def inflate(bundle, places):
    """Seconds of inflating them all, one after the other."""
    library = ctypes.CDLL("libdeflate.so.0")
    library.libdeflate_alloc_decompressor.restype = ctypes.c_void_p
    inflater = ctypes.c_void_p(library.libdeflate_alloc_decompressor())
    content = ctypes.create_string_buffer(max(size for _, _, size in places) + 1)
    with open(bundle, "rb") as opened:
        begin = time.perf_counter()
        for offset, n_bytes, size in places:
            data = os.pread(opened.fileno(), n_bytes, offset)
            result = library.libdeflate_deflate_decompress(
                inflater, data, ctypes.c_size_t(n_bytes), content, ctypes.c_size_t(size), None)
            assert result == 0, (offset, result)
        return time.perf_counter() - begin


def measure(bench, runs):
    check = bench.ours()
    check[1:3] = ["check"]
    full = [program("satchel-verify"), "--quiet", "--root", bench.lab.tuf / "metadata/1.root.json",
            "--hardware-id", device_lab.HARDWARE, "--tag", device_lab.TAG, "--type", "ci", "--full",
            bench.bundle]
    digest = ["/usr/bin/openssl", "dgst", "-sha256", bench.bundle]
    places = list(regular_files(bench.bundle))
    times = {"check": [], "full": [], "digest": [], "inflate": []}
    for _ in range(runs):
        for name, argv, status in (("check", check, AVAILABLE), ("full", full, 0),
                                   ("digest", digest, 0)):
            forget(bench.bundle)
            times[name].append(run_once([str(word) for word in argv], status)[0])
        times["inflate"].append(inflate(bench.bundle, places))
    medians = {name: statistics.median(values) for name, values in times.items()}
    peer = medians["digest"] + medians["inflate"]
    commands = {"check": check, "verify": full, "digest": digest}
    measures.note("`check` on packed, cold cache, ms", f"{medians['check'] * 1000:.0f} ms", "none",
                  CHECK_GOAL_MS, medians["check"] * 1000, runs, commands)
    measures.note("`satchel-verify --full`, against `openssl dgst -sha256` and one inflate",
                  f"{medians['full']:.2f} s",
                  f"{medians['digest']:.2f} s and {medians['inflate']:.2f} s", FULL_GOAL,
                  medians["full"] / peer, runs, commands)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cache", type=pathlib.Path, default=TOP.parent / ".cache/demo")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    if os.getuid() != 0:
        sys.exit("bench_check: needs root: a root file system's files belong to several users")
    subprocess.run(["bash", TOP / "support/debian_releases.sh", options.cache], check=True)
    work = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=options.cache)).resolve()
    try:
        measure(bench_import.Bench(work, options.cache.resolve() / "repo", True), options.runs)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
