#!/usr/bin/python3
"""`rollback`: an installation that is called off, a release that is left, and every way it can fail."""
import fcntl
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import Lab, NAME, sh  # noqa: E402
from tap import main, test  # noqa: E402


def names(targets):
    return [target["name"] for target in targets]


def on_release_2(device, bundle):
    device.expect(16, "check", "--src-dir", bundle)
    device.expect(100, "update", "2", "--src-dir", bundle)
    device.expect(0, "run")


@test("before any update there is nothing to go back to: 21, and nothing changes")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        before = device.digest()
        result = device.expect(21, "rollback")
        assert "nothing to go back to" in result.stderr, result
        assert device.digest() == before


@test("an installation that was not booted is called off: 0, its target is failing")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        device.expect(100, "update", "--src-dir", bundle)
        result = device.expect(0, "rollback")
        assert "called off" in result.stderr, result
        assert device.deployments()[0] == lab.commits[1]
        state = device.state()
        assert names(state["failing"]) == [f"{NAME}-2"] and "pending" not in state
        assert state["current"]["name"] == f"{NAME}-1"
        assert state["events"][-1]["reason"] == "rolled back by hand"
        device.expect(40, "run")
        # Not by itself again; by name it is.
        device.expect(0, "check", "--src-dir", bundle)
        device.expect(0, "update", "--src-dir", bundle)
        device.expect(100, "update", "2", "--src-dir", bundle)
        device.expect(0, "run")
        assert device.state()["failing"] == []


@test("the release that runs is left for the one before: 100, run 0, it is failing from then on")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        on_release_2(device, bundle)
        result = device.expect(100, "rollback")
        assert f"{NAME}-1 is installed again; reboot" in result.stderr, result
        assert device.deployments()[0] == lab.commits[1]
        state = device.state()
        assert state["pending"]["name"] == f"{NAME}-1"
        assert names(state["failing"]) == [f"{NAME}-2"]
        device.expect(30, "update", "--src-dir", bundle)
        device.expect(0, "run")
        state = device.state()
        assert state["current"]["name"] == f"{NAME}-1" and "rollback" not in state
        assert names(state["failing"]) == [f"{NAME}-2"]
        text = device.expect(0, "status").stdout
        assert "Active image is: 1" in text and "Failing Target: 2" in text, text
        # Neither back again, nor forward by itself.
        device.expect(21, "rollback")
        device.expect(0, "update", "--src-dir", bundle)


@test("a rollback that was called off in turn leaves the release that ran")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        on_release_2(device, bundle)
        device.expect(100, "rollback")
        device.expect(0, "rollback")
        assert device.deployments()[0] == lab.commits[2]
        assert "pending" not in device.state()


@test("content that is gone is pulled from a bundle, whatever its metadata; without one it is 50")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    other = lab.bundle([2])
    with lab.device() as device:
        on_release_2(device, bundle)
        sh("ostree", "admin", "undeploy", f"--sysroot={device.sysroot}", "1")
        assert not device.has_commit(1)
        before = device.digest()
        result = device.expect(50, "rollback")
        assert f"{NAME}-1" in result.stderr and "not whole" in result.stderr, result
        result = device.expect(8, "rollback", "--src-dir", tmp / "none")
        assert "none" in result.stderr, result
        device.expect(8, "rollback", "--src-dir", other)
        assert device.digest() == before
        commit = lab.commits[1]
        path = bundle / f"ostree_repo/objects/{commit[:2]}/{commit[2:]}.commit"
        good = path.read_bytes()
        path.write_bytes(good[:-1] + b"?")
        device.expect(50, "rollback", "--src-dir", bundle)
        assert device.digest() == before
        path.write_bytes(good)
        device.expect(100, "rollback", "--src-dir", bundle)
        device.fsck()
        device.expect(0, "run")
        assert device.state()["current"]["name"] == f"{NAME}-1"


@test("on a full file system the content does not fit: 60, says how much is lacking, changes nothing")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        on_release_2(device, bundle)
        sh("ostree", "admin", "undeploy", f"--sysroot={device.sysroot}", "1")
        sh("ostree", "config", "--repo", device.repo, "unset", "core.min-free-space-percent")
        sh("ostree", "config", "--repo", device.repo, "set", "core.min-free-space-size", "900TB")
        before = device.digest()
        result = device.expect(60, "rollback", "--src-dir", bundle)
        assert "bytes are lacking" in result.stderr, result
        assert device.digest() == before


def locked(device):
    """Another program that changes the deployments."""
    file = open(device.sysroot / "ostree/lock", "w", encoding="utf-8")
    fcntl.lockf(file, fcntl.LOCK_EX)
    return file


@test("a sysroot that somebody else changes is 1, and the release is neither left nor failing")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        on_release_2(device, bundle)
        before = device.state()
        with locked(device):
            result = device.expect(1, "rollback")
            assert "try again" in result.stderr, result
        assert device.state() == before
        device.expect(100, "rollback")
        before = device.state()
        with locked(device):
            device.expect(1, "rollback")
        assert device.state() == before


@test("what cannot be deployed again is 110, and the release that ran stays and is not failing")
def _(tmp):
    def no_kernel(top):
        shutil.rmtree(top / "usr/lib/modules")
    lab = Lab(tmp, releases=(1, 2))
    broken = lab.commit(3, no_kernel)
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        on_release_2(device, bundle)
        sh("ostree", "pull-local", "--repo", device.repo, lab.repo, broken)
        device.state_file.write_text(
            device.state_file.read_text().replace(lab.commits[1], broken))
        before = device.state()
        result = device.expect(110, "rollback")
        assert "the device stays as it is" in result.stderr, result
        assert device.state() == before
        assert device.deployments()[0] == lab.commits[2]


@test("an installation that cannot be called off is 130, stays installed, and can be called off later")
def _(tmp):
    def other_kernel(top):
        (top / "usr/lib/modules/6.1.0/vmlinuz").write_bytes(b"another kernel\n")
    lab = Lab(tmp, releases=(1,))
    lab.release(2, commit=lab.commit(2, other_kernel))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        device.expect(100, "update", "--src-dir", bundle)
        before = device.state()
        checkout = next((device.sysroot / "ostree/deploy/lmp/deploy").glob(f"{lab.commits[1]}.?"))
        kernel = checkout / "usr/lib/modules/6.1.0"
        # Without its kernel no boot entry can be written for what runs.
        kernel.rename(tmp / "kernel")
        result = device.expect(130, "rollback")
        assert f"{NAME}-2 stays installed" in result.stderr, result
        assert device.state() == before and device.deployments()[0] == lab.commits[2]
        shutil.move(tmp / "kernel", kernel)
        device.expect(0, "rollback")
        assert device.deployments()[0] == lab.commits[1]


@test("rollback takes no target, and refuses what else it has no use for")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        for words in (["1"], ["--update-name", "1"]):
            device.expect(1, "rollback", *words)
        device.expect(1, "rollback", "--install-mode", "backwards")
        device.expect(21, "rollback", "--install-mode", "delay-app-install")


main()
