#!/usr/bin/python3
"""Apps on a device, with a real Docker engine and a real Compose program."""
import json
import os
import pathlib
import random
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from app_lab import AppLab, set_apps, two_systems  # noqa: E402
from app_maker import Service, tar  # noqa: E402
from container_engine import DockerEngine  # noqa: E402
from tap import main, test  # noqa: E402


@test("the apps of the release that runs are brought in, started and told by status")
def _(tmp):
    lab = AppLab(tmp)
    web = lab.apps.app("web", {"web": Service(), "db": Service(index=True)},
                       files=[("conf/web.conf", b"one", 0o600)])
    lab.add_release(1, [web])
    with lab.device(ENGINE) as device:
        result = device.expect(17, "check", "--src-dir", lab.bundle_of([1]))
        assert "web: not running" in result.stdout, result
        device.expect(17, "list")
        device.expect(0, "update", "--src-dir", lab.bundle_of([1]))
        assert ENGINE.running() == [web.sha256] * 2, ENGINE.containers()
        assert (device.folder / "compose-apps/web/conf/web.conf").read_text() == "one"
        assert (device.folder / "compose-apps/web/conf/web.conf").stat().st_mode & 0o777 == 0o600
        target = json.loads(device.expect(0, "status", "--json", "1").stdout)["applied_target"]
        assert target["apps"] == [{"name": "web", "uri": web.uri, "on": True, "running": True}]
        device.expect(0, "check", "--src-dir", lab.bundle_of([1]))
        assert all(name.startswith("localhost/satchel/") for name in ENGINE.images())


def three_apps(lab, **changed):
    """One release with three apps; @changed: markers of those that differ."""
    return [lab.apps.app(name, {"one": Service(marker=changed.get(name, name))})
            for name in ("alpha", "beta", "gamma")]


@test("an update of one app of three leaves the others running, and needs no reboot")
def _(tmp):
    lab = AppLab(tmp)
    first, second = three_apps(lab), three_apps(lab, beta="2")
    lab.add_release(1, first)
    lab.add_release(2, second)
    with lab.device(ENGINE) as device:
        device.expect(0, "update", "1", "--src-dir", lab.bundle_of([1, 2]))
        before = ENGINE.get("/containers/json")
        assert ENGINE.running() == sorted(app.sha256 for app in first)
        device.expect(16, "check", "--src-dir", lab.bundle_of([1, 2]))
        device.expect(0, "update", "--src-dir", lab.bundle_of([1, 2]))
        assert ENGINE.running() == sorted(app.sha256 for app in second)
        kept = {entry["Id"] for entry in before} & {
            entry["Id"] for entry in ENGINE.get("/containers/json")}
        assert len(kept) == 2, ENGINE.containers()
        assert device.state()["current"]["name"] == lab.names[2]
        # The image that nobody needs any more is gone, from engine and store.
        assert len(ENGINE.images()) == 3, ENGINE.images()
        assert not (device.folder / "reset-apps/apps/beta" / first[1].sha256).exists()
        device.expect(40, "run")


@test("an app that a release has no more, or that is switched off, is stopped and cleaned up")
def _(tmp):
    lab = AppLab(tmp)
    apps = three_apps(lab)
    lab.add_release(1, apps)
    lab.add_release(2, apps[:2])
    with lab.device(ENGINE) as device:
        bundle = lab.bundle_of([1, 2])
        device.expect(0, "update", "1", "--src-dir", bundle)
        kept = device.folder / "compose-apps/gamma/data"
        kept.write_text("of a service")
        device.expect(0, "update", "--src-dir", bundle)
        assert ENGINE.running() == sorted(app.sha256 for app in apps[:2])
        # What a service has written is nobody's to remove.
        assert [entry.name for entry in kept.parent.iterdir()] == ["data"]
        set_apps(device, 'compose_apps = "alpha"\n')
        result = device.expect(17, "check", "--src-dir", bundle)
        assert "beta: not to run any more" in result.stdout, result
        device.expect(0, "update", "--src-dir", bundle)
        assert ENGINE.running() == [apps[0].sha256]
        assert not (device.folder / "compose-apps/beta").exists()
        device.expect(0, "check", "--src-dir", bundle)
        status = json.loads(device.expect(0, "status", "--json", "1").stdout)["applied_target"]
        assert [(app["on"], app["running"]) for app in status["apps"]] == [
            (True, True), (False, False)]


@test("a shortlist asks the bundle for nothing else; reset_apps are kept without running")
def _(tmp):
    lab = AppLab(tmp)
    apps = three_apps(lab)
    lab.add_release(1, apps)
    bundle = lab.bundle_of([1])
    (bundle / "apps/blobs/sha256" / apps[2].blobs["one"]["config"]).unlink()
    (bundle / "apps/blobs/sha256" / apps[2].sha256).unlink()
    with lab.device(ENGINE) as device:
        result = device.expect(8, "check", "--src-dir", bundle)
        assert "gamma" in result.stderr, result
        set_apps(device, 'compose_apps = "alpha"\nreset_apps = "beta"\n')
        device.expect(0, "update", "--src-dir", bundle)
        assert ENGINE.running() == [apps[0].sha256]
        assert sorted(entry.name for entry in (device.folder / "reset-apps/apps").iterdir()) == [
            "alpha", "beta"]


@test("delayed apps start with run, and a cancelled installation leaves those before")
def _(tmp):
    lab = AppLab(tmp)
    first = lab.apps.app("web", {"web": Service()})
    second = lab.apps.app("web", {"web": Service(marker="2")})
    lab.add_release(1, [first])
    lab.add_release(2, [second])
    with lab.device(ENGINE) as device:
        bundle = lab.bundle_of([1, 2])
        delayed = ["--install-mode", "delay-app-install"]
        device.expect(0, "pull", "1", "--src-dir", bundle)
        device.expect(10, "install", "1", *delayed)
        assert ENGINE.running() == []
        device.expect(30, "install")
        device.expect(0, "run")
        assert ENGINE.running() == [first.sha256]
        device.expect(10, "update", "--src-dir", bundle, *delayed)
        assert device.state()["pending"]["name"] == lab.names[2]
        device.expect(0, "rollback")
        assert ENGINE.running() == [first.sha256]
        assert [target["name"] for target in device.state()["failing"]] == [lab.names[2]]


@test("apps of a new system start after the reboot; those that fail lead back")
def _(tmp):
    lab = AppLab(tmp)
    good = [lab.apps.app("web", {"web": Service(marker=str(n))}) for n in range(2)]
    bad = lab.apps.app("web", {"web": Service(command=["false"])})
    lab.add_release(1, good[:1])
    lab.add_release(2, good[1:], new_system=True)
    lab.add_release(3, [bad], new_system=True)
    with lab.device(ENGINE) as device:
        bundle = lab.bundle_of([1, 2, 3])
        device.expect(0, "update", "1", "--src-dir", bundle)
        device.expect(100, "update", "2", "--src-dir", bundle)
        assert ENGINE.running() == [], "they are made, and wait for the reboot"
        assert list(ENGINE.containers().values()) == [("created", good[1].sha256)]
        device.expect(0, "run")
        assert ENGINE.running() == [good[1].sha256]
        device.expect(100, "update", "--src-dir", bundle)
        result = device.expect(120, "run")
        assert "app web: service web has ended with status 1" in result.stderr, result
        assert [target["name"] for target in device.state()["failing"]] == [lab.names[3]]
        device.expect(0, "run")
        assert ENGINE.running() == [good[1].sha256]
        assert device.state()["current"]["name"] == lab.names[2]


@test("what the configuration switches off is not done: to stop, to make, to prune")
def _(tmp):
    lab, apps = two_systems(tmp)
    with lab.device(ENGINE, pacman="stop_apps_before_update = false\n"
                    "create_containers_before_reboot = false\ndocker_prune = false\n") as device:
        device.expect(0, "update", "1", "--src-dir", lab.bundle_of([1, 2]))
        device.expect(100, "update", "2", "--src-dir", lab.bundle_of([1, 2]))
        assert list(ENGINE.containers().values()) == [("running", apps[0].sha256)]
        device.expect(0, "run")
        assert list(ENGINE.containers().values()) == [("running", apps[1].sha256)]
        assert len(ENGINE.images()) == 2, ENGINE.images()


@test("a boot loader that goes back has the old apps run again")
def _(tmp):
    lab, apps = two_systems(tmp)
    with lab.device(ENGINE) as device:
        device.expect(0, "update", "1", "--src-dir", lab.bundle_of([1, 2]))
        device.expect(100, "update", "--src-dir", lab.bundle_of([1, 2]))
        device.boot_old()
        device.expect(110, "run")
        assert ENGINE.running() == [apps[0].sha256]


@test("what was stopped, by a power cut or by a person, is started by run and by update")
def _(tmp):
    lab = AppLab(tmp)
    web = lab.apps.app("web", {"web": Service(), "db": Service()})
    lab.add_release(1, [web])
    bundle = lab.bundle_of([1])
    with lab.device(ENGINE) as device:
        device.expect(0, "update", "--src-dir", bundle)
        for status, words in [(40, ["run"]), (0, ["update", "--src-dir", bundle])]:
            for entry in ENGINE.get("/containers/json"):
                ENGINE.request("POST", f"/containers/{entry['Id']}/stop")
            device.expect(17, "check", "--src-dir", bundle)
            assert ENGINE.running() == []
            device.expect(status, *words)
            assert ENGINE.running() == [web.sha256] * 2, words
        ENGINE.clear()
        nowhere = {"DOCKER_HOST": f"unix://{tmp}/nowhere"}
        set_apps(device, satchel="apps_engine_wait_s = 1\n")
        result = device.expect(40, "run", env=nowhere)
        assert "are not started" in result.stderr and "for 1 s" in result.stderr, result


@test("a Compose program that is cut off between two services is no start of both")
def _(tmp):
    lab = AppLab(tmp)
    web = lab.apps.app("web", {"one": Service(), "two": Service(),
                               "odd": Service(more={"profiles": ["odd"]})})
    lab.add_release(1, [web])
    compose = tmp / "compose"
    # The power goes when the first one runs.
    compose.write_text("#!/bin/sh\ndocker-compose \"$@\" one && kill -KILL $PPID\n")
    compose.chmod(0o755)
    with lab.device(ENGINE) as device:
        bundle = lab.bundle_of([1])
        device.expect(10, "update", "--src-dir", bundle, "--install-mode", "delay-app-install")
        good = device.config.read_text()
        device.config.write_text(good.replace('"docker-compose"', f'"{compose}"'))
        assert device.run("run").returncode == -signal.SIGKILL
        device.config.write_text(good)
        assert ENGINE.running() == [web.sha256]
        device.expect(0, "run")
        assert ENGINE.running() == [web.sha256] * 2
        # The same, once it is confirmed.
        name = next(name for name in ENGINE.containers() if "two" in name)
        ENGINE.request("DELETE", f"/containers/{name}?force=1")
        device.expect(17, "check", "--src-dir", bundle)
        status = json.loads(device.expect(0, "status", "--json", "1").stdout)["applied_target"]
        assert [app["running"] for app in status["apps"]] == [False]
        device.expect(40, "run")
        assert ENGINE.running() == [web.sha256] * 2
        device.expect(0, "check", "--src-dir", bundle)


@test("an app that has done its work and ended is as it should be, and does it anew at a start")
def _(tmp):
    lab = AppLab(tmp)
    job = lab.apps.app("job", {"one": Service(command=["true"])})
    lab.add_release(1, [job])
    bundle = lab.bundle_of([1])

    def started():
        return [ENGINE.get(f"/containers/{entry['Id']}/json")["State"]["StartedAt"]
                for entry in ENGINE.get("/containers/json?all=1")]
    with lab.device(ENGINE) as device:
        device.expect(0, "update", "--src-dir", bundle)
        device.expect(0, "check", "--src-dir", bundle)
        status = json.loads(device.expect(0, "status", "--json", "1").stdout)["applied_target"]
        assert [app["running"] for app in status["apps"]] == [False]
        before = started()
        device.expect(40, "run")
        assert len(before) == 1 and started() != before


@test("an app whose folder is another version's is put in its place anew")
def _(tmp):
    lab = AppLab(tmp)
    web = lab.apps.app("web", {"web": Service()}, files=[(".config/x", b"x", 0o644)])
    lab.add_release(1, [web])
    bundle = lab.bundle_of([1])
    with lab.device(ENGINE) as device:
        device.expect(0, "update", "--src-dir", bundle)
        folder = device.folder / "compose-apps/web"
        good = (folder / ".satchel.json").read_text()
        (folder / ".satchel.json").write_text(good.replace(web.sha256, "0" * 64))
        (folder / ".config/x").write_text("of another version")
        before = ENGINE.containers()
        device.expect(17, "check", "--src-dir", bundle)
        device.expect(0, "update", "--src-dir", bundle)
        assert (folder / ".satchel.json").read_text() == good
        assert (folder / ".config/x").read_text() == "x"
        assert ENGINE.containers() == before


@test("a stick brings the apps of the release that runs, and starts those that do not run")
def _(tmp):
    lab = AppLab(tmp)
    web = lab.apps.app("web", {"web": Service()})
    lab.add_release(1, [web])
    stick = lab.bundle_of([1])
    for top, folders, files in os.walk(stick):
        for name in folders + files:
            path = pathlib.Path(top) / name
            path.chmod(0o755 if path.is_dir() else 0o644)
    with lab.device(ENGINE) as device:
        # Nobody has told the device so far what it runs.
        result = device.expect(0, "media", stick)
        assert ENGINE.running() == [web.sha256], result
        result = device.expect(0, "media", stick)
        assert "nothing to do" in result.stderr, result
        for entry in ENGINE.get("/containers/json"):
            ENGINE.request("POST", f"/containers/{entry['Id']}/stop")
        result = device.expect(0, "media", stick)
        assert "Syncing the apps" in result.stderr, result
        assert ENGINE.running() == [web.sha256], result


@test("an image of several layers and more than 200 MB is loaded whole")
def _(tmp):
    lab = AppLab(tmp)
    layers = [tar([(f"large-{n}", random.Random(n).randbytes(70 << 20), 0o644)]) for n in range(3)]
    web = lab.apps.app("web", {"web": Service(
        command=["sh", "-c", "exec sleep $(test -s /large-0 && test -s /large-2 && echo 100000)"],
        layers=layers)})
    lab.add_release(1, [web])
    with lab.device(ENGINE) as device:
        device.expect(0, "update", "--src-dir", lab.bundle_of([1]))
        assert ENGINE.running() == [web.sha256], ENGINE.containers()
        assert ENGINE.get("/images/json")[0]["Size"] > 200e6
    ENGINE.clear()


if __name__ == "__main__":
    with DockerEngine() as ENGINE:
        main()
