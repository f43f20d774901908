#!/usr/bin/python3
"""A signal in the middle of long work: it ends where the next command takes it up again."""
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from c_program import pkg_config  # noqa: E402
from device_lab import Lab, NAME  # noqa: E402
from installed import CC  # noqa: E402
from tap import ROOT, main, run, skip, test  # noqa: E402

HOOK = ROOT / "tests/support/signal_at.c"
PULL, CHECKOUT, SWAP = ("ostree_repo_prepare_transaction", "ostree_sysroot_deploy_tree",
                        "ostree_sysroot_write_deployments_with_options")


def signal_at(folder, place):
    """The environment in which SIGTERM comes at that function of libostree."""
    if any(word.startswith("-fsanitize") for word in CC):
        skip("a sanitizer wants to be loaded first")
    library = folder / "signal_at.so"
    run([*CC, "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-shared", "-fPIC",
         "-o", library, HOOK, *pkg_config("--libs", "glib-2.0")], check=True)
    return {"LD_PRELOAD": library, "SIGNAL_AT": place}


@test("a pull ends with status 1 and one word, and goes on when it is called again")
def _(tmp):
    lab = Lab(tmp / "lab", releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        before = device.state()
        result = device.expect(1, "pull", "--src-dir", bundle, env=signal_at(tmp, PULL))
        assert result.stderr.endswith("satchel-installer: interrupted\n"), result
        assert not device.has_commit(2) and device.state() == before
        device.expect(0, "pull", "--src-dir", bundle)
        device.fsck()


@test("a checkout ends with status 1; the target is not failing, and can be installed again")
def _(tmp):
    lab = Lab(tmp / "lab", releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(0, "pull", "--src-dir", bundle)
        before = device.state()
        result = device.expect(1, "install", env=signal_at(tmp, CHECKOUT))
        assert "cancelled" in result.stderr, result
        assert device.state() == before and device.deployments() == [lab.commits[1]]
        device.expect(100, "install")


@test("from the swap of the deployments on, work is finished instead")
def _(tmp):
    lab = Lab(tmp / "lab", releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(0, "pull", "--src-dir", bundle)
        device.expect(100, "install", env=signal_at(tmp, SWAP))
        assert device.state()["pending"]["name"] == f"{NAME}-2"


@test("a rollback that is interrupted leaves the release that runs, and not failing")
def _(tmp):
    lab = Lab(tmp / "lab", releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(100, "update", "--src-dir", bundle)
        device.expect(0, "run")
        run(["ostree", "admin", "undeploy", f"--sysroot={device.sysroot}", "1"],
            env={"OSTREE_SYSROOT_DEBUG": "mutable-deployments"}, check=True)
        run(["ostree", "pull-local", "--repo", device.repo, lab.repo, lab.commits[1]], check=True)
        before = device.state()
        device.expect(1, "rollback", env=signal_at(tmp, CHECKOUT))
        assert device.state() == before and device.deployments() == [lab.commits[2]]
        device.expect(100, "rollback")


@test("a daemon that is told to end in the middle of an update ends with 0, and the next one goes on")
def _(tmp):
    lab = Lab(tmp / "lab", releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        for place in (PULL, CHECKOUT):
            result = device.expect(0, "daemon", "--src-dir", bundle, env=signal_at(tmp, place))
            assert "installed" not in result.stderr, result
            assert device.deployments() == [lab.commits[1]] and device.state()["failing"] == []
        device.expect(0, "daemon", "--src-dir", bundle)
        assert device.state()["pending"]["name"] == f"{NAME}-2"


@test("a rollback that is cut off before the deployment is told, and done when it is asked for again")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(100, "update", "--src-dir", bundle)
        device.expect(0, "run")
        result = device.run("rollback", env={**signal_at(tmp, SWAP), "SIGNAL_KILLS": "1"})
        assert result.returncode == -signal.SIGKILL, result
        state = device.state()
        assert state["installing"]["name"] == f"{NAME}-1" and "pending" not in state
        for _ in range(2):  # before the next start has noted it, and after
            text = device.expect(0, "status").stdout
            assert "Active image is: 2" in text and "Failing Target: 2" in text, text
            assert "Rollback Target: 1" in text and "Pending" not in text, text
            result = device.expect(40, "run")
            assert f"{NAME}-2 runs and has failed: 'rollback' leaves it" in result.stderr, result
        result = device.expect(18, "check", "--src-dir", bundle)
        assert f"{NAME}-1" in result.stdout, result
        device.expect(100, "rollback")
        assert device.deployments()[0] == lab.commits[1]
        device.expect(0, "run")
        assert device.state()["current"]["name"] == f"{NAME}-1"


main()
