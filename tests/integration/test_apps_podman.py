#!/usr/bin/python3
"""Apps on a device whose engine is Podman, by the API that it shares with Docker."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from app_lab import AppLab, set_apps  # noqa: E402
from app_maker import Service  # noqa: E402
from container_engine import PodmanEngine  # noqa: E402
from tap import main, test  # noqa: E402


@test("Podman loads, starts, tells of, replaces and removes apps")
def _(tmp):
    lab = AppLab(tmp)
    first = lab.apps.app("web", {"web": Service()})
    second = lab.apps.app("web", {"web": Service(marker="2")})
    lab.add_release(1, [first])
    lab.add_release(2, [second])
    bundle = lab.bundle_of([1, 2])
    with PodmanEngine() as engine, lab.device(engine) as device:
        device.expect(0, "update", "1", "--src-dir", bundle)
        assert engine.running() == [first.sha256], engine.containers()
        assert all(name.startswith("localhost/satchel/") for name in engine.images())
        device.expect(0, "update", "--src-dir", bundle)
        assert engine.running() == [second.sha256], engine.containers()
        assert len(engine.images()) == 1, engine.images()
        status = json.loads(device.expect(0, "status", "--json", "1").stdout)["applied_target"]
        assert [app["running"] for app in status["apps"]] == [True]
        set_apps(device, 'compose_apps = "none"\n')
        device.expect(0, "update", "--src-dir", bundle)
        assert engine.containers() == {}


if __name__ == "__main__":
    main()
