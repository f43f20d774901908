#!/usr/bin/python3
"""Boot loaders that count their boots: what they are told and when, in each mode."""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from boot_tools import BootTools  # noqa: E402
from device_lab import Lab, OS  # noqa: E402
from tap import main, test  # noqa: E402

MASKED = ("uboot_masked", "fiovb", "fioefi")
MODES = ("uboot_generic", *MASKED)
FLAGS = ("bootcount", "upgrade_available", "rollback")


def firmware(text):
    """A release that comes with this version file."""
    def change(top):
        (top / "usr/lib/firmware").mkdir()
        (top / "usr/lib/firmware/version.txt").write_text(text)
    return change


class Rig:
    """A device with a boot loader of that mode, a lab with a second release, and its bundle."""

    def __init__(self, tmp, mode, change=None, protected=False, more=""):
        self.lab = Lab(tmp / mode, releases=(1,) if change else (1, 2))
        if change:
            self.lab.release(2, commit=self.lab.commit(2, change))
        self.bundle = self.lab.bundle([1, 2])
        self.tools = BootTools(tmp / mode / "tools", mode)
        for name in FLAGS:
            self.tools[name] = "0"
        if protected:
            self.tools["rollback_protection"] = "1"
        self.device = self.lab.device(config=f'rollback_mode = "{mode}"\n{more}')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.device.__exit__()

    def expect(self, status, *words):
        return self.device.expect(status, *words, env=self.tools.env)

    def update(self, status=100, target="2"):
        return self.expect(status, "update", target, "--src-dir", self.bundle)

    def flags(self):
        return tuple(self.tools[name] for name in FLAGS)


def in_modes(sentence, modes=MODES, **kwargs):
    """A test with a Rig for each mode."""
    def add(body):
        for mode in modes:
            @test(f"{mode}: {sentence}")
            def _(tmp, *, mode=mode):
                with Rig(tmp, mode, **kwargs) as rig:
                    body(rig, mode)
        return body
    return add


@in_modes("armed before the deployment, confirmed by run")
def _(rig, mode):
    masked = mode in MASKED
    rig.tools["bootcount"] = "3"
    rig.tools["rollback"] = "1"
    rig.update()
    expected = (["bootcount 0"] + ["upgrade_available 1"] * masked + ["rollback 0"])
    assert rig.tools.writes() == expected, rig.tools.log()
    rig.tools["bootcount"] = "1"
    rig.expect(0, "run")
    assert rig.tools.writes() == ["bootcount 0"] + ["upgrade_available 0"] * masked
    assert rig.flags() == ("0", "0", "0")
    rig.expect(40, "run")
    assert not rig.tools.writes()  # flash wears out


@in_modes("a boot loader that went back: run 110, and it goes on with the second entry")
def _(rig, mode):
    rig.update()
    rig.device.boot_old()
    rig.tools["bootcount"] = "7"
    rig.tools["rollback"] = "1"
    rig.expect(110, "run")
    assert rig.flags() == ("0", "0", "1")
    # Installed again, the first entry counts once it is written, and not before.
    rig.tools.writes()
    rig.update()
    assert rig.tools.writes()[-1] == "rollback 0"
    assert rig.flags() == ("0", "1" if mode in MASKED else "0", "0")


@in_modes("what an installation that died left armed is taken back by the next start",
          modes=MASKED)
def _(rig, mode):
    rig.tools["bootcount"] = "2"
    rig.tools["upgrade_available"] = "1"
    rig.expect(16, "check", "--src-dir", rig.bundle)
    assert rig.flags() == ("0", "0", "0")


@in_modes("while an installation waits for its reboot nothing is taken back", modes=MASKED)
def _(rig, mode):
    rig.update()
    rig.tools["bootcount"] = "1"
    rig.expect(30, "update", "--src-dir", rig.bundle)
    assert rig.flags() == ("1", "1", "0")


@in_modes("a tool that fails: status 1, nothing deployed, nothing armed")
def _(rig, mode):
    rig.expect(0, "pull", "--src-dir", rig.bundle)
    name = "upgrade_available" if mode in MASKED else "bootcount"
    rig.tools["bootcount"] = "4"
    rig.tools.break_(name)
    before = rig.device.deployments()
    result = rig.expect(1, "install")
    assert re.search(rf"variable {name}: \w+_setenv: exit status 1: cannot write", result.stderr)
    assert rig.device.deployments() == before
    assert rig.tools["upgrade_available"] == "0"
    assert rig.device.state()["failing"] == []
    rig.tools.break_(name, False)
    rig.expect(100, "install")


@in_modes("a tool that is missing: status 1, and its name")
def _(rig, mode):
    rig.expect(0, "pull", "--src-dir", rig.bundle)
    for tool in rig.tools.folder.glob("*_*env"):
        tool.unlink()
    result = rig.expect(1, "install")
    assert re.search(r"f\w+_printenv: .*No such file", result.stderr), result
    assert rig.device.deployments() == [rig.lab.commits[1]]


@in_modes("a deployment that fails leaves nothing armed: 110", modes=MASKED)
def _(rig, mode):
    rig.expect(0, "pull", "--src-dir", rig.bundle)
    (rig.device.sysroot / "boot/.loader.pin").mkdir()  # in the way
    rig.expect(110, "install")
    assert rig.tools.writes() == ["upgrade_available 1", "upgrade_available 0"]
    assert rig.flags() == ("0", "0", "0")


@in_modes("run cannot confirm: status 1, the installation stays pending", modes=MASKED)
def _(rig, mode):
    rig.update()
    rig.tools.break_()
    rig.expect(1, "run")
    assert rig.device.state()["pending"]["name"] == "board-lmp-2"
    rig.tools.break_(broken=False)
    rig.expect(0, "run")
    assert rig.flags() == ("0", "0", "0")


@in_modes("a cut between swap and rollback=0: the next command sets it")
def _(rig, mode):
    rig.tools["rollback"] = "1"
    rig.tools.break_("rollback")
    rig.update(1)
    assert rig.device.deployments()[0] == rig.lab.commits[2]
    rig.tools.break_("rollback", False)
    rig.expect(100, "install")
    assert rig.tools["rollback"] == "0"
    rig.expect(0, "run")


@in_modes("new boot firmware: offered after the deployment, 5 by run while it waits, then 40",
          modes=MASKED, change=firmware("bootfirmware_version=2\n"))
def _(rig, mode):
    rig.tools["bootfirmware_version"] = "1"
    rig.update()
    assert rig.tools["bootupgrade_available"] == "1"
    assert rig.tools.writes()[-1] == "bootupgrade_available 1"
    result = rig.expect(5, "run")
    assert "boot firmware" in result.stderr, result
    rig.tools["bootupgrade_available"] = "0"
    rig.expect(40, "run")


@in_modes("fioefi finds the firmware in the new deployment", modes=("fioefi",),
          change=firmware("bootfirmware_version=2\n"))
def _(rig, mode):
    rig.update()
    found = re.search(r"^set bootupgrade_available 1 (\S+)$", rig.tools.log(), re.M).group(1)
    assert pathlib.Path(found).parent == rig.device.sysroot / f"ostree/deploy/{OS}/deploy"
    assert (pathlib.Path(found) / "usr/lib/firmware/version.txt").exists()


@in_modes("the same boot firmware, or none, is not offered", modes=MASKED,
          change=firmware("bootfirmware_version=1\n"))
def _(rig, mode):
    rig.tools["bootfirmware_version"] = "1"
    rig.update()
    assert rig.tools["bootupgrade_available"] is None
    rig.expect(0, "run")
    rig.update(target="1")
    assert rig.tools["bootupgrade_available"] is None


@in_modes("firmware that cannot be offered is told, and the system is installed", modes=MASKED,
          change=firmware("bootfirmware_version=2\n"))
def _(rig, mode):
    rig.tools.break_("bootupgrade_available")
    result = rig.update()
    assert "boot firmware will not be updated" in result.stderr, result
    rig.expect(0, "run")


@in_modes("firmware that waits for a reboot: install 90, nothing changed; after it 100",
          modes=MASKED)
def _(rig, mode):
    rig.tools["bootupgrade_available"] = "1"
    result = rig.update(90)
    assert "reboot" in result.stderr, result
    assert rig.device.deployments() == [rig.lab.commits[1]]
    assert rig.flags() == ("0", "0", "0")
    assert "pending" not in rig.device.state() and rig.device.state()["failing"] == []
    # What runs already is not held up.
    rig.update(0, target="1")
    rig.tools["bootupgrade_available"] = "0"
    rig.update()


@in_modes("rollback by hand is armed and confirmed like an update", modes=MASKED)
def _(rig, mode):
    rig.update()
    rig.expect(0, "run")
    rig.tools.writes()
    rig.tools["bootupgrade_available"] = "1"
    rig.expect(90, "rollback")
    rig.tools["bootupgrade_available"] = "0"
    assert rig.tools.writes() == []
    rig.expect(100, "rollback")
    assert rig.flags() == ("0", "1", "0")
    rig.expect(0, "run")
    assert rig.flags() == ("0", "0", "0")


@test("firmware that waits for a reboot, with ostree_update_block = 0: 100, and run 5")
def _(tmp):
    with Rig(tmp, "fiovb") as rig:
        rig.device.write_config('rollback_mode = "fiovb"\n', pacman="ostree_update_block = 0\n")
        rig.tools["bootupgrade_available"] = "1"
        rig.update()
        rig.expect(5, "run")


def protected(sentence, text, current, status, modes=("fiovb",)):
    """A test of rollback protection: a version file, the version that runs, the status."""
    @in_modes(f"rollback protection: {sentence}: {status}", modes, protected=True,
              change=firmware(text) if text is not None else None)
    def _(rig, mode):
        if current is not None:
            rig.tools["bootfirmware_version"] = current
        result = rig.update(status)
        if status == 100:
            rig.tools["bootupgrade_available"] = "0"
            rig.expect(0, "run")
            return
        assert "rollback protection" in result.stderr, result
        assert rig.device.deployments() == [rig.lab.commits[1]]
        assert rig.tools.writes() == []
        assert [target["name"] for target in rig.device.state()["failing"]] == ["board-lmp-2"]
        assert "Pending" not in rig.expect(0, "status").stdout


protected("an older version", "bootfirmware_version=0\n", "1", 110)
protected("the same version", "bootfirmware_version=1\n", "1", 100)
protected("a newer version", "bootfirmware_version=2\n", "1", 100)
protected("a version that is a hash",
          "bootfirmware_version=e3e710582c8210c43a5f32d1b82b7baf\n", "1", 110)
protected("a file without a version", "boot=100\n", "1", 110)
protected("a negative version", "bootfirmware_version=-1\n", "1", 110)
protected("no file", None, "1", 100)
protected("a current version that is a hash", "bootfirmware_version=1\n",
          "e3e710582c8210c43a5f32d1b82b7baf", 100)
protected("no current version", "bootfirmware_version=1\n", None, 100)
protected("one that does not know it, and an older version", "bootfirmware_version=0\n", "1", 100,
          modes=("uboot_generic",))
for each in ("uboot_masked", "fioefi"):
    protected("an older version", "bootfirmware_version=0\n", "1", 110, modes=(each,))


@in_modes("without protection a hash is a version like any other", modes=MASKED,
          change=firmware('bootfirmware_version="0d18208adb8706f2270977126719d99d"\n'))
def _(rig, mode):
    rig.tools["bootfirmware_version"] = "7"
    rig.update()
    assert rig.tools["bootupgrade_available"] == "1"


@test("a mode that nobody knows: file, line, what was expected, status 1")
def _(tmp):
    with Rig(tmp, "fiovb") as rig:
        rig.device.write_config('rollback_mode = "grub"\n')
        result = rig.expect(1, "status")
        assert re.search(r'satchel\.toml:\d+: bootloader\.rollback_mode is "grub"; expected '
                         r'"none", "uboot_generic"', result.stderr), result


@test("without a mode no tool is run")
def _(tmp):
    with Rig(tmp, "uboot_masked") as rig:
        rig.device.write_config("")
        rig.tools.break_()
        rig.update()
        rig.expect(0, "run")
        assert not (rig.tools.folder / "log").exists()


main()
