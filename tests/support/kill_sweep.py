"""Kills a command of satchel-installer before each call that changes something on a disk.

    kill_sweep(device, ["pull", "--src-dir", bundle], 25, again)

is a sample of 25 of these points, and each step at which a file, a folder or the deployments get to
be what they are to be, before and after it; with --every-point on the command line it is all of
them, or as many as `most` says, and with --every-second-point half of these, the odd or the even ones
by chance.
"""
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

import schemas
from c_program import build
from device_lab import sh
from tap import TRACED, program, skip

FIRST, STRIDE = 1, 1
if "--every-second-point" in sys.argv:
    sys.argv[sys.argv.index("--every-second-point")] = "--every-point"
    FIRST, STRIDE = random.SystemRandom().randrange(1, 3), 2
    print(f"# the points {FIRST}, {FIRST + STRIDE}, ...")
EVERY_POINT = "--every-point" in sys.argv
if EVERY_POINT:
    sys.argv.remove("--every-point")
WRITES = "every write" if EVERY_POINT else "every step and sampled writes"
# Names that are put in place, by the state and by libostree, and what libostree waits for.
STEPS = ("rename", "renameat", "renameat2", "symlink", "symlinkat", "syncfs")
KILLED = 137


def check_state(device):
    """The device's state, which must be as its schema wants it."""
    return schemas.check(device.state_file.read_bytes(), "installer-state.schema.json")


class Snapshot:
    """A device at one moment, to which each try goes back. @more: further folders."""

    def __init__(self, device, more=()):
        self.paths = (device.sysroot, device.storage, *more)
        self.copy = pathlib.Path(tempfile.mkdtemp(dir=device.folder))
        sh("cp", "-a", *self.paths, self.copy)

    def restore(self):
        for path in self.paths:
            shutil.rmtree(path)
            sh("cp", "-a", self.copy / path.name, path)


class Killer:
    """tests/support/kill_at.c, built."""

    def __init__(self, folder):
        self.program = build("kill_at.c", folder)

    def run(self, device, words, number, env=None):
        """The Popen of a command that dies before that call, or with 0 of one that does not."""
        argv = [self.program, str(number), program("satchel-installer"), words[0], "-c",
                device.config, *words[1:]]
        return subprocess.run([os.fspath(word) for word in argv], check=False, timeout=280,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8",
                              env={**os.environ, **(env or {}),
                                   "OSTREE_SYSROOT_DEBUG": "mutable-deployments", **TRACED})

    def points(self, device, words, env=None):
        """Thread and name of each call that the whole command makes, in their order."""
        done = self.run(device, words, 0, env)
        if done.returncode == 125:
            skip("no right to trace")
        return [tuple(line.split()) for line in done.stdout.splitlines()
                if re.fullmatch(r"\d+ \w+", line)]


def sample(n_points, n, most):
    """Numbers of points, from 1 on."""
    if EVERY_POINT:
        n = most or n_points
    chosen = range(1, n_points + 1) if n_points <= n else \
        [1 + int(i * n_points / n) for i in range(n)]
    return chosen[FIRST - 1::STRIDE]


def around_steps(points):
    """Numbers of the points before and after each step."""
    steps = {number for number, (_, name) in enumerate(points, 1) if name in STEPS}
    return {*steps, *(number + 1 for number in steps if number < len(points))}


def kill_sweep(device, words, n, again, most=None, env=None, more=(), steps=True, before=None):
    """Kills the command before its Nth call; @again says whether all is well then.

    @more: folders that go back to what they were as the device does. @steps: each step as well as
    the sample. @before: brings back what lies elsewhere. Gives in how many threads the calls were."""
    snapshot = Snapshot(device, more)
    killer = Killer(device.folder)
    points = killer.points(device, words, env)
    assert len(points) >= 10, points
    numbers = sorted({*sample(len(points), n, most), *(around_steps(points) if steps else ())})
    killed = 0
    for number in numbers:
        snapshot.restore()
        if before:
            before()
        killed += killer.run(device, words, number, env).returncode == KILLED
        if device.state_file.exists():
            check_state(device)
        try:
            again(device)
        except AssertionError as problem:
            raise AssertionError(f"killed at call {number}: {problem}") from problem
    snapshot.restore()
    threads = {thread for thread, _ in points}
    print(f"# {words[0]}: {killed} kills at {len(points)} points in {len(threads)} threads")
    # Threads share the work as it comes, so the last points may not be reached each time.
    assert killed >= 0.8 * len(numbers)
    return len(threads)
