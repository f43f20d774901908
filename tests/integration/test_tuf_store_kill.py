#!/usr/bin/python3
"""A trust store whose writer is killed, or whose disk fails, at each of its system calls.

The refresh under test follows a root that gives timestamp a second key, by which version numbers
that had run ahead are taken back. Wherever it is stopped, the next one must arrive there.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from tap import TRACED, main, program, run, skip, test  # noqa: E402
from tuf_server import Repo  # noqa: E402

CALLS = "openat,write,fsync,renameat,unlinkat,mkdirat,fchmod,flock"
_RAN_AHEAD = 1000


class Lab:
    """A repository before and after, and a store that has seen the first."""

    def __init__(self, tmp):
        self.tmp = tmp
        self.store = tmp / "store"
        self.before = tmp / "before"
        repo = Repo()
        repo.add_target("one", "hello")
        repo.versions["timestamp"] = _RAN_AHEAD
        repo.publish("targets", "snapshot", "timestamp")
        repo.write(tmp / "disk")
        self.tuf("init", repo.root(tmp), check=True)
        self.refresh(check=True)
        shutil.copytree(self.store, self.before)
        # The old key stays, so that the old timestamp is still well signed, and in the way.
        repo.author.roles["timestamp"] = (["timestamp", "timestamp-2"], 1)
        repo.versions["timestamp"] = 1
        repo.publish("root", "targets", "snapshot", "timestamp")
        repo.write(tmp / "disk")
        self.refresh(check=True)
        self.expected = self.contents()
        assert self.expected["timestamp.json"] == repo.files["/metadata/timestamp.json"]

    def argv(self, *words):
        return [program("satchel-verify"), "tuf", "--metadata-dir", self.store, *words]

    def tuf(self, *words, check=False):
        return run(self.argv(*words), check=check)

    def refresh(self, check=False):
        return self.tuf("--metadata-source", self.tmp / "disk/metadata", "refresh", check=check)

    def contents(self):
        return {str(path.relative_to(self.store)): path.read_bytes()
                for path in self.store.rglob("*") if path.is_file()}

    def restore(self):
        shutil.rmtree(self.store)
        shutil.copytree(self.before, self.store)

    def traced(self, *options):
        words = self.argv("--metadata-source", self.tmp / "disk/metadata", "refresh")
        return subprocess.run(
            [os.fspath(word) for word in ["strace", "-f", "-qq", "-e", f"trace={CALLS}", *options,
                                          "-o", self.tmp / "trace", *words]],
            check=False, timeout=280, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            encoding="utf-8", env=dict(os.environ, **TRACED))

    def points(self):
        """Each call by its name and number, from the first that touches the store on."""
        self.restore()
        self.traced()
        counts, points, begun = {}, [], False
        for line in (self.tmp / "trace").read_text(errors="replace").splitlines():
            found = re.match(r"\d+\s+(\w+)\(", line)
            if not found:
                continue
            begun = begun or str(self.store) in line
            counts[found[1]] = counts.get(found[1], 0) + 1
            if begun:
                points.append((found[1], counts[found[1]]))
        assert len(points) > 40, points
        return points

    def assert_next_one_arrives(self, point):
        result = self.refresh()
        assert result.returncode == 0, (point, str(result))
        assert self.contents() == self.expected, (point, sorted(self.contents()))


def need_strace():
    if shutil.which("strace") is None:
        skip("strace is missing")
    if subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False,
                      stderr=subprocess.DEVNULL).returncode != 0:
        skip("no right to trace")


@test("killed at any system call, the store is made whole by the next refresh")
def _(tmp):
    need_strace()
    lab = Lab(tmp)
    points = lab.points()
    killed = 0
    for name, number in points:
        lab.restore()
        done = lab.traced("-e", f"inject={name}:signal=SIGKILL:when={number}")
        killed += done.returncode in (-9, 137)
        lab.assert_next_one_arrives((name, number))
    print(f"# {killed} kills at {len(points)} points")
    assert killed > len(points) * 0.9


@test("a disk that fails at any system call is an error, and nothing half-written stays")
def _(tmp):
    need_strace()
    lab = Lab(tmp)
    for name, error, statuses in (("write", "ENOSPC", (60,)), ("write", "EIO", (4,)),
                                  ("fsync", "EIO", (4,)), ("renameat", "EIO", (4,)),
                                  ("fchmod", "EROFS", (4,)), ("unlinkat", "EIO", (4,))):
        numbers = [number for call, number in lab.points() if call == name]
        assert numbers, name
        for number in numbers:
            lab.restore()
            done = lab.traced("-e", f"inject={name}:error={error}:when={number}")
            names = set(lab.contents())
            if done.returncode == 0:  # what is told to people may get lost
                assert lab.contents() == lab.expected, (name, number)
            else:
                assert done.returncode in statuses, (name, number, done)
                assert done.stderr.count("\n") == 1, done
            # Removing the temp file is what failed itself in the one case that may leave one.
            assert name == "unlinkat" or not [one for one in names if "satchel" in one], names
            lab.assert_next_one_arrives((name, number))


main()
