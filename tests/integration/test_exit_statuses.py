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
import schemas  # noqa: E402
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

# What no command can give yet, and why. The manual must not claim it.
NOT_YET = {
    "OK_REBOOT_FOR_BOOT_FIRMWARE": ("install update rollback", "an update of apps alone"),
    "METADATA_DOWNLOAD": ("check update", "there is no online source"),
    "CONTENT_INVALID": ("rollback", "the way back pulls no apps"),
    "TARGET_UNREADABLE": ("rollback", "the way back loads images in run"),
    "ROLLBACK_NEEDS_REBOOT": ("install update rollback", "before the reboot there is none to undo"),
}

# Where a pair needs a system that is booted from its sysroot: the test that has it, and its words.
BOOTED = {("NEEDS_REBOOT", "run"): ("test_installer_booted.py", 'system.expect(100, "run")')}
# The same for those that need a container engine.
ENGINE = {
    ("APPS_NEED_FINALIZATION", "update"): ("test_apps.py", 'expect(10, "update"'),
    ("APPS_NEED_FINALIZATION", "install"): ("test_apps.py", 'expect(10, "install"'),
    ("UPDATE_SYNC_APPS", "check"): ("test_apps.py", 'expect(17, "check"'),
    ("UPDATE_SYNC_APPS", "list"): ("test_apps.py", 'expect(17, "list"'),
    ("CONTENT_INVALID", "pull"): ("test_apps_refusals.py", 'expect(70, "pull"'),
    ("CONTENT_INVALID", "update"): ("test_apps_refusals.py", 'expect(70, "update"'),
    ("TARGET_UNREADABLE", "install"): ("test_apps_refusals.py", 'expect(80, "install"'),
    ("TARGET_UNREADABLE", "update"): ("test_apps_refusals.py", 'expect(80, "update"'),
    ("ROLLBACK_NEEDS_REBOOT", "run"): ("test_apps.py", 'expect(120, "run"'),
    ("ROLLBACK_FAILED", "install"): ("test_apps_failures.py", 'expect(130, "install"'),
    ("ROLLBACK_FAILED", "update"): ("test_apps_failures.py", 'expect(130, "update"'),
    ("ROLLBACK_FAILED", "run"): ("test_apps_failures.py", 'expect(130, "run"'),
}

STATUS = {name: int(number) for name, number in re.findall(
    r"^\s*SATCHEL_STATUS_(\w+) = (\d+),", (ROOT / "include/satchel/status.h").read_text(), re.M)}
BRING = ("check", "pull", "install", "update")
GOOD = [STATUS[name] for name in (
    "OK", "OK_CACHED", "OK_REBOOT_FOR_BOOT_FIRMWARE", "APPS_NEED_FINALIZATION",
    "UPDATE_NEW_VERSION", "UPDATE_SYNC_APPS", "UPDATE_ROLLBACK", "NEEDS_REBOOT")]
# What check and list say with a list of targets, and with which one is selected in it.
LISTED = [STATUS[name] for name in ("TARGET_NOT_FOUND", "ROLLBACK_TARGET_NOT_FOUND")]
SELECTED = [STATUS[name] for name in ("UPDATE_NEW_VERSION", "UPDATE_SYNC_APPS", "UPDATE_ROLLBACK")]
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

    def gives(self, *words, part, env=None):
        """Runs the command. @part: of the last line that is said, or for good news of any."""
        assert part
        result = self.device.expect(self.status, self.command, *words, env=env or {})
        if self.status in GOOD:
            assert part in result.stdout + result.stderr, result
        else:
            line = result.stderr.splitlines()[-1]
            assert line.startswith("satchel-installer: ") and part in line, result
        if self.command in ("check", "list"):
            self.prints(*words, env=env)
        return result

    def prints(self, *words, env=None):
        """The same as JSON: a list that tells what was decided, where there is one; no more."""
        result = self.device.expect(self.status, self.command, *words, "--json", "1",
                                    env=env or {})
        assert result.stderr.count("\n") == (0 if self.status in GOOD else 1), result
        if self.status not in GOOD and self.status not in LISTED:
            assert result.stdout == "", result
            return []
        listed = schemas.check(result.stdout, "installer-targets.schema.json")
        versions = [its["version"] for its in listed]
        assert versions == sorted(versions), result
        selected = [its["name"] for its in listed if its.get("selected")]
        assert len(selected) == (1 if self.status in SELECTED else 0), result
        return selected

    def refuses(self, *words, part, env=None):
        """It says one line, prints nothing but JSON, and leaves the device as it was."""
        before = self.device.digest()
        result = self.gives(*words, part=part, env=env)
        assert result.stdout == "" or self.status in LISTED, result
        assert self.device.digest() == before, result
        return result

    def leaves(self, deployed, current=None, pending=None, failing=()):
        """The versions of what is deployed, in boot order, and of what the state tells; it is what
        `status` tells as well."""
        device, commits = self.device, factory().commits
        assert device.deployments() == [commits[version] for version in deployed]
        state = {"failing": [], **(device.state() or {})}
        if device.state():
            schemas.check(state, "installer-state.schema.json")
        assert "installing" not in state, state
        assert [its["version"] for its in state["failing"]] == list(failing), state
        told = schemas.check(device.expect(0, "status", "--json", "1").stdout,
                             "installer-status.schema.json")
        for name, member, version in (("current", "applied_target", current),
                                      ("pending", "pending_target", pending)):
            wanted = None if version is None else (f"{NAME}-{version}", version, commits[version])
            for found, commit in ((state.get(name), "commit"), (told.get(member), "ostree_hash")):
                assert (found and (found["name"], found["version"], found[commit])) == wanted, told
        device.fsck()


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


def verify_case(name, sentence, reason=None, part=""):
    """The body gives the words for satchel-verify. @reason: the first of its verdict, of whose
    message @part is; without a verdict @part is of what it says."""
    def add(body):
        _covered.add((name, "verify"))

        @test(f"verify {STATUS[name]} {name}: {sentence}")
        def _():
            result = verify(*body())
            assert result.returncode == STATUS[name], result
            if reason is None:
                assert result.stdout == "" and part in result.stderr, result
                return
            verdict = schemas.check(result.stdout, "verify-verdict.schema.json")
            first = (*[(its["reason"], its["message"]) for its in verdict["reasons"]], ("", ""))[0]
            assert verdict["accepted"] == (STATUS[name] == 0), result
            assert first[0] == reason and part in first[1], result
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
    cases = _covered | set(BOOTED) | set(ENGINE)
    assert wanted == cases | later, wanted ^ (cases | later)
    assert not cases & later, cases & later
    for name, words in (*BOOTED.values(), *ENGINE.values()):
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
    one.gives(*src(bundle(1)), part=f"{NAME}-1")
    one.leaves([1], current=1)


@case("OK", "pull", "the content is there, nothing is deployed")
def _(one):
    one.gives(*src(bundle(2)), part=f"{NAME}-2 is on the device")
    assert one.device.has_commit(2)
    one.leaves([1], current=1)


@case("OK", "install", "what runs is what was asked for")
def _(one):
    one.device.expect(0, "pull", "1", *src(bundle(1)))
    one.gives("1", part=f"{NAME}-1 runs")
    one.leaves([1], current=1)


@case("OK", "run", "after the reboot the new release is current")
def _(one):
    one.device.expect(100, "update", *src(bundle(1, 2)))
    one.gives(part=f"{NAME}-2 runs")
    one.leaves([2, 1], current=2)
    assert one.device.state()["rollback"]["version"] == 1


@case("OK", "rollback", "an installation that was not booted is called off")
def _(one):
    one.device.expect(100, "update", *src(bundle(1, 2)))
    one.gives(part="called off")
    # What was the default stays in the list until something is deployed again.
    one.leaves([1, 2], current=1, failing=[2])


@case("OK_CACHED", "list", "stored metadata, and no update")
def _(one):
    checked(one, bundle(1))
    one.gives(*src(bundle(1)), part="current")
    one.leaves([1], current=1)


@case("OK_CACHED", "check", "the bundle is older than what is stored, and no update")
def _(one):
    lab = Lab(one.device.folder / "lab", releases=(1, 2))
    with lab.device(version=2) as device:
        old = lab.odd_bundle([1, 2])
        lab.release(3, hardware="other")
        device.expect(0, "check", *src(lab.odd_bundle([1, 2])))
        before = device.digest()
        Case(one.command, one.status, device).gives(*src(old), part="current")
        assert device.digest() == before


@case("UPDATE_NEW_VERSION", "check list", "a newer target is selected in the JSON")
def _(one):
    checked(one, bundle(1, 2))
    one.gives(*src(bundle(1, 2)), part=f"Updating from {NAME}-1 to {NAME}-2")
    assert one.prints(*src(bundle(1, 2))) == [f"{NAME}-2"]
    one.leaves([1], current=1)


@case("UPDATE_ROLLBACK", "check list", "what runs is failing, an older one is selected")
def _(one):
    on_release(one.device, bundle(1, 2), 2)
    state = one.device.state()
    state["failing"] = [state["current"]]
    one.device.state_file.write_text(json.dumps(state))
    one.gives(*src(bundle(1, 2)), part=f"{NAME}-1")
    assert one.prints(*src(bundle(1, 2))) == [f"{NAME}-1"]
    one.leaves([2, 1], current=2, failing=[2])


@case("NEEDS_REBOOT", "install update", "deployed, pending, and the old one kept")
def _(one):
    one.device.expect(0, "pull", *src(bundle(1, 2)))
    one.gives(*src(bundle(1, 2)), part=f"{NAME}-2 is installed; reboot")
    one.leaves([2, 1], current=1, pending=2)


@case("NEEDS_REBOOT", "rollback", "the one before is deployed again")
def _(one):
    on_release(one.device, bundle(1, 2), 2)
    one.gives(part=f"{NAME}-1 is installed again; reboot")
    one.leaves([1, 2], current=2, pending=1, failing=[2])


# ---- refused bundles: nothing changes

@case("METADATA_NOT_FOUND", "check pull install update", "no bundle there")
def _(one):
    one.refuses(*src(factory().folder / "nowhere"), part="nowhere")


@case("METADATA_NOT_FOUND", "list", "nothing was checked yet")
def _(one):
    one.refuses(part="none is stored")


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
    one.refuses(*src(odd(2, listed=("nobody-9",))), part="nobody-9")


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
    one.refuses(*src(without_commit(2)), part=factory().commits[2][2:])


@case("NO_TARGET_CONTENT", "list", "the bundle has nothing of what is known")
def _(one):
    checked(one, bundle(2))
    one.refuses(*src(without_commit(2)), part="holds the content of none")


@case("NO_TARGET_CONTENT", "rollback", "what was before is gone, and not in the bundle")
def _(one):
    on_release(one.device, bundle(1, 2), 2)
    sh("ostree", "admin", "undeploy", f"--sysroot={one.device.sysroot}", "1")
    one.refuses(*src(bundle(2)), part=factory().commits[1][2:])


@case("TARGET_NOT_FOUND", "check list pull install update", "nobody knows the target")
def _(one):
    checked(one, bundle(2))
    one.refuses("nobody-9", *src(bundle(2)), part="nobody-9")


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
    one.refuses(*src(bundle(2)), part="failing")


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
    one.refuses(part="no installation waits")


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
    one.gives(*src(with_bad_object(2)), part="ostree_repo/objects")
    assert not one.device.has_commit(2)
    one.leaves([1], current=1)


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
    one.gives(*(() if one.command == "rollback" else src(bundle(2))), env=tools.env,
              part="boot firmware waits for a reboot")
    if one.command == "rollback":
        one.leaves([2, 1], current=2)
    else:
        one.leaves([1], current=1)
    assert tools["upgrade_available"] == "0"


@case("OK_REBOOT_FOR_BOOT_FIRMWARE", "run", "done, and firmware waits for a reboot")
def _(one):
    tools = BootTools(one.device.folder / "tools", "fiovb")
    for name in ("bootcount", "upgrade_available", "rollback"):
        tools[name] = "0"
    one.device.write_config('rollback_mode = "fiovb"\n', pacman="ostree_update_block = 0\n")
    tools["bootupgrade_available"] = "1"
    one.device.expect(100, "update", *src(bundle(2)), env=tools.env)
    one.gives(part="boot firmware", env=tools.env)
    one.leaves([2, 1], current=2)


# ---- failures

@case("ROLLED_BACK", "install update", "it cannot be deployed: the device stays, the target fails")
def _(one):
    one.device.expect(0, "pull", *src(bundle(2)))
    (one.device.sysroot / "boot/.loader.pin").mkdir()
    one.gives(*src(bundle(2)), part="was not installed, the device stays as it is")
    one.leaves([1], current=1, failing=[2])


@case("ROLLED_BACK", "run", "the boot loader went back")
def _(one):
    one.device.expect(100, "update", *src(bundle(1, 2)))
    one.device.boot_old()
    one.gives(part=f"{NAME}-2 did not come up")
    one.leaves([1], current=1, failing=[2])


@case("ROLLED_BACK", "rollback", "the one before cannot be deployed, what runs stays")
def _(one):
    on_release(one.device, bundle(1, 2), 2)
    (one.device.sysroot / "boot/.loader.pin").unlink(missing_ok=True)
    (one.device.sysroot / "boot/.loader.pin").mkdir()
    before = one.device.state()
    one.gives(part="the device stays as it is")
    assert one.device.state() == before
    one.leaves([2, 1], current=2)


@case("ROLLBACK_FAILED", "rollback", "what is pending cannot be called off, and stays pending")
def _(one):
    one.device.expect(100, "update", *src(bundle(1, 2)))
    pin = one.device.sysroot / "boot/.loader.pin"
    pin.unlink(missing_ok=True)
    pin.mkdir()
    one.gives(part=f"{NAME}-2 stays installed")
    one.leaves([2, 1], current=1, pending=2)


@case("ERROR", "check list pull install update run rollback", "the lock is held: who, and no wait")
def _(one):
    checked(one, bundle(2))
    if one.command == "list":
        one.refuses("--loglevel", "9", part="--loglevel")
        return
    with open(one.device.storage / "satchel/lock", "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        fcntl.lockf(file, fcntl.LOCK_EX)
        one.refuses(*(() if one.command in ("run", "rollback") else src(bundle(2))),
                    part="another updater is running")


# ---- satchel-verify

@verify_case("OK", "a good bundle", "")
def _():
    return ("--full", bundle(2))


@verify_case("ERROR", "a wrong command line", part="--at")
def _():
    return ("--at", "yesterday", bundle(2))


@verify_case("METADATA_FAILURE", "a link in place of a role", "metadata-failure",
             "timestamp.json")
def _():
    folder = copy_of(bundle(2))
    path = folder / "tuf/timestamp.json"
    path.rename(folder / "elsewhere")
    path.symlink_to(folder / "elsewhere")
    return (folder,)


@verify_case("NO_MATCHING_TARGET", "nothing that it lists is a target", "no-matching-target",
             "nobody-9")
def _():
    return (odd(2, listed=("nobody-9",)),)


@verify_case("NO_TARGET_CONTENT", "it lacks the commit", "no-target-content", "commit")
def _():
    return (without_commit(2),)


@verify_case("METADATA_INVALID", "targets changed after they were signed", "metadata-invalid",
             "targets")
def _():
    return (altered("targets.json", b"board-lmp-2", b"board-lmp-9"),)


@verify_case("METADATA_EXPIRED", "it has expired", "metadata-expired", "expired")
def _():
    return (odd(2, days=-1),)


@verify_case("METADATA_NOT_FOUND", "no bundle there", "metadata-not-found", "nowhere")
def _():
    return (factory().folder / "nowhere",)


@verify_case("BUNDLE_INVALID", "another tag", "bundle-invalid", "tag")
def _():
    return (odd(2, tag="stable"),)


@verify_case("CONTENT_INVALID", "content does not match its hash", "content-invalid",
             "ostree_repo/objects")
def _():
    return ("--full", with_bad_object(2))


@verify_case("TARGET_NOT_FOUND", "targets for secondary hardware ids alone",
             "target-not-found", "secondary")
def _():
    lab = Lab(factory().new_folder("lab"), releases=())
    lab.release(7, commit="0" * 64, hardware="mcu", name="mcu")
    return ("--root", lab.tuf / "metadata/1.root.json", "--secondary-hardware-id", "mcu",
            lab.odd_bundle([], listed=["mcu-7"]))


@verify_case("DOWNGRADE_REFUSED", "all below the lowest version", "downgrade-refused", "9")
def _():
    return ("--lowest-version", "9", bundle(2))


main()
