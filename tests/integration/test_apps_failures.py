#!/usr/bin/python3
"""Apps that do not come up, and engines that do not stay up: the way back."""
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from app_lab import AppLab, two_systems  # noqa: E402
from app_maker import Service, tar  # noqa: E402
from container_engine import DockerEngine, EngineCutter  # noqa: E402
from tap import DEFAULT_TIMEOUT_S, main, program, test  # noqa: E402


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


@test("a Compose program that ends with an error is a failure")
def _(tmp):
    expect_failing_app(tmp, Service(command=["no-such-program"]), "no-such-program")


@test("a Compose program that fails once, as where the engine was started anew, is run again")
def _(tmp):
    device, web = pending_app(tmp)
    compose = tmp / "compose"
    compose.write_text(f"#!/bin/sh\n[ -e '{tmp}/once' ] || {{ touch '{tmp}/once'; exit 1; }}\n"
                       "exec docker-compose \"$@\"\n")
    compose.chmod(0o755)
    with device:
        device.config.write_text(device.config.read_text().replace('"docker-compose"',
                                                                   f'"{compose}"'))
        device.expect(0, "run")
        assert ENGINE.running() == [web.sha256]


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


@test("what runs and did well before is no failing target when its apps do not start again")
def _(tmp):
    lab = AppLab(tmp)
    check = {"test": ["CMD", "sh", "-c", "test ! -e /data/ill"], "interval": "1s", "retries": 1}
    volume = {"volumes": ["./data:/data"]}
    web = lab.apps.app("web", {
        "web": Service(command=["sh", "-c", "test ! -e /data/bad && exec sleep 100000"],
                       more=volume),
        "ill": Service(more={"healthcheck": check, **volume})}, files=[("data/x", b"x", 0o644)])
    lab.add_release(1, [lab.apps.app("web", {"web": Service()})])
    lab.add_release(2, [web], new_system=True)
    with lab.device(ENGINE) as device:
        bundle = lab.bundle_of([1, 2])
        data = device.folder / "compose-apps/web/data"

        def stop():
            for entry in ENGINE.get("/containers/json"):
                ENGINE.request("POST", f"/containers/{entry['Id']}/stop")
        device.expect(0, "update", "1", "--src-dir", bundle)
        device.expect(100, "update", "--src-dir", bundle)
        device.expect(0, "run")
        stop()
        (data / "bad").touch()
        result = device.expect(130, "update", "--src-dir", bundle)
        assert "it stays the release that runs" in result.stderr, result
        state = device.state()
        assert state["failing"] == [] and state["current"]["name"] == lab.names[2], state
        assert state["events"][-1]["event"] == "failed", state
        device.expect(17, "check", "--src-dir", bundle)
        (data / "bad").unlink()
        device.expect(0, "update", "--src-dir", bundle)
        # Nothing is to be decided at a boot like this: nobody waits for a verdict.
        stop()
        (data / "ill").touch()
        result = device.expect(40, "run")
        assert "not started" not in result.stderr and len(ENGINE.running()) == 2, result


@test("a disk that is full when apps start is no fault of the target's")
def _(tmp):
    lab = AppLab(tmp)
    apps = [lab.apps.app("web", {"web": Service(marker=str(n))},
                         files=[("full", b"", 0o644)] if n else []) for n in range(2)]
    lab.add_release(1, apps[:1])
    lab.add_release(2, apps[1:])
    lab.add_release(3, apps[1:], new_system=True)
    compose = tmp / "compose"
    compose.write_text('#!/bin/sh\n'
                       '[ "$7" != up ] || [ ! -e "${4%/*}/full" ] || '
                       '{ echo "no space left on device" >&2; exit 1; }\n'
                       'exec docker-compose "$@"\n')
    compose.chmod(0o755)
    with lab.device(ENGINE) as device:
        bundle = lab.bundle_of([1, 2, 3])
        device.config.write_text(device.config.read_text().replace('"docker-compose"',
                                                                   f'"{compose}"'))
        device.expect(0, "update", "1", "--src-dir", bundle)
        device.expect(110, "update", "2", "--src-dir", bundle)
        assert device.state()["failing"] == [] and ENGINE.running() == [apps[0].sha256]
        device.expect(100, "update", "3", "--src-dir", bundle)
        result = device.expect(120, "run")
        assert "no space left" in result.stderr, result
        device.expect(0, "run")
        assert device.state()["failing"] == [] and ENGINE.running() == [apps[0].sha256]
        device.expect(100, "update", "3", "--src-dir", bundle)
        # Without a way back it waits for room.
        state = device.state()
        state["failing"].append(state["current"])
        device.state_file.write_text(json.dumps(state))
        device.expect(130, "run")
        assert device.state()["pending"]["name"] == lab.names[3]
        device.config.write_text(device.config.read_text().replace(str(compose), "docker-compose"))
        device.expect(0, "run")
        assert ENGINE.running() == [apps[1].sha256]


def pending_app(tmp, marker="web", **kwargs):
    """A device on which one app waits for `run`, its image loaded."""
    lab = AppLab(tmp)
    web = lab.apps.app("web", {"web": Service(marker=marker)})
    lab.add_release(1, [web])
    device = lab.device(ENGINE, **kwargs)
    device.expect(10, "update", "--src-dir", lab.bundle_of([1]), "--install-mode",
                  "delay-app-install")
    return device, web


def start(device, *words, env):
    argv = device.argv(*words)
    return subprocess.Popen([os.fspath(program(argv[0])), *argv[1:]], stdin=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, encoding="utf-8",
                            env={**os.environ, **device.env, **env,
                                 "OSTREE_SYSROOT_DEBUG": "mutable-deployments"})


def expect_pending(device):
    state = device.state()
    assert state["pending"]["name"] and state["failing"] == [], state


@test("an engine that is not there at boot is no verdict: the apps wait for the next run")
def _(tmp):
    device, web = pending_app(tmp, satchel="apps_start_timeout_s = 1\n")
    with device:
        result = device.expect(1, "run", env={"DOCKER_HOST": f"unix://{tmp}/nowhere"})
        assert "waits for 'run' still" in result.stderr and "for 1 s" in result.stderr, result
        expect_pending(device)
        device.expect(0, "run")
        assert ENGINE.running() == [web.sha256]


@test("a new system whose engine does not come is left for the one before")
def _(tmp):
    lab, apps = two_systems(tmp)
    with lab.device(ENGINE, satchel="apps_start_timeout_s = 1\n") as device:
        device.expect(0, "update", "1", "--src-dir", lab.bundle_of([1, 2]))
        device.expect(100, "update", "2", "--src-dir", lab.bundle_of([1, 2]))
        device.expect(120, "run", env={"DOCKER_HOST": f"unix://{tmp}/nowhere"})
        assert [target["name"] for target in device.state()["failing"]] == [lab.names[2]]
        device.expect(0, "run")
        assert ENGINE.running() == [apps[0].sha256]


@test("a signal while an engine is silent is no verdict: the apps wait for the next run")
def _(tmp):
    device, web = pending_app(tmp)
    with device, socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp / "s"))
        silent.listen()
        process = start(device, "run", env={"DOCKER_HOST": f"unix://{tmp}/s"})
        silent.settimeout(DEFAULT_TIMEOUT_S)
        with silent.accept()[0]:
            process.send_signal(signal.SIGTERM)
            message = process.communicate(timeout=DEFAULT_TIMEOUT_S)[1]
        assert process.returncode == 1 and "interrupted" in message, message
        expect_pending(device)
        device.expect(0, "run")
        assert ENGINE.running() == [web.sha256]


@test("a signal while the old apps start again takes nothing from the verdict that was noted")
def _(tmp):
    lab, apps = two_systems(tmp)
    with lab.device(ENGINE) as device, socket.socket(socket.AF_UNIX) as silent:
        device.expect(0, "update", "1", "--src-dir", lab.bundle_of([1, 2]))
        silent.bind(str(tmp / "s"))
        silent.listen()
        silent.settimeout(DEFAULT_TIMEOUT_S)
        for status, command in ((110, "run"), (0, "rollback")):
            device.expect(100, "update", "2", "--src-dir", lab.bundle_of([1, 2]))
            if command == "run":
                device.boot_old()
            process = start(device, command, env={"DOCKER_HOST": f"unix://{tmp}/s"})
            with silent.accept()[0]:
                process.send_signal(signal.SIGTERM)
                message = process.communicate(timeout=DEFAULT_TIMEOUT_S)[1]
            assert process.returncode == status and "'run' starts them" in message, message
            assert [target["name"] for target in device.state()["failing"]] == [lab.names[2]]
            device.expect(40, "run")
            assert ENGINE.running() == [apps[0].sha256]


@test("a signal while the Compose program ends for it, too, is no verdict")
def _(tmp):
    device, web = pending_app(tmp)
    compose = tmp / "compose"
    # What a terminal does to all that it runs.
    compose.write_text("#!/bin/sh\nkill -TERM $PPID\nread -r _ </proc/self/mountinfo\nexit 1\n")
    compose.chmod(0o755)
    with device:
        good = device.config.read_text()
        device.config.write_text(good.replace('"docker-compose"', f'"{compose}"'))
        device.expect(1, "run")
        expect_pending(device)
        device.config.write_text(good)
        device.expect(0, "run")
        assert ENGINE.running() == [web.sha256]


@test("an engine that is restarted while apps start is waited for")
def _(tmp):
    device, web = pending_app(tmp)
    with device, EngineCutter(ENGINE, tmp / "s", 4 << 10) as cutter:
        process = start(device, "run", env=cutter.env)
        assert cutter.cut.wait(DEFAULT_TIMEOUT_S)
        ENGINE.start(again=True)
        message = process.communicate(timeout=DEFAULT_TIMEOUT_S)[1]
        assert process.returncode == 0, message
        assert ENGINE.running() == [web.sha256]


@test("an engine that comes late is asked until it is there")
def _(tmp):
    device, web = pending_app(tmp)
    path = tmp / "s"
    with device, socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
        dead.listen()
        dead.settimeout(DEFAULT_TIMEOUT_S)
        process = start(device, "run", env={"DOCKER_HOST": f"unix://{path}"})
        for _ in range(2):
            dead.accept()[0].close()
        path.unlink()
        path.symlink_to(ENGINE.socket)
        dead.close()
        message = process.communicate(timeout=DEFAULT_TIMEOUT_S)[1]
        assert process.returncode == 0, message
        assert ENGINE.running() == [web.sha256]


if __name__ == "__main__":
    with DockerEngine() as ENGINE:
        main()
