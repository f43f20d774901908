"""Devices with apps: device_lab.py's, an app store for their bundles, an engine to run them."""
from app_maker import AppMaker, Service
from device_lab import Lab

# `docker-compose` and not `docker compose`: the one that Debian has.
PACMAN = """\
docker_compose_bin = "docker-compose"
reset_apps_root = "{folder}/reset-apps"
compose_apps_root = "{folder}/compose-apps"
{more}"""


def set_apps(device, pacman="", satchel=""):
    """Further lines of the configuration's sections."""
    if "settle" not in satchel:
        satchel += "apps_settle_s = 0\n"
    device.write_config(f"[satchel]\n{satchel}",
                        PACMAN.format(folder=device.folder, more=pacman),
                        "ostree+compose_apps")


class AppLab(Lab):
    """Releases with apps; all of them share one commit unless they are told otherwise."""

    def __init__(self, folder):
        super().__init__(folder, releases=())
        self.apps = AppMaker(self.new_folder("apps"))
        self.bundles = {}

    def add_release(self, version, apps=(), new_system=False, **more):
        commit = None
        if self.commits and not new_system:
            commit = self.commits[max(self.commits)]
        self.release(version, commit=commit, apps=[app.pair for app in apps], **more)
        self.bundles.clear()

    def bundle_of(self, versions):
        """One with the whole store in it, made once."""
        key = tuple(versions)
        if key not in self.bundles:
            self.bundles[key] = self.apps.put_into(self.odd_bundle(versions))
        return self.bundles[key]

    def device(self, engine, version=1, *, pacman="", satchel="", **kwargs):
        """A device on the commit of that release, and its engine with nothing in it."""
        engine.clear()
        device = super().device(version, **kwargs)
        device.env = dict(engine.env)
        set_apps(device, pacman, satchel)
        return device


def two_systems(folder):
    """A lab whose releases 1 and 2 are systems of their own, and what each has of one app."""
    lab = AppLab(folder)
    apps = [lab.apps.app("web", {"web": Service(marker=str(n))}) for n in range(2)]
    lab.add_release(1, apps[:1])
    lab.add_release(2, apps[1:], new_system=True)
    return lab, apps
