"""Stand-ins for the boot loaders' tools: fw_setenv, fw_printenv, fiovb_… and fioefi_….

    tools = BootTools(tmp / "tools", "fiovb")
    tools["bootcount"] = "0"
    device.run("install", env=tools.env)
    assert tools.writes() == [...]

They are what the real ones are to an updater: programs on PATH that print and set variables, with
the same words where one has no value. Each call is logged.
"""
import os
import pathlib
import shutil

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = {"uboot_generic": "fw", "uboot_masked": "fw", "fiovb": "fiovb", "fioefi": "fioefi"}


class BootTools:
    """The tools of one boot loader, and its variables."""

    def __init__(self, folder, mode):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        for name in ("printenv", "setenv"):
            shutil.copy(HERE / f"boot_{name}.sh", self.folder / f"{TOOLS[mode]}_{name}")
        self.env = {"PATH": f"{self.folder}:{os.environ['PATH']}"}

    def __setitem__(self, name, value):
        (self.folder / f"value.{name}").write_text(f"{value}\n")

    def __getitem__(self, name):
        file = self.folder / f"value.{name}"
        return file.read_text().strip() if file.exists() else None

    def break_(self, name=None, broken=True):
        """Lets every call fail, or the setting of one variable."""
        file = self.folder / (f"broken.{name}" if name else "broken")
        if broken:
            file.touch()
        else:
            file.unlink()

    def writes(self):
        """What was set since the last call, as "NAME VALUE"."""
        log = self.folder / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return [" ".join(line.split()[1:3]) for line in lines if line.startswith("set ")]

    def log(self):
        return (self.folder / "log").read_text()
