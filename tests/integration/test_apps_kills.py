#!/usr/bin/python3
"""SIGKILL at any write of what brings and starts apps: the next command finishes it."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from app_lab import AppLab  # noqa: E402
from app_maker import Service, sha256  # noqa: E402
from container_engine import DockerEngine  # noqa: E402
from kill_sweep import KILLED, WRITES, Killer, Snapshot, check_state, kill_sweep, sample  # noqa: E402
from tap import main, test  # noqa: E402


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


if __name__ == "__main__":
    with DockerEngine() as ENGINE:
        main()
