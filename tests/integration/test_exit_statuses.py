#!/usr/bin/python3
"""Every exit status of every command, one by one: what leads to it, what is said, what is left."""
import atexit
import fcntl
import functools
import json
import pathlib
import re
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from boot_tools import BootTools  # noqa: E402
from device_lab import HARDWARE, Lab, NAME, TAG, sh  # noqa: E402
from tap import ROOT, main, run, test  # noqa: E402

# The contract: which command may give which status.
TABLE = {
    "OK": "check pull install update run rollback verify",
    "ERROR": "check list pull install update run rollback verify",
    "OK_CACHED": "check list",
    "METADATA_FAILURE": "check list pull install update verify",
    "OK_REBOOT_FOR_BOOT_FIRMWARE": "install update run rollback",
    "NO_MATCHING_TARGET": "check list pull install update verify",
    "NO_TARGET_CONTENT": "check list pull install update rollback verify",
    "APPS_NEED_FINALIZATION": "install update",
    "METADATA_INVALID": "check list pull install update verify",
    "METADATA_EXPIRED": "check list pull install update verify",
    "METADATA_DOWNLOAD": "check update",
    "METADATA_NOT_FOUND": "check list pull install update verify",
    "BUNDLE_INVALID": "check pull install update verify",
    "UPDATE_NEW_VERSION": "check list",
    "UPDATE_SYNC_APPS": "check list",
    "UPDATE_ROLLBACK": "check list",
    "TARGET_NOT_FOUND": "check list pull install update verify",
    "ROLLBACK_TARGET_NOT_FOUND": "check list pull install update rollback",
    "INSTALLATION_IN_PROGRESS": "pull install update",
    "NO_PENDING_INSTALLATION": "run",
    "DOWNLOAD_FAILED": "pull install update rollback",
    "NO_SPACE": "pull update rollback",
    "CONTENT_INVALID": "pull update rollback verify",
    "TARGET_UNREADABLE": "install update rollback",
    "REBOOT_FOR_BOOT_FIRMWARE": "install update rollback",
    "NEEDS_REBOOT": "install update run rollback",
    "DOWNGRADE_REFUSED": "pull install update verify",
    "ROLLED_BACK": "install update run rollback",
    "ROLLBACK_NEEDS_REBOOT": "install update run rollback",
    "ROLLBACK_FAILED": "install update run rollback",
}

APPS = "only apps can lead to it"
# What no command can give yet, and why. The manual must not claim it.
NOT_YET = {
    "OK_REBOOT_FOR_BOOT_FIRMWARE": ("install update rollback", "an update of apps alone"),
    "APPS_NEED_FINALIZATION": ("install update", APPS),
    "METADATA_DOWNLOAD": ("check update", "there is no online source"),
    "UPDATE_SYNC_APPS": ("check list", APPS),
    "CONTENT_INVALID": ("pull update rollback", APPS),
    "TARGET_UNREADABLE": ("install update rollback", APPS),
    "ROLLBACK_NEEDS_REBOOT": ("install update run rollback", APPS),
    "ROLLBACK_FAILED": ("install update run", APPS),
}

# Where a pair needs a system that is booted from its sysroot: the test that has it, and its words.
BOOTED = {("NEEDS_REBOOT", "run"): ("test_installer_booted.py", 'system.expect(100, "run")')}

STATUS = {name: int(number) for name, number in re.findall(
    r"^\s*SATCHEL_STATUS_(\w+) = (\d+),", (ROOT / "include/satchel/status.h").read_text(), re.M)}
BRING = ("check", "pull", "install", "update")
_covered = set()


@functools.cache
def factory():
    """Releases 1 and 2, made once; who changes a repository or a bundle takes a copy."""
    folder = tempfile.mkdtemp(prefix="satchel-statuses-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Lab(folder, releases=(1, 2))


@functools.cache
def bundle(*versions):
    return factory().bundle(list(versions))


@functools.cache
def odd(*versions, **kwargs):
    return factory().odd_bundle(list(versions), **kwargs)


def copy_of(source):
    target = factory().new_folder("copy")
    shutil.copytree(source, target, symlinks=True)
    return target


def case(name, commands, sentence, **device_arguments):
    """A test of these (command, status) pairs: the body gets a Case for each command alone."""
    def add(body):
        for command in commands.split():
            _covered.add((name, command))

            @test(f"{command} {STATUS[name]} {name}: {sentence}")
            def _(command=command):
                with factory().device(**device_arguments) as device:
                    body(Case(command, STATUS[name], device))
        return body
    return add


class Case:
    """One command that is to end with one status."""

    def __init__(self, command, status, device):
        self.command = command
        self.status = status
        self.device = device

    def gives(self, *words, part="", env=None):
        """Runs the command. @part: of the last line that is said."""
        result = self.device.expect(self.status, self.command, *words, env=env or {})
        lines = result.stderr.strip().splitlines()
        assert not part or part in lines[-1], result
        return result

    def refuses(self, *words, part, env=None):
        """It says one line, prints nothing but JSON, and leaves the device as it was."""
        before = self.device.digest()
        result = self.gives(*words, part=part, env=env)
        assert result.stderr.splitlines()[-1].startswith("satchel-installer: "), result
        assert result.stdout == "", result
        assert self.device.digest() == before, result
        return result

    def selected(self, *words):
        """Names of what check or list selects, from its JSON."""
        result = self.gives(*words, "--json", "1")
        listed = json.loads(result.stdout)
        return [its["name"] for its in listed if its.get("selected")]


def src(folder):
    return ("--src-dir", folder)


def checked(case_, folder):
    case_.device.run("check", *src(folder))


def on_release(device, folder, version):
    device.expect(100, "update", str(version), *src(folder))
    device.expect(0, "run")


def verify(*words):
    root = factory().tuf / "metadata/1.root.json"
    return run(["satchel-verify", "--json", "--root", root, "--hardware-id", HARDWARE, "--tag",
                TAG, "--type", "ci", *words])


def verify_case(name, sentence, *parts):
    """The body gives the words for satchel-verify."""
    def add(body):
        _covered.add((name, "verify"))

        @test(f"verify {STATUS[name]} {name}: {sentence}")
        def _():
            result = verify(*body())
            assert result.returncode == STATUS[name], result
            if result.stdout:
                verdict = json.loads(result.stdout)
                assert verdict["accepted"] == (STATUS[name] == 0), result
            for part in parts:
                assert part in result.stderr, result
        return body
    return add


# ---- the contract and the headers, manuals and cases

@test("every status of status.h has a row, and every row is a status")
def _():
    assert set(TABLE) == set(STATUS), set(TABLE) ^ set(STATUS)


@test("every pair of the contract has a case or a reason, never both")
def _():
    wanted = {(name, command) for name, row in TABLE.items() for command in row.split()}
    later = {(name, command) for name, (row, _) in NOT_YET.items() for command in row.split()}
    cases = _covered | set(BOOTED)
    assert wanted == cases | later, wanted ^ (cases | later)
    assert not cases & later, cases & later
    for name, words in BOOTED.values():
        assert words in (pathlib.Path(__file__).parent / name).read_text(), name


@test("what no command gives is reserved in the installer's manual, and nothing else is")
def _():
    page = (ROOT / "installer/satchel-installer.8").read_text()
    reserved = re.search(r"^\.SS Reserved\n(.*?)^\.S[HS] ", page, re.M | re.S).group(1)
    found = {int(number) for number in re.findall(r"^\.B (\d+)$", reserved, re.M)}
    wholly = {STATUS[name] for name, (row, _) in NOT_YET.items()
              if set(TABLE[name].split()) - {"verify"} == set(row.split())}
    assert found == wholly, found ^ wholly


# ---- good news

@case("OK", "check update", "nothing newer than what runs")
def _(one):
    one.gives(*src(bundle(1)))
    assert one.device.deployments() == [factory().commits[1]]


@case("OK", "pull", "the content is there, nothing is deployed")
def _(one):
    one.gives(*src(bundle(2)))
    assert one.device.has_commit(2)
    assert one.device.deployments() == [factory().commits[1]]


@case("OK", "install", "what runs is what was asked for")
def _(one):
    one.device.expect(0, "pull", "1", *src(bundle(1)))
    one.gives("1")
    assert one.device.deployments() == [factory().commits[1]]


@case("OK", "run", "after the reboot the new release is current")
def _(one):
    one.device.expect(100, "update", *src(bundle(2)))
    one.gives()
    assert one.device.state()["current"]["name"] == f"{NAME}-2"


@case("OK", "rollback", "an installation that was not booted is called off")
def _(one):
    one.device.expect(100, "update", *src(bundle(2)))
    one.gives(part="called off")
    assert one.device.deployments()[0] == factory().commits[1]


@case("OK_CACHED", "list", "stored metadata, and no update")
def _(one):
    checked(one, bundle(1))
    one.gives(*src(bundle(1)))


@case("OK_CACHED", "check", "the bundle is older than what is stored, and no update")
def _(one):
    lab = Lab(one.device.folder / "lab", releases=(1, 2))
    with lab.device(version=2) as device:
        old = lab.odd_bundle([1, 2])
        lab.release(3, hardware="other")
        device.expect(0, "check", *src(lab.odd_bundle([1, 2])))
        before = device.digest()
        device.expect(one.status, "check", *src(old))
        assert device.digest() == before


@case("UPDATE_NEW_VERSION", "check list", "a newer target is selected in the JSON")
def _(one):
    checked(one, bundle(2))
    assert one.selected(*src(bundle(2))) == [f"{NAME}-2"]
    assert one.device.deployments() == [factory().commits[1]]


@case("UPDATE_ROLLBACK", "check list", "what runs is failing, an older one is selected")
def _(one):
    on_release(one.device, bundle(1, 2), 2)
    state = one.device.state()
    state["failing"] = [state["current"]]
    one.device.state_file.write_text(json.dumps(state))
    assert one.selected(*src(bundle(1, 2))) == [f"{NAME}-1"]


@case("NEEDS_REBOOT", "install update", "deployed, pending, and the old one kept")
def _(one):
    one.device.expect(0, "pull", *src(bundle(2)))
    one.gives(*src(bundle(2)))
    assert one.device.deployments() == [factory().commits[2], factory().commits[1]]
    assert one.device.state()["pending"]["name"] == f"{NAME}-2"


@case("NEEDS_REBOOT", "rollback", "the one before is deployed again")
def _(one):
    on_release(one.device, bundle(1, 2), 2)
    one.gives(part="reboot")
    assert one.device.deployments()[0] == factory().commits[1]


# ---- refused bundles: nothing changes

@case("METADATA_NOT_FOUND", "check pull install update", "no bundle there")
def _(one):
    one.refuses(*src(factory().folder / "nowhere"), part="nowhere")


@case("METADATA_NOT_FOUND", "list", "nothing was checked yet")
def _(one):
    one.refuses(part="")


@case("METADATA_NOT_FOUND", "check pull install update", "no trusted root", trusted=False)
def _(one):
    one.refuses(*src(bundle(2)), part="trusted root")


@case("BUNDLE_INVALID", " ".join(BRING), "another tag")
def _(one):
    one.refuses(*src(odd(2, tag="stable")), part="tag")


@case("METADATA_EXPIRED", " ".join(BRING), "the bundle has expired")
def _(one):
    one.refuses(*src(odd(2, days=-1)), part="expired")


@case("METADATA_EXPIRED", "list", "the stored metadata have expired")
def _(one):
    checked(one, bundle(2))
    (one.device.storage / "satchel/tuf/time-floor").write_text("2099-01-01T00:00:00Z\n")
    one.refuses(part="floor")


def altered(name, old, new):
    folder = copy_of(bundle(2))
    path = folder / "tuf" / name
    good = path.read_bytes()
    assert old in good
    path.write_bytes(good.replace(old, new))
    return folder


@case("METADATA_INVALID", " ".join(BRING), "targets changed after they were signed")
def _(one):
    one.refuses(*src(altered("targets.json", b"board-lmp-2", b"board-lmp-9")), part="targets")


@case("METADATA_INVALID", "list", "stored targets changed after they were signed")
def _(one):
    checked(one, bundle(2))
    path = one.device.storage / "satchel/tuf/targets.json"
    path.write_bytes(path.read_bytes().replace(b"board-lmp-2", b"board-lmp-9"))
    one.refuses(part="0 of 1 signatures")


@case("METADATA_FAILURE", "check list pull install update", "the store cannot be read")
def _(one):
    checked(one, bundle(2))
    store = one.device.storage / "satchel/tuf"
    shutil.rmtree(store)
    store.write_text("in the way")
    one.refuses(*(src(bundle(2)) if one.command != "list" else ()), part="tuf")


@case("NO_MATCHING_TARGET", " ".join(BRING), "nothing that the bundle lists is a target")
def _(one):
    one.refuses(*src(odd(2, listed=("nobody-9",))), part="")


@case("NO_MATCHING_TARGET", "list", "no stored target for this device")
def _(one):
    checked(one, bundle(2))
    one.device.config.write_text(one.device.config.read_text().replace('"devel"', '"stable"'))
    one.refuses(part="stable")


def without_commit(*versions):
    folder = copy_of(bundle(*versions))
    commit = factory().commits[2]
    (folder / f"ostree_repo/objects/{commit[:2]}/{commit[2:]}.commit").unlink()
    return folder


@case("NO_TARGET_CONTENT", " ".join(BRING), "the bundle lacks the commit")
def _(one):
    one.refuses(*src(without_commit(2)), part="")


@case("NO_TARGET_CONTENT", "list", "the bundle has nothing of what is known")
def _(one):
    checked(one, bundle(2))
    one.refuses(*src(without_commit(2)), part="")


@case("NO_TARGET_CONTENT", "rollback", "what was before is gone, and not in the bundle")
def _(one):
    on_release(one.device, bundle(1, 2), 2)
    sh("ostree", "admin", "undeploy", f"--sysroot={one.device.sysroot}", "1")
    one.refuses(*src(bundle(2)), part=factory().commits[1][2:])


@case("TARGET_NOT_FOUND", "check list pull install update", "nobody knows the target")
def _(one):
    checked(one, bundle(2))
    before = one.device.digest()
    one.gives("nobody-9", *src(bundle(2)), part="nobody-9")
    assert one.device.digest() == before


@case("ROLLBACK_TARGET_NOT_FOUND", "rollback", "nothing was before")
def _(one):
    one.refuses(part="nothing to go back to")


@case("ROLLBACK_TARGET_NOT_FOUND", "check list pull install update",
      "what runs is failing, and no other is there")
def _(one):
    on_release(one.device, bundle(2), 2)
    state = one.device.state()
    state["failing"] = [state["current"]]
    one.device.state_file.write_text(json.dumps(state))
    before = one.device.digest()
    one.gives(*src(bundle(2)))
    assert one.device.digest() == before


@case("DOWNGRADE_REFUSED", "pull install update", "below the floor, though by name", version=2)
def _(one):
    one.device.write_config('[satchel]\nlowest_version = "2"\n')
    checked(one, bundle(1, 2))
    one.refuses("1", *src(bundle(1, 2)), part="2")


# ---- states

@case("INSTALLATION_IN_PROGRESS", "pull install update", "a pending one is first")
def _(one):
    one.device.expect(100, "update", *src(bundle(2)))
    one.refuses(*src(bundle(2)), part="run")


@case("NO_PENDING_INSTALLATION", "run", "nothing is pending")
def _(one):
    one.gives(part="no")
    assert one.device.deployments() == [factory().commits[1]]


# ---- content

def with_bad_object(*versions):
    folder = copy_of(bundle(*versions))
    for path in (folder / "ostree_repo/objects").rglob("*.filez"):
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
    return folder


@case("DOWNLOAD_FAILED", "pull update", "content is not what it should be")
def _(one):
    one.gives(*src(with_bad_object(2)))
    assert not one.device.has_commit(2)
    assert one.device.deployments() == [factory().commits[1]]
    one.device.fsck()


@case("DOWNLOAD_FAILED", "install", "without pull")
def _(one):
    checked(one, bundle(2))
    one.refuses(*src(bundle(2)), part="pull")


@case("DOWNLOAD_FAILED", "rollback", "what was before is gone, and there is no bundle")
def _(one):
    on_release(one.device, bundle(1, 2), 2)
    sh("ostree", "admin", "undeploy", f"--sysroot={one.device.sysroot}", "1")
    one.refuses(part="not whole")


@case("NO_SPACE", "pull update rollback", "before the first write, with what is lacking")
def _(one):
    if one.command == "rollback":
        on_release(one.device, bundle(1, 2), 2)
        sh("ostree", "admin", "undeploy", f"--sysroot={one.device.sysroot}", "1")
    repo = one.device.repo
    sh("ostree", "config", "--repo", repo, "unset", "core.min-free-space-percent")
    sh("ostree", "config", "--repo", repo, "set", "core.min-free-space-size", "900TB")
    checked(one, bundle(1, 2))
    one.refuses(*src(bundle(1, 2)), part="bytes are lacking")


# ---- boot firmware

@case("REBOOT_FOR_BOOT_FIRMWARE", "install update rollback", "firmware waits for a reboot")
def _(one):
    tools = BootTools(one.device.folder / "tools", "fiovb")
    for name in ("bootcount", "upgrade_available", "rollback"):
        tools[name] = "0"
    if one.command == "rollback":
        on_release(one.device, bundle(1, 2), 2)
    elif one.command == "install":
        one.device.expect(0, "pull", *src(bundle(2)))
    else:
        checked(one, bundle(2))
    one.device.write_config('rollback_mode = "fiovb"\n')
    tools["bootupgrade_available"] = "1"
    before = one.device.deployments()
    one.gives(*(() if one.command == "rollback" else src(bundle(2))), env=tools.env)
    assert one.device.deployments() == before and "pending" not in one.device.state()


@case("OK_REBOOT_FOR_BOOT_FIRMWARE", "run", "done, and firmware waits for a reboot")
def _(one):
    tools = BootTools(one.device.folder / "tools", "fiovb")
    for name in ("bootcount", "upgrade_available", "rollback"):
        tools[name] = "0"
    one.device.write_config('rollback_mode = "fiovb"\n', pacman="ostree_update_block = 0\n")
    tools["bootupgrade_available"] = "1"
    one.device.expect(100, "update", *src(bundle(2)), env=tools.env)
    one.gives(part="boot firmware", env=tools.env)
    assert one.device.state()["current"]["name"] == f"{NAME}-2"


# ---- failures

@case("ROLLED_BACK", "install update", "it cannot be deployed: the device stays, the target fails")
def _(one):
    one.device.expect(0, "pull", *src(bundle(2)))
    (one.device.sysroot / "boot/.loader.pin").mkdir()
    one.gives(*src(bundle(2)))
    assert one.device.deployments() == [factory().commits[1]]
    assert [its["name"] for its in one.device.state()["failing"]] == [f"{NAME}-2"]


@case("ROLLED_BACK", "run", "the boot loader went back")
def _(one):
    one.device.expect(100, "update", *src(bundle(2)))
    one.device.boot_old()
    one.gives()
    state = one.device.state()
    assert [its["name"] for its in state["failing"]] == [f"{NAME}-2"] and "pending" not in state


@case("ROLLED_BACK", "rollback", "the one before cannot be deployed, what runs stays")
def _(one):
    on_release(one.device, bundle(1, 2), 2)
    (one.device.sysroot / "boot/.loader.pin").unlink(missing_ok=True)
    (one.device.sysroot / "boot/.loader.pin").mkdir()
    before = one.device.state()
    one.gives(part="stays")
    assert one.device.state() == before
    assert one.device.deployments()[0] == factory().commits[2]


@case("ROLLBACK_FAILED", "rollback", "what is pending cannot be called off, and stays pending")
def _(one):
    one.device.expect(100, "update", *src(bundle(2)))
    pin = one.device.sysroot / "boot/.loader.pin"
    pin.unlink(missing_ok=True)
    pin.mkdir()
    one.gives()
    assert one.device.state()["pending"]["name"] == f"{NAME}-2"
    assert one.device.deployments()[0] == factory().commits[2]


@case("ERROR", "check list pull install update run rollback", "the lock is held: who, and no wait")
def _(one):
    checked(one, bundle(2))
    if one.command == "list":
        one.refuses("--loglevel", "9", part="--loglevel")
        return
    with open(one.device.storage / "satchel/lock", "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        fcntl.lockf(file, fcntl.LOCK_EX)
        one.refuses(*(() if one.command in ("run", "rollback") else src(bundle(2))), part="")


# ---- satchel-verify

@verify_case("OK", "a good bundle")
def _():
    return ("--full", bundle(2))


@verify_case("ERROR", "a wrong command line", "--at")
def _():
    return ("--at", "yesterday", bundle(2))


@verify_case("METADATA_FAILURE", "a link in place of a role", "timestamp.json")
def _():
    folder = copy_of(bundle(2))
    path = folder / "tuf/timestamp.json"
    path.rename(folder / "elsewhere")
    path.symlink_to(folder / "elsewhere")
    return (folder,)


@verify_case("NO_MATCHING_TARGET", "nothing that it lists is a target")
def _():
    return (odd(2, listed=("nobody-9",)),)


@verify_case("NO_TARGET_CONTENT", "it lacks the commit")
def _():
    return (without_commit(2),)


@verify_case("METADATA_INVALID", "targets changed after they were signed", "targets")
def _():
    return (altered("targets.json", b"board-lmp-2", b"board-lmp-9"),)


@verify_case("METADATA_EXPIRED", "it has expired", "expired")
def _():
    return (odd(2, days=-1),)


@verify_case("METADATA_NOT_FOUND", "no bundle there", "nowhere")
def _():
    return (factory().folder / "nowhere",)


@verify_case("BUNDLE_INVALID", "another tag", "tag")
def _():
    return (odd(2, tag="stable"),)


@verify_case("CONTENT_INVALID", "content does not match its hash")
def _():
    return ("--full", with_bad_object(2))


@verify_case("TARGET_NOT_FOUND", "targets for secondary hardware ids alone")
def _():
    lab = Lab(factory().new_folder("lab"), releases=())
    lab.release(7, commit="0" * 64, hardware="mcu", name="mcu")
    return ("--root", lab.tuf / "metadata/1.root.json", "--secondary-hardware-id", "mcu",
            lab.odd_bundle([], listed=["mcu-7"]))


@verify_case("DOWNGRADE_REFUSED", "all below the lowest version")
def _():
    return ("--lowest-version", "9", bundle(2))


main()
