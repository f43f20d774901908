#!/usr/bin/python3
"""From blobs on the device to an app that runs: satchel-installer beside `skopeo copy`, which only
loads, into the same Docker engine. By turns, so that the load of the machine is the same for both.
"""
import os
import pathlib
import shutil
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import measures  # noqa: E402
from app_lab import AppLab  # noqa: E402
from app_maker import Service, tar  # noqa: E402
from container_engine import DockerEngine  # noqa: E402
from kill_sweep import Snapshot  # noqa: E402
from run_once import run_once_writing  # noqa: E402
from tap import program  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "5"))
SIZES_MB = [int(size) for size in os.environ.get("SIZES_MB", "256 128 64 52").split()]
IMAGE = "bench/large:1"


class Engine(DockerEngine):
    driver = "overlay2"


def layout_of(folder, apps, app):
    """The same blobs as a folder in OCI's layout, for skopeo."""
    (folder / "blobs").mkdir(parents=True)
    (folder / "blobs/sha256").symlink_to(apps.folder / "blobs/sha256")
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    manifest = app.blobs["web"]["manifest"]
    size = apps.blob_path(manifest).stat().st_size
    (folder / "index.json").write_text(
        '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",'
        f'"digest":"sha256:{manifest}","size":{size},'
        '"annotations":{"org.opencontainers.image.ref.name":"large"}}]}')
    return folder


def median(runs, field):
    return statistics.median(run[field] for run in runs)


def row(what, runs):
    print(f"{what:34} {median(runs, 0):7.2f} s  cpu {median(runs, 1):6.2f} s  memory "
          f"{max(run[2] for run in runs) / 1024:6.1f} MiB  written {median(runs, 3) / 1e6:7.1f} MB")


def measure(device, engine, layout):
    """Lists of runs by what ran."""
    load = [str(program("satchel-installer")), "install", "-c", str(device.config), "1",
            "--install-mode", "delay-app-install", "--quiet"]
    start = [str(program("satchel-installer")), "run", "-c", str(device.config), "--quiet"]
    copy = ["/usr/bin/skopeo", "copy", "--quiet", "--insecure-policy", f"oci:{layout}:large",
            f"docker-daemon:{IMAGE}", "--dest-daemon-host", engine.env["DOCKER_HOST"]]
    commands = {"load": load, "start": start, "skopeo": copy}
    runs = {name: [] for name in commands}
    snapshot = Snapshot(device, [device.folder / "compose-apps"])
    os.environ.update(engine.env, OSTREE_SYSROOT_DEBUG="mutable-deployments")
    for _ in range(ROUNDS):
        snapshot.restore()
        for name, status in (("load", 10), ("start", 0), ("skopeo", 0)):
            if name != "start":
                engine.clear()
                os.sync()
            runs[name].append(run_once_writing(commands[name], status))
    return runs, commands


def main():
    tmp = pathlib.Path(tempfile.mkdtemp(prefix="bench-app-", dir="/var/tmp"))
    tempfile.tempdir = str(tmp)
    try:
        lab = AppLab(tmp)
        web = lab.apps.app("web", {"web": Service(layers=[
            tar([(f"large-{size}", os.urandom(size << 20), 0o644)]) for size in SIZES_MB])})
        lab.add_release(1, [web])
        (tmp / "engine").mkdir()
        with Engine(tmp / "engine") as engine, lab.device(engine) as device:
            (device.folder / "compose-apps").mkdir()
            device.expect(0, "pull", "1", "--src-dir", lab.bundle_of([1]))
            layout = layout_of(tmp / "layout", lab.apps, web)
            runs, commands = measure(device, engine, layout)
    finally:
        shutil.rmtree(tmp, ignore_errors=True)
    row("satchel-installer install (loads)", runs["load"])
    row("satchel-installer run (starts)", runs["start"])
    row("skopeo copy oci: docker-daemon:", runs["skopeo"])
    ours = [one[0] + two[0] for one, two in zip(runs["load"], runs["start"])]
    theirs = [run[0] for run in runs["skopeo"]]
    ratio = statistics.median(mine / other for mine, other in zip(ours, theirs))
    measures.note("500 MB of blobs to a running app, wall time", f"{statistics.median(ours):.1f} s",
                  f"{statistics.median(theirs):.1f} s, skopeo copy, which only loads", 1, ratio,
                  ROUNDS, commands)
    measures.note("the same, the loading alone", f"{median(runs['load'], 0):.1f} s",
                  f"{statistics.median(theirs):.1f} s", 1,
                  statistics.median(one[0] / two for one, two in zip(runs["load"], theirs)),
                  ROUNDS, commands)
    measures.note("the same, peak memory, MiB", f"{max(run[2] for run in runs['load']) / 1024:.1f} MiB",
                  f"{max(run[2] for run in runs['skopeo']) / 1024:.1f} MiB", 32,
                  max(run[2] for run in runs["load"]) / 1024, ROUNDS, commands)
    measures.note("the same, MB written by the process itself",
                  f"{median(runs['load'], 3) / 1e6:.1f} MB",
                  f"{median(runs['skopeo'], 3) / 1e6:.1f} MB", 5, median(runs["load"], 3) / 1e6,
                  ROUNDS, commands)


main()
