#!/usr/bin/python3
"""SIGKILL at any write of what brings and starts apps: the next command finishes it.

    test_apps_kills.py                 a sample of the points at which the program can be killed
    test_apps_kills.py --every-point   all of them, or many: half an hour
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from app_lab import AppLab, two_systems  # noqa: E402
from app_maker import Service, sha256  # noqa: E402
from container_engine import DockerEngine  # noqa: E402
from kill_sweep import KILLED, WRITES, Killer, Snapshot, check_state, kill_sweep, sample  # noqa: E402
from tap import main, test  # noqa: E402

# Each of them means to start containers, twice.
MOST_POINTS = 120


@test(f"killed at {WRITES}, pull can be run again and no blob is wrong")
def _(tmp):
    lab = AppLab(tmp)
    web = lab.apps.app("web", {"web": Service()}, files=[("conf/a", b"a", 0o644)])
    lab.add_release(1, [web])
    bundle = lab.bundle_of([1])
    with lab.device(ENGINE) as device:
        # What the Compose program thinks of it is not what this is about.
        device.config.write_text(device.config.read_text().replace('"docker-compose"', '"true"'))
        store = device.folder / "reset-apps"
        store.mkdir()

        def again(device):
            for blob in store.glob("blobs/sha256/*"):
                assert len(blob.name) != 64 or sha256(blob.read_bytes()) == blob.name, blob
            device.expect(0, "pull", "1", "--src-dir", bundle)
            assert (store / "apps/web" / web.sha256 / "uri").read_text() == web.uri
            assert all(len(blob.name) == 64 for blob in store.glob("blobs/sha256/*"))
        kill_sweep(device, ["pull", "1", "--src-dir", bundle], 12, again, more=[store],
                   env=device.env, steps=False)


@test(f"killed at {WRITES}, an update of apps is finished by the next command")
def _(tmp):
    lab = AppLab(tmp)
    apps = [lab.apps.app("web", {"web": Service(marker=str(n))}, files=[(f"conf/{n}", b"a", 0o644)])
            for n in range(2)]
    lab.add_release(1, apps[:1])
    lab.add_release(2, apps[1:])
    bundle = lab.bundle_of([1, 2])
    with lab.device(ENGINE) as device:
        folders = [device.folder / "reset-apps", device.folder / "compose-apps"]
        device.expect(0, "update", "1", "--src-dir", bundle)
        device.expect(0, "pull", "--src-dir", bundle)

        killer = Killer(device.folder)
        snapshot = Snapshot(device, folders)
        words = ["install"]
        n_points = len(killer.points(device, words, device.env))
        assert n_points > 30, n_points
        for number in sample(n_points, 8, None):
            snapshot.restore()
            ENGINE.clear()
            assert killer.run(device, words, number, device.env).returncode in (KILLED, 0)
            if "pending" in check_state(device):
                device.expect(0, "run")
            elif device.state()["current"]["name"] != lab.names[2]:
                device.expect(0, "install")
            assert ENGINE.running() == [apps[1].sha256], (number, ENGINE.containers())
            assert device.state()["current"]["name"] == lab.names[2]
            assert [one.name for one in (folders[1] / "web/conf").iterdir()] == ["1"], number


class NewSystem:
    """A device that runs release 1 with its app, and a bundle with another system and app."""

    def __init__(self, tmp):
        self.lab, self.apps = two_systems(tmp)
        self.bundle = self.lab.bundle_of([1, 2])
        self.device = self.lab.device(ENGINE)
        self.folders = [self.device.folder / name for name in ("reset-apps", "compose-apps")]
        self.device.expect(0, "update", "1", "--src-dir", self.bundle)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.device.__exit__()

    def start_old(self):
        """The engine as it was before: what lies in its store is its own matter."""
        ENGINE.clear()
        self.device.expect(40, "run")
        assert ENGINE.running() == [self.apps[0].sha256]

    def expect_runs(self, version):
        state = check_state(self.device)
        assert state["current"]["name"] == self.lab.names[version], state
        assert state["failing"] == [] and not {"pending", "installing"} & set(state), state
        assert ENGINE.running() == [self.apps[version - 1].sha256], ENGINE.containers()

    def sweep(self, words, again, before):
        kill_sweep(self.device, words, 4, again, most=MOST_POINTS, env=self.device.env,
                   more=self.folders, steps=False, before=before)


@test("killed at many writes, pull of a new system with apps can be run again")
def _(tmp):
    with NewSystem(tmp) as new:
        def again(device):
            new.expect_runs(1)
            device.expect(0, "pull", "2", "--src-dir", new.bundle)
            for blob in new.folders[0].glob("blobs/sha256/*"):
                assert sha256(blob.read_bytes()) == blob.name, blob
            device.fsck()
            device.expect(100, "install", "2")
        new.sweep(["pull", "2", "--src-dir", new.bundle], again, new.start_old)


@test("killed at many writes, install of a new system with apps leads to one of both, with its apps")
def _(tmp):
    with NewSystem(tmp) as new:
        new.device.expect(0, "pull", "2", "--src-dir", new.bundle)
        turns = iter(range(1 << 20))

        def again(device):
            # By turns the next thing that happens is the command again, and a boot.
            if next(turns) % 2 == 0:
                was_pending = "pending" in device.state()
                device.expect(30 if was_pending else 100, "install", "2")
            booted = 1 + (device.deployments()[0] == new.lab.commits[2])
            device.expect(0 if booted == 2 else 40, "run")
            new.expect_runs(booted)
        new.sweep(["install", "2"], again, new.start_old)


@test("killed at many writes, run of a new system with apps can be run again")
def _(tmp):
    with NewSystem(tmp) as new:
        new.device.expect(100, "update", "2", "--src-dir", new.bundle)

        def again(device):
            was_pending = "pending" in device.state()
            device.expect(0 if was_pending else 40, "run")
            new.expect_runs(2)
        new.sweep(["run"], again, ENGINE.clear)


if __name__ == "__main__":
    with DockerEngine() as ENGINE:
        main()
