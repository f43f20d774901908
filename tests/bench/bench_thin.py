#!/usr/bin/python3
"""What an update from release 1 to release 2 weighs on the stick, and what it takes on the device.

A real root file system (tests/support/debian_releases.sh), three bundles of release 2: with all
objects, thin from release 1, and thin with a delta. Each is pulled by a device on release 1; time,
processor time and peak memory are those of the whole command. Aims: thin at most 0.5 of the full
bundle, the delta bundle at most 0.7 of the thin one, 64 MiB. Needs root.

SATCHEL_DEMO_CACHE: where the releases are kept (.cache/demo).
"""
import os
import pathlib
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import measures  # noqa: E402
from tap import ROOT, program  # noqa: E402

CACHE = pathlib.Path(os.environ.get("SATCHEL_DEMO_CACHE", ROOT / ".cache/demo"))
HARDWARE = "intel-corei7-64"
NAME = f"{HARDWARE}-lmp"
N_RUNS = 5
THIN_AIM, DELTA_AIM, MEMORY_AIM_MIB = 0.5, 0.7, 64

commands = []


def sh(*argv):
    """Runs a tool that must work; gives its output."""
    done = subprocess.run([os.fspath(word) for word in argv], stdout=subprocess.PIPE, check=True,
                          encoding="utf-8")
    return done.stdout.strip()


class Run:
    """One command to its end: wall time, processor time, peak memory."""

    def __init__(self, *argv, show=True):
        words = [os.fspath(word) for word in argv]
        if show:
            commands.append(words)
        env = dict(os.environ, OSTREE_SYSROOT_DEBUG="mutable-deployments")
        begin = time.monotonic()
        child = subprocess.Popen(words, env=env, stderr=subprocess.PIPE, encoding="utf-8")
        stderr = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        assert child.returncode == 0, f"{words}: {stderr}"
        self.wall_s = time.monotonic() - begin
        self.cpu_s = usage.ru_utime + usage.ru_stime
        self.peak_mib = usage.ru_maxrss / 1024


def make_factory(folder):
    """A TUF repository with both releases; gives the words that every build has."""
    sh(program("satchel-bundler"), "repo", "init", "-q", folder)
    for release in ("1", "2"):
        commit = sh("ostree", f"--repo={CACHE}/repo", "rev-parse", f"demo/{release}")
        sh(program("satchel-bundler"), "repo", "add", "-q", folder, "--name", NAME, "--version",
           release, "--hardware-id", HARDWARE, "--tag", "devel", "--commit", commit)
    sh(program("satchel-bundler"), "repo", "publish", "-q", folder)
    key = next((folder / "keys").glob("targets-*.pem"))
    return ["build", "-q", "--tuf", folder, "--ostree", CACHE / "repo", "--target", f"{NAME}-2",
            "--tag", "devel", "--type", "ci", "--key", key]


def make_sysroot(sysroot):
    commit = sh("ostree", f"--repo={CACHE}/repo", "rev-parse", "demo/1")
    sysroot.mkdir()
    sh("ostree", "admin", "init-fs", "--modern", sysroot)
    sh("ostree", "admin", "os-init", f"--sysroot={sysroot}", "lmp")
    sh("ostree", "config", f"--repo={sysroot}/ostree/repo", "set", "core.min-free-space-percent",
       "0")
    sh("ostree", "pull-local", f"--repo={sysroot}/ostree/repo", CACHE / "repo", commit)
    subprocess.run(["ostree", "admin", "deploy", f"--sysroot={sysroot}", "--os=lmp", commit],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env=dict(os.environ, OSTREE_SYSROOT_DEBUG="mutable-deployments"))


def make_device(folder, factory):
    """A device on release 1; gives its configuration."""
    (folder / "roots/ci").mkdir(parents=True)
    (folder / "sota").mkdir()
    shutil.copy(factory / "metadata/1.root.json", folder / "roots/ci")
    make_sysroot(folder / "sysroot")
    config = folder / "satchel.toml"
    config.write_text(f"""\
[provision]
primary_ecu_hardware_id = "{HARDWARE}"
[storage]
path = "{folder}/sota"
uptane_metadata_path = "{folder}/roots"
[pacman]
type = "ostree"
sysroot = "{folder}/sysroot"
os = "lmp"
booted = "staged"
tags = "devel"
""")
    return config


def forget_pull(folder):
    """Brings the device back to release 1 alone."""
    repo = folder / "sysroot/ostree/repo"
    for ref in sh("ostree", "refs", f"--repo={repo}").splitlines():
        if ref.startswith("satchel/pulled/"):
            sh("ostree", "refs", f"--repo={repo}", "--delete", ref)
    sh("ostree", "prune", f"--repo={repo}", "--refs-only", "--depth=0")


def size(folder):
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def pull(folder, config, bundle):
    runs = []
    for number in range(N_RUNS):
        os.sync()
        runs.append(Run(program("satchel-installer"), "pull", "-q", "-c", config, "--src-dir",
                        bundle, show=number == 0))
        forget_pull(folder)
    return (statistics.median(run.wall_s for run in runs),
            statistics.median(run.cpu_s for run in runs), max(run.peak_mib for run in runs))


def verdict(value, aim):
    return f"{value:.2f} (aim: {aim} or less){'' if value <= aim else ', missed'}"


def main():
    if os.getuid() != 0:
        sys.exit("bench_thin: needs root: a root file system's files belong to several users")
    subprocess.run([ROOT / "tests/support/debian_releases.sh", CACHE], check=True)
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as name:
        folder = pathlib.Path(name)
        words = make_factory(folder / "factory")
        config = make_device(folder / "device", folder / "factory")
        sizes, peaks = {}, {}
        print(f"{'bundle':8} {'bytes':>11} {'build s':>8} {'pull s':>7} {'CPU s':>6} "
              f"{'peak MiB':>8}   (pull: medians of {N_RUNS})")
        for kind, more in (("full", []), ("thin", ["--from", f"{NAME}-1"]),
                           ("delta", ["--from", f"{NAME}-1", "--delta"])):
            bundle = folder / kind
            build = Run(program("satchel-bundler"), *words, *more, bundle)
            wall_s, cpu_s, peaks[kind] = pull(folder / "device", config, bundle)
            sizes[kind] = size(bundle)
            print(f"{kind:8} {sizes[kind]:11} {build.wall_s:8.1f} {wall_s:7.1f} {cpu_s:6.1f} "
                  f"{peaks[kind]:8.1f}", flush=True)
        for kind, peer, aim in (("thin", "full", THIN_AIM), ("delta", "thin", DELTA_AIM)):
            measures.note(f"update 1 to 2, bytes on the stick, {kind} against {peer}",
                          f"{sizes[kind] / 1e6:.1f} MB", f"{sizes[peer] / 1e6:.1f} MB", aim,
                          sizes[kind] / sizes[peer], 1, {})
        print(f"peak, delta   {verdict(peaks['delta'], MEMORY_AIM_MIB)} MiB")
        print(sh(program("satchel-bundler"), "show", folder / "delta"))
        for command in commands:
            print("$ " + shlex.join(command).replace(str(folder) + "/", "")
                  .replace(str(CACHE) + "/", "").replace(str(program("")) + "/", ""))


main()
