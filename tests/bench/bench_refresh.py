#!/usr/bin/python3
"""A whole refresh of a repository with 10,000 targets: from a folder, over loopback HTTP, and one
that finds no news. Medians of several runs, processes started and ended included, and the largest
memory; beside them what Python needs for parsing, canonicalising and hashing the same files.

    tests/bench/bench_refresh.py [--targets N] [--runs N]
"""
import argparse
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from run_once import run_once  # noqa: E402
from tap import program  # noqa: E402
from tuf_server import Repo, Server  # noqa: E402


def make_repo(n_targets):
    repo = Repo()
    repo.pinned = True
    repo.targets["targets"] = {
        f"factory-intel-corei7-64-lmp-{i}": {
            "length": i,
            "hashes": {"sha256": f"{i:064x}"},
            "custom": {"version": str(i), "hardwareIds": ["intel-corei7-64"], "tags": ["devel"],
                       "targetFormat": "OSTREE"},
        } for i in range(n_targets)
    }
    repo.publish("targets", "snapshot", "timestamp")
    return repo


def measure(name, runs, prepare, argv):
    results = []
    for _ in range(runs):
        prepare()
        results.append(run_once(argv))
    wall, cpu, memory = (list(column) for column in zip(*results))
    print(f"{name:24} {statistics.median(wall) * 1000:8.1f} ms wall "
          f"{statistics.median(cpu) * 1000:8.1f} ms cpu {max(memory) / 1024:8.1f} MiB peak")


PYTHON = """
import hashlib, json, sys
from securesystemslib.formats import encode_canonical
for path in sys.argv[1:]:
    data = open(path, "rb").read()
    hashlib.sha256(data).hexdigest()
    encode_canonical(json.loads(data)["signed"]).encode()
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--targets", type=int, default=10000)
    parser.add_argument("--runs", type=int, default=9)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="satchel-bench-"))
    try:
        bench(folder, options)
    finally:
        shutil.rmtree(folder)


def bench(folder, options):
    repo = make_repo(options.targets)
    repo.write(folder / "disk")
    root, store = repo.root(folder), folder / "store"
    tuf = [program("satchel-verify"), "tuf", "--metadata-dir", store]
    size = (folder / "disk/metadata/targets.json").stat().st_size
    print(f"{options.targets} targets, {size / 1e6:.1f} MB of targets.json, "
          f"medians of {options.runs} runs")

    def fresh():
        shutil.rmtree(store, ignore_errors=True)
        subprocess.run([*tuf, "init", root], check=True)

    disk = [*tuf, "--metadata-source", folder / "disk/metadata", "refresh"]
    measure("fresh, from a folder", options.runs, fresh, disk)
    measure("no news, from a folder", options.runs, lambda: None, disk)
    with Server(repo) as server:
        http = [*tuf, "--metadata-url", server.url + "/metadata", "refresh"]
        measure("fresh, over HTTP", options.runs, fresh, http)
        measure("no news, over HTTP", options.runs, lambda: None, http)
    measure("python, no signatures", options.runs, lambda: None,
            [sys.executable, "-c", PYTHON,
             *(folder / f"disk/metadata/{role}.json" for role in ("root", "timestamp", "snapshot",
                                                                  "targets"))])


main()
