#!/usr/bin/python3
"""The device as a library: an update agent built against the installed headers, and nothing else."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import Lab, NAME  # noqa: E402
from installed import CC, install_in_place, pkg_config  # noqa: E402
from tap import ROOT, main, run, test  # noqa: E402

_EXAMPLE = ROOT / "tests/examples/skip_odd_agent.c"
_MISUSE = ROOT / "tests/support/odd_agent.c"


class Agent:
    """The example, or another program, built in a folder outside the tree."""

    def __init__(self, tmp, program=_EXAMPLE):
        self.prefix = install_in_place(tmp)
        source = tmp / program.name
        source.write_text(program.read_text())
        self.program = tmp / program.stem
        words = [pkg_config(self.prefix, flags, library="satchel-device")
                 for flags in ("--cflags", "--libs")]
        run([*CC, "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-o", self.program, source,
             *words[0], *words[1]], check=True)

    def run(self, *words):
        return run([self.program, *words], env={"LD_LIBRARY_PATH": self.prefix / "lib",
                                                "OSTREE_SYSROOT_DEBUG": "mutable-deployments"})

    def expect(self, status, *words):
        result = self.run(*words)
        assert result.returncode == status, f"not {status}: {result}"
        return result


@test("the example includes public headers only, and needs no other library of ours")
def _(tmp):
    includes = [line.split("<")[1].split("/")[0] for line in _EXAMPLE.read_text().splitlines()
                if line.startswith("#include")]
    assert set(includes) <= {"satchel", "stdio.h>", "string.h>"}, includes
    needed = run(["readelf", "--dynamic", Agent(tmp).program], check=True).stdout
    assert "[libsatchel-device.so.0]" in needed and "[libsatchel.so.0]" not in needed, needed


@test("an agent reads sticks itself, or leaves that to satchel-installer in PATH")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    stick = tmp / "stick"
    stick.mkdir()
    lab.bundle([2], packed=True).rename(stick / "u.satchel")
    (stick / "u.satchel").chmod(0o644)
    agent = Agent(tmp, ROOT / "tests/support/media_agent.c")
    with lab.device() as device:
        for path, status, word in ((tmp, 1, "reader of sticks"),
                                   (f"{agent.prefix}/bin:{os.environ['PATH']}", 100, "")):
            result = run([agent.program, device.config, stick, "other"],
                         env={"PATH": path, "LD_LIBRARY_PATH": agent.prefix / "lib",
                              "OSTREE_SYSROOT_DEBUG": "mutable-deployments"})
            assert result.returncode == status and word in result.stderr, result
    with lab.device() as device:
        agent.expect(100, device.config, stick)


@test("the commands know of a device what an agent knows, and no more")
def _():
    files = [file for stem in ("cmd_", "command_", "commands", "report", "main")
             for file in (ROOT / "installer").glob(f"{stem}*.[ch]")]
    assert len(files) > 15, files
    own = {f'"{file.name}"' for file in files}
    for file in files:
        for line in file.read_text().splitlines():
            if not line.startswith('#include "'):
                continue
            name = line.split()[1]
            assert name in own or name.startswith('"../verify/cli'), f"{file.name}: {line}"


@test("an agent with a policy of its own skips odd versions, shows its progress, and finalizes")
def _(tmp):
    agent = Agent(tmp)
    lab = Lab(tmp / "lab", releases=(1, 2, 3, 4, 5))
    with lab.device() as device:
        result = agent.expect(100, lab.bundle([1, 2, 3]), device.config)
        assert f"takes {NAME}-2\n" in result.stdout and result.stderr == "", result
        assert f"{device.config}: pulling: " in result.stdout, result
        assert not device.has_commit(3)
        agent.expect(0, tmp / "no bundle is needed for it", device.config)
        assert device.state()["current"]["name"] == f"{NAME}-2"
        # Nothing but odd ones is newer; the installer itself would take one.
        odd = lab.bundle([1, 2, 3, 5])
        result = agent.expect(0, odd, device.config)
        assert "takes" not in result.stdout and f"runs {NAME}-2" in result.stdout, result
        device.expect(16, "check", "--src-dir", odd)
        agent.expect(100, lab.bundle([3, 4, 5]), device.config)
        assert device.state()["pending"]["name"] == f"{NAME}-4"


@test("a pull and an installation that were cancelled leave the device as it was, to be taken up again")
def _(tmp):
    agent = Agent(tmp)
    lab = Lab(tmp / "lab", releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        before = device.state()
        result = agent.expect(1, "--cancel-when", "pulling", bundle, device.config)
        assert "interrupted" in result.stderr and "pulling" in result.stdout, result
        assert not device.has_commit(2) and device.state() == before
        device.expect(0, "pull", "--src-dir", bundle)
        result = agent.expect(1, "--cancel-when", "checking", bundle, device.config)
        assert "interrupted" in result.stderr, result
        assert device.deployments() == [lab.commits[1]] and device.state() == before
        agent.expect(100, bundle, device.config)
        device.fsck()


@test("two devices in one process do not know of each other; one that fails does not harm the other")
def _(tmp):
    agent = Agent(tmp)
    lab = Lab(tmp / "lab", releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as one, lab.device() as two, lab.device(trusted=False) as stranger:
        agent.expect(100, bundle, one.config, two.config)
        result = agent.expect(14, bundle, one.config, stranger.config, two.config)
        assert f"{stranger.config}: this device has no trusted root" in result.stderr, result
        for device in (one, two):
            assert device.state()["current"]["name"] == f"{NAME}-2"
            assert device.deployments()[0] == lab.commits[2]


@test("an offer that is too old or another device's, and a foreign target, are refused with a reason")
def _(tmp):
    agent = Agent(tmp, _MISUSE)
    lab = Lab(tmp / "lab", releases=(1, 2))
    older = lab.bundle([2])
    lab.release(5, lowest=4)
    newer = lab.bundle([5])
    stranger = Lab(tmp / "other", releases=(1,))
    with lab.device() as device, stranger.device() as other:
        before = other.digest()
        result = agent.expect(0, device.config, older, newer, other.config)
        said = dict(line.split(": ", 1) for line in result.stdout.splitlines())
        too_old = "the offer is older than what the device has learned since: check again"
        foreign = "the target is none of the offer's"
        read_only = "the device is opened read-only: open it for update"
        for step in ("choose", "pull", "install"):
            assert said[f"another device, {step}"] == "the offer was made by another device", said
            assert said[f"older offer, {step}"] == too_old, said
        for step in ("pull", "install"):
            assert said[f"another offer's target, {step}"] == foreign, said
        for step in ("check", "finalize", "rollback", "pull", "install"):
            assert said[f"read-only, {step}"] == read_only, said
        for good in ("another offer's target, choose", "read-only, choose"):
            assert said[good] == "done", said
        assert result.stderr == "", result
        assert device.deployments() == [lab.commits[1]] and not device.has_commit(2)
        assert other.digest() == before


@test("an agent that chooses by itself is held to the downgrade floor, and calls the callback program")
def _(tmp):
    agent = Agent(tmp)
    lab = Lab(tmp / "lab", releases=(1, 2, 3))
    bundle = lab.bundle([1, 2, 3])
    handler = tmp / "handler"
    handler.write_text(f'#!/bin/sh\necho "$MESSAGE $INSTALL_TARGET_NAME $RESULT" >> {tmp}/calls\n')
    handler.chmod(0o755)
    callback = f'callback_program = "{handler}"\n'
    with lab.device() as device:
        device.write_config("[satchel]\nlowest_version = 3\n", pacman=callback)
        result = agent.expect(102, bundle, device.config)
        assert "none below 3" in result.stderr and not device.has_commit(2), result
        device.write_config(pacman=callback)
        agent.expect(100, bundle, device.config)
        calls = (tmp / "calls").read_text().splitlines()
        assert calls[-4:] == [f"download-pre {NAME}-2 ", f"download-post {NAME}-2 OK",
                              f"install-pre {NAME}-2 ",
                              f"install-post {NAME}-2 NEEDS_COMPLETION"], calls


main()
