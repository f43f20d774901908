"""Builds the system whose virtual machine runs apps: that of guest_image.py with Docker's engine and
Compose, and releases that have an app, "web".

    image = engine_image.build()

Release 1 is on the disk, without its app. In bundles/: first (release 1 and its app), second (a new
system and another version of the app), failing (a third, whose app does not run).
"""
import pathlib
import tempfile

import guest_image
from app_lab import AppLab
from app_maker import Service
from device_lab import NAME, sh
from tap import ROOT
from guest_image import CACHE, commit_release, make_base, make_disk, new_lab, say

PACKAGES = guest_image.PACKAGES + ("docker.io", "docker-compose")
# Programs for people and tests, in tens of megabytes.
PRUNED = guest_image.PRUNED + ("usr/bin/docker", "usr/bin/ctr", "usr/bin/containerd-stress",
                               "usr/lib/python3*/test", "usr/share/docker.io/contrib")
# Three systems, and apps only where a fifth is free.
ROOT_MIB = 2048
# Nothing of the machine's network is touched; the service has none.
DAEMON = '{"iptables": false, "bridge": "none"}\n'
# Behind the other file by its name, so that it counts.
SETTINGS = """\
[pacman]
type = "ostree+compose_apps"
docker_compose_bin = "docker-compose"
"""


def add_engine(top):
    (top / "etc/docker").mkdir(exist_ok=True)
    (top / "etc/docker/daemon.json").write_text(DAEMON)
    (top / "usr/lib/sota/conf.d/with-apps.toml").write_text(SETTINGS)
    # What is compiled to stay is found by time, and in a deployment all times are 0.
    sh("chroot", top, "python3", "-m", "compileall", "-q", "-f", "--invalidation-mode",
       "unchecked-hash", "/usr/lib/python3")
    # Docker's socket starts it where there are apps; a boot without waits for nothing.
    for unit in ("docker.service", "containerd.service"):
        (top / "etc/systemd/system/multi-user.target.wants" / unit).unlink()
    assert (top / "etc/systemd/system/sockets.target.wants/docker.socket").is_symlink()


def make_image(folder, base, kernel):
    """Gives the commits of its releases."""
    lab = new_lab(AppLab, folder / "lab")
    good = [lab.apps.app("web", {"web": Service(marker=str(release))}) for release in (1, 2)]
    bad = lab.apps.app("web", {"web": Service(command=["false"])})
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        work = pathlib.Path(name)
        for release, app in enumerate((*good, bad), 1):
            say(f"guest with an engine: release {release}")
            commit_release(lab, base, kernel, release, work, add_engine, [app.pair])
        make_disk(folder / "disk", lab, work, ROOT_MIB)
    (folder / "bundles").mkdir()
    for release, bundle in enumerate(("first", "second", "failing"), 1):
        lab.bundle([release], "--apps", lab.apps.folder, "--from", f"{NAME}-{max(release - 1, 1)}"
                   ).rename(folder / "bundles" / bundle)
    return lab.commits


def build():
    """The image of this tree's programs, made if it is not there."""
    CACHE.mkdir(parents=True, exist_ok=True)
    base = make_base("engine-base", PACKAGES, PRUNED)
    return guest_image.build_with("engine-image", base, make_image, pathlib.Path(__file__),
                                    *(ROOT / "tests/support" / name
                                      for name in ("app_lab.py", "app_maker.py")))


if __name__ == "__main__":
    print(build().folder)
