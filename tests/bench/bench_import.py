#!/usr/bin/python3
"""A full import of a real root file system into an empty repository, beside what peers need for the
same content in the same run: medians of several runs, processes started and ended included, and the
largest memory. The workload is what debian_releases.sh makes of Debian packages, release 2.

    tests/bench/bench_import.py [--cache FOLDER] [--runs N] [--folder]

Nothing is deleted before the end, which takes about 1 GB for each run of each command: for minutes
after many files were deleted, ext4 passes over each of their inodes in search of one for a new file,
and who is measured next pays for it.

The folder (.cache/demo) keeps the releases; all that is measured lies beside them, so that one file
system has it all. Root is needed: the files belong to several users.
"""
import argparse
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "support"))
import device_lab  # noqa: E402
import measures  # noqa: E402
from run_once import run_once  # noqa: E402
from tap import program  # noqa: E402

GOALS = {"wall": 0.50, "cpu": 0.45, "cp": 1.0, "memory": 64, "read": 1.05}


def make_lab(folder, releases):
    """A factory whose second release is the workload's."""
    lab = device_lab.Lab(folder / "lab", releases=())
    shutil.rmtree(lab.repo)
    lab.repo.symlink_to(releases)
    lab.release(2, commit=device_lab.sh("ostree", "rev-parse", "--repo", releases, "demo/2"))
    return lab


def make_device(folder, lab):
    """A device with an empty repository."""
    roots = folder / "roots/ci"
    sysroot = folder / "sysroot"
    for made in (roots, sysroot, folder / "sota"):
        made.mkdir(parents=True)
    shutil.copy(lab.tuf / "metadata/1.root.json", roots)
    device_lab.sh("ostree", "admin", "init-fs", "--modern", sysroot)
    device_lab.sh("ostree", "admin", "os-init", f"--sysroot={sysroot}", device_lab.OS)
    (folder / "satchel.toml").write_text(f"""\
[provision]
primary_ecu_hardware_id = "{device_lab.HARDWARE}"
[storage]
path = "{folder}/sota"
uptane_metadata_path = "{folder}/roots"
[pacman]
type = "ostree"
sysroot = "{sysroot}"
os = "{device_lab.OS}"
booted = "staged"
tags = "{device_lab.TAG}"
[bootloader]
reboot_sentinel_dir = "{folder}/session"
""")


def bytes_in(bundle):
    if bundle.is_file():
        return bundle.stat().st_size
    return sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file())


def bytes_read(argv, bundle):
    """What a process reads of the bundle, by its system calls."""
    with tempfile.NamedTemporaryFile("r") as log:
        subprocess.run(["strace", "-f", "-y", "-qq", "-e", "trace=read,pread64,preadv,readv",
                        "-o", log.name, *argv], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        total = 0
        unfinished = {}
        for line in log:
            pid = line.split(None, 1)[0]
            if "<unfinished" in line:
                unfinished[pid] = str(bundle) in line
                continue
            mine = unfinished.pop(pid, False) if "resumed>" in line else str(bundle) in line
            match = re.search(r"= (\d+)$", line.strip())
            if mine and match:
                total += int(match.group(1))
        return total


class Bench:
    def __init__(self, work, releases, packed):
        self.work, self.releases = work, releases
        self.lab = make_lab(work, releases)
        self.commit = self.lab.commits[2]
        folder = self.lab.bundle([2])
        self.archive = folder / "ostree_repo"
        self.bundle = folder
        if packed:
            self.bundle = work / "bundle.satchel"
            device_lab.sh(program("satchel-bundler"), "pack", folder, self.bundle)
        os.environ["OSTREE_SYSROOT_DEBUG"] = "mutable-deployments"

    def fresh(self, name):
        """A path of that name at which there is nothing; what was there stays elsewhere."""
        folder = self.work / name
        if folder.exists():
            folder.rename(tempfile.mkdtemp(prefix=f"{name}-before-", dir=self.work))
        return folder

    def ours(self):
        folder = self.fresh("device")
        make_device(folder, self.lab)
        os.sync()
        return [program("satchel-installer"), "pull", "-q", "-c", str(folder / "satchel.toml"),
                "--src-dir", str(self.bundle)]

    def peer(self, *options):
        folder = self.fresh("peer")
        device_lab.sh("ostree", "init", f"--repo={folder}", "--mode=bare")
        os.sync()
        return ["/usr/bin/ostree", "pull-local", f"--repo={folder}", *options, str(self.archive),
                self.commit]

    def copy(self):
        target = self.fresh("copy")
        os.sync()
        return ["/bin/sh", "-c", 'cp -a "$1" "$2" && sync', "sh",
                str(self.work / "device/sysroot/ostree/repo"), str(target)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=pathlib.Path, default=TOP.parent / ".cache/demo")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", action="store_true", help="from a bundle that is a folder")
    options = parser.parse_args()
    if os.getuid() != 0:
        print("bench_import: needs root")
        return
    subprocess.run(["bash", TOP / "support/debian_releases.sh", options.cache], check=True)
    work = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=options.cache))
    try:
        measure(Bench(work, options.cache.resolve() / "repo", not options.folder), options.runs)
    finally:
        subprocess.run(["chattr", "-R", "-f", "-i", work], check=False)
        shutil.rmtree(work, ignore_errors=True)


def measure(bench, runs):
    rows = {"satchel-installer pull": bench.ours, "cp -a of the repository, and sync": bench.copy,
            "ostree pull-local --untrusted": lambda: bench.peer("--untrusted"),
            "ostree pull-local": bench.peer}
    results = {name: [] for name in rows}
    commands = {}
    for _ in range(runs):  # one after the other, so that a busy moment meets all
        for name, prepare in rows.items():
            argv = prepare()
            commands[name] = argv
            results[name].append(run_once(argv))
    read = bytes_read(bench.ours(), bench.bundle)
    report(bench, results, commands, read)


def report(bench, results, commands, read):
    medians = {name: [statistics.median(run[i] for run in runs) for i in range(3)]
               for name, runs in results.items()}
    ours = medians["satchel-installer pull"]
    print(f"{'command':36} {'wall s':>7} {'CPU s':>7} {'MiB':>6} {'wall':>6} {'CPU':>6}")
    for name, (wall, cpu, memory) in medians.items():
        print(f"{name:36} {wall:7.2f} {cpu:7.2f} {memory / 1024:6.1f} {ours[0] / wall:6.2f} "
              f"{ours[1] / cpu:6.2f}")
    print("(the last two columns: satchel-installer against that row)")
    peer = medians["ostree pull-local --untrusted"]
    copy = medians["cp -a of the repository, and sync"]
    needed = bytes_in(bench.bundle)
    runs = len(results["satchel-installer pull"])
    for what, mine, theirs, value, goal in (
            ("full import, wall, against `ostree pull-local --untrusted`", f"{ours[0]:.2f} s",
             f"{peer[0]:.2f} s", ours[0] / peer[0], GOALS["wall"]),
            ("full import, CPU, against the same", f"{ours[1]:.2f} s", f"{peer[1]:.2f} s",
             ours[1] / peer[1], GOALS["cpu"]),
            ("full import, wall, against `cp -a` of the repository and `sync`",
             f"{ours[0]:.2f} s", f"{copy[0]:.2f} s", ours[0] / copy[0], GOALS["cp"]),
            ("peak memory, MiB", f"{ours[2] / 1024:.1f}", f"{peer[2] / 1024:.1f}",
             ours[2] / 1024, GOALS["memory"]),
            ("bytes read against bytes of the bundle", f"{read / 1e6:.1f} MB",
             f"{needed / 1e6:.1f} MB", read / needed, GOALS["read"])):
        measures.note(what, mine, theirs, goal, value, runs, commands)


if __name__ == "__main__":
    main()
