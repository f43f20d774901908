#!/usr/bin/python3
"""satchel-bundler killed in the middle: no half bundle, no half repository, no lasting leftovers."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from bundle_maker import (HARDWARE_ID, NAME, NOW, NOW_S, TAG, World, add, contents,  # noqa: E402
                          init, keys_of, leftovers, publish)
from tap import main, program, run, skip, test  # noqa: E402

DEADLINE_S = 280
N_FILES = 500


def count_files(folder):
    return sum(len(files) for _, _, files in os.walk(folder))


def start(words):
    return subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                            env=dict(os.environ, SOURCE_DATE_EPOCH=str(NOW_S)), text=True)


def build_words(world, output, *words):
    return [program("satchel-bundler"), "build", "--tuf", world.repo, "--ostree", world.ostree,
            "--target", f"{NAME}-1", "--tag", TAG, "--type", "ci", "--key",
            keys_of(world.repo)[0], *words, output]


def kill_at(words, folder, n_files, number):
    """Sends the signal when the n-th file is there; FALSE where the program was quicker."""
    process = start(words)
    while process.poll() is None and count_files(folder) < n_files:
        pass
    alive = process.poll() is None
    if alive:
        process.send_signal(number)
    _, errors = process.communicate(timeout=DEADLINE_S)
    return alive and process.returncode != 0, process.returncode, errors


def verify(bundle, world):
    run(["satchel-verify", "--root", world.repo / "metadata/1.root.json", "--at", NOW,
                "--full", bundle], check=True)
    return True


def world_with_many_files(tmp):
    return World(tmp, n_files=N_FILES)


POINTS = (1, N_FILES // 4, N_FILES // 4 * 3)


@test("a build that is killed leaves nothing under the final name, and the next one is whole")
def _(tmp):
    world = world_with_many_files(tmp)
    world.build("expected", check=True)
    n_killed = 0
    for n_files in POINTS:
        killed, _, _ = kill_at(build_words(world, tmp / "bundle"), tmp / ".bundle.satchel-work",
                               n_files, signal.SIGKILL)
        n_killed += killed
        if killed:
            assert not (tmp / "bundle").exists(), n_files
        else:
            shutil.rmtree(tmp / "bundle")
        world.build(check=True)  # clears away what the other has left
        assert contents(tmp / "bundle") == contents(tmp / "expected"), n_files
        assert leftovers(tmp) == []
        shutil.rmtree(tmp / "bundle")
    assert n_killed > 0, "the build was quicker than every signal"


for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    @test(f"a build that gets {number.name} clears away what it has begun and says so")
    def _(tmp, number=number):
        world = world_with_many_files(tmp)
        n_stopped = 0
        for n_files in POINTS:
            stopped, status, errors = kill_at(build_words(world, tmp / "bundle"),
                                              tmp / ".bundle.satchel-work", n_files, number)
            if not stopped:
                shutil.rmtree(tmp / "bundle")
                continue
            n_stopped += 1
            assert status == 1 and "signal" in errors, (status, errors)
            assert not (tmp / "bundle").exists() and leftovers(tmp) == []
        assert n_stopped > 0, "the build was quicker than every signal"


@test("a build with --force that is killed leaves the old bundle or the new one, whole")
def _(tmp):
    world = world_with_many_files(tmp)
    world.build(check=True)
    for n_files in (N_FILES // 4, N_FILES + 10, N_FILES + 18):
        kill_at(build_words(world, tmp / "bundle", "--force"), tmp / ".bundle.satchel-work",
                n_files, signal.SIGKILL)
        assert (tmp / "bundle/manifest.mtree").exists(), n_files
        assert verify(tmp / "bundle", world), n_files


@test("two builds of one output do not mix")
def _(tmp):
    world = world_with_many_files(tmp)
    first = start(build_words(world, tmp / "bundle"))
    while first.poll() is None and count_files(tmp / ".bundle.satchel-work") < 1:
        pass
    if first.poll() is None:
        first.send_signal(signal.SIGSTOP)
        result = run(build_words(world, tmp / "bundle"), env={"SOURCE_DATE_EPOCH": NOW_S})
        first.send_signal(signal.SIGCONT)
        first.communicate(timeout=DEADLINE_S)
        assert result.returncode == 1 and "another" in result.stderr, result
    else:
        first.communicate()
        skip("the first build was quicker than this test")
    assert first.returncode == 0 and verify(tmp / "bundle", world)


@test("a repository that is killed while it is made does not look finished")
def _(tmp):
    if shutil.which("strace") is None:
        skip("strace is not installed")
    for n_calls in (1, 3, 9, 11, 17, 18):
        assert traced([program("satchel-bundler"), "repo", "init", tmp / "repo"], n_calls,
                      "fsync") != 0, n_calls
        assert not (tmp / "repo").exists() and publish(tmp / "repo").returncode == 14
        init(tmp / "repo")
        publish(tmp / "repo", check=True)
        assert leftovers(tmp) == []
        shutil.rmtree(tmp / "repo")


def traced(words, n_calls, calls="renameat,renameat2,rename"):
    """Runs @words under strace, which kills it at the n-th of those calls; its status."""
    trace = ["strace", "-f", "-qq", "-e", f"trace={calls}", "-e",
             f"inject={calls}:signal=KILL:when={n_calls}"]
    return run([*trace, *words], env={"SOURCE_DATE_EPOCH": NOW_S}).returncode


@test("a command on a repository that is killed at any of its renames is completed by publish")
def _(tmp):
    if shutil.which("strace") is None:
        skip("strace is not installed")
    bundler = program("satchel-bundler")
    made = init(tmp / "made")
    add(made, "ab" * 32, check=True)
    publish(made, check=True)
    n_killed = 0
    for words in (["publish"], ["rotate", "--role", "targets"], ["rotate", "--role", "root"],
                  ["rotate", "--role", "snapshot"],
                  ["add", "--name", NAME, "--version", "2", "--hardware-id", HARDWARE_ID, "--tag",
                   TAG, "--commit", "cd" * 32]):
        for n_calls in range(1, 6):
            repo = pathlib.Path(shutil.copytree(made, tmp / f"{words[-1]}-{n_calls}"))
            if traced([bundler, "repo", *words, repo], n_calls) == 0:
                break
            n_killed += 1
            publish(repo, check=True)
            assert not [name for name in os.listdir(repo / "metadata") if ".json" not in name]
            result = run([bundler, "build", "--tuf", repo, "--ostree", tmp, "--target",
                          f"{NAME}-1", "--tag", TAG, "--type", "ci", tmp / "bundle"],
                         env={"SOURCE_DATE_EPOCH": NOW_S})
            assert "not an OSTree repository" in result.stderr, result  # the metadata was good
    assert n_killed > 5, n_killed


@test("a signature that is killed on its way is there or not, and the file is whole")
def _(tmp):
    if shutil.which("strace") is None:
        skip("strace is not installed")
    world = World(tmp)
    world.build(keys=[], check=True)
    words = [program("satchel-bundler"), "sign", "--key", keys_of(world.repo)[0], tmp / "bundle"]
    assert traced(words, 1) != 0
    document = json.loads((tmp / "bundle/tuf/bundle-targets.json").read_text())
    assert len(document["signatures"]) in (0, 1)
    if not document["signatures"]:
        run(words, check=True)
    assert verify(tmp / "bundle", world)


main()
