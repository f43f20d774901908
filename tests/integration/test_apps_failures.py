#!/usr/bin/python3
"""Apps that do not come up, and engines that do not stay up: the way back."""
import pathlib
import sys
import random

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from app_lab import AppLab  # noqa: E402
from app_maker import Service, tar  # noqa: E402
from container_engine import DockerEngine, EngineCutter  # noqa: E402
from tap import main, test  # noqa: E402


def expect_failing_app(tmp, service, reason, satchel=""):
    """An update to an app that does not come up ends with the one before, and says why."""
    lab = AppLab(tmp)
    first = lab.apps.app("web", {"web": Service()})
    lab.add_release(1, [first])
    lab.add_release(2, [lab.apps.app("web", {"web": service})])
    with lab.device(ENGINE, satchel=satchel) as device:
        bundle = lab.bundle_of([1, 2])
        device.expect(0, "update", "1", "--src-dir", bundle)
        result = device.expect(110, "update", "--src-dir", bundle)
        assert reason in result.stderr, result
        assert ENGINE.running() == [first.sha256], ENGINE.containers()
        assert [target["name"] for target in device.state()["failing"]] == [lab.names[2]]
        device.expect(0, "check", "--src-dir", bundle)


@test("a service that ends at once is a failure, and the app before it runs again")
def _(tmp):
    expect_failing_app(tmp, Service(command=["sh", "-c", "exit 3"]), "ended with status 3")


@test("a service that is started again and again is a failure when its time is over")
def _(tmp):
    expect_failing_app(tmp, Service(command=["false"], more={"restart": "always"}), "after 8 s",
                       "apps_start_timeout_s = 8\napps_settle_s = 2\n")


@test("a service whose health check never turns good is a failure")
def _(tmp):
    check = {"test": ["CMD", "false"], "interval": "1s", "timeout": "5s", "retries": 1}
    expect_failing_app(tmp, Service(more={"healthcheck": check}), "is unhealthy")


@test("a service that has done its work and ended is as good as one that runs")
def _(tmp):
    lab = AppLab(tmp)
    app = lab.apps.app("web", {"web": Service(), "setup": Service(command=["true"])})
    lab.add_release(1, [app])
    with lab.device(ENGINE) as device:
        device.expect(0, "update", "--src-dir", lab.bundle_of([1]))
        device.expect(0, "check", "--src-dir", lab.bundle_of([1]))


@test("apps that fail where nothing was before leave nothing to go back to: 130")
def _(tmp):
    lab = AppLab(tmp)
    lab.add_release(1, [lab.apps.app("web", {"web": Service(command=["false"])})])
    with lab.device(ENGINE) as device:
        bundle = lab.bundle_of([1])
        device.expect(0, "pull", "--src-dir", bundle)
        device.expect(130, "install")
        assert [target["name"] for target in device.state()["failing"]] == [lab.names[1]]
        device.expect(21, "update", "--src-dir", bundle)
        device.expect(130, "update", "1", "--src-dir", bundle)
        device.expect(10, "update", "1", "--src-dir", bundle, "--install-mode",
                      "delay-app-install")
        device.expect(130, "run")


@test("an engine that dies in the middle of a load changes nothing: 80, and then again")
def _(tmp):
    lab = AppLab(tmp)
    large = tar([("large", random.Random(1).randbytes(8 << 20), 0o644)])
    first = lab.apps.app("web", {"web": Service()})
    second = lab.apps.app("web", {"web": Service(marker="2", layers=[large])})
    lab.add_release(1, [first])
    lab.add_release(2, [second])
    with lab.device(ENGINE) as device:
        bundle = lab.bundle_of([1, 2])
        device.expect(0, "update", "1", "--src-dir", bundle)
        with EngineCutter(ENGINE, tmp / "s", 4 << 20) as cutter:
            result = device.expect(80, "update", "--src-dir", bundle, env=cutter.env)
        assert "app web: image hub.example.com/factory/web-web" in result.stderr, result
        assert "pending" not in device.state() and device.state()["failing"] == []
        ENGINE.start(again=True)
        device.expect(0, "install")
        assert second.sha256 in ENGINE.running()


if __name__ == "__main__":
    with DockerEngine() as ENGINE:
        main()
