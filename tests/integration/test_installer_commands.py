#!/usr/bin/python3
"""Every command of satchel-installer, by its exit statuses, its output and what it leaves behind."""
import json
import os
import pathlib
import shutil
import sys

import jsonschema

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import Lab, NAME, OS, TAG, sh  # noqa: E402
from tap import ROOT, main, program, run, skip, test  # noqa: E402


def follows(document, name):
    """The parsed document, which must be of that schema."""
    schema = json.loads((ROOT / f"schemas/{name}").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    value = json.loads(document) if isinstance(document, str) else document
    jsonschema.Draft202012Validator(schema).validate(value)
    return value


def check_state(device):
    return follows(device.state(), "installer-state.schema.json")


def assert_sorted(text):
    """Members stand in the order of their names, as aktualizr-lite prints them."""
    def check(pairs):
        names = [name for name, _ in pairs]
        assert names == sorted(names), text
        return dict(pairs)
    json.loads(text, object_pairs_hook=check)


def by_name(listed):
    return {target["name"]: target for target in listed}


@test("a device goes from one release to the next: check 16, pull 0, install 100, run 0")
def _(tmp):
    lab = Lab(tmp)
    bundle = lab.bundle([2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        device.expect(0, "pull", "--src-dir", bundle)
        assert device.has_commit(2)
        device.expect(100, "install", "--src-dir", bundle)
        assert device.deployments() == [lab.commits[2], lab.commits[1]]
        assert check_state(device)["pending"]["name"] == f"{NAME}-2"
        device.expect(0, "run")
        state = check_state(device)
        assert state["current"]["name"] == f"{NAME}-2" and "pending" not in state, state
        device.expect(0, "check", "--src-dir", bundle)
        device.fsck()


@test("update does check, pull and install at once, and finalize is run")
def _(tmp):
    lab = Lab(tmp)
    bundle = lab.bundle([2, 3])
    with lab.device() as device:
        device.expect(100, "update", "--src-dir", bundle)
        assert device.deployments()[0] == lab.commits[3]
        device.expect(0, "finalize")
        device.expect(0, "update", "--src-dir", bundle)
        assert check_state(device)["current"]["name"] == f"{NAME}-3"


@test("the kernel arguments of the deployment before are kept")
def _(tmp):
    lab = Lab(tmp)
    bundle = lab.bundle([2])
    with lab.device() as device:
        device.expect(100, "update", "--src-dir", bundle)
        entries = sorted((device.sysroot / "boot/loader/entries").glob("*.conf"))
        options = [line for line in entries[-1].read_text().splitlines()
                   if line.startswith("options")]
        assert "root=LABEL=root quiet" in options[0], options


@test("the current, the new and the rollback deployment remain, and no other")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2, 3, 4))
    bundle = lab.bundle([2, 3, 4])
    with lab.device() as device:
        for version in (2, 3):
            device.expect(100, "update", f"{NAME}-{version}", "--src-dir", bundle)
            device.expect(0, "run")
        assert device.deployments() == [lab.commits[v] for v in (3, 2, 1)], device.deployments()
        device.expect(100, "update", "--src-dir", bundle)
        assert device.deployments() == [lab.commits[v] for v in (4, 3, 2)], device.deployments()
        assert not device.has_commit(1)
        device.fsck()


@test("check prints the targets as JSON in the documented form")
def _(tmp):
    lab = Lab(tmp, releases=())
    lab.release(1)
    uri = "hub.example.org/factory/app@sha256:" + "a" * 64
    lab.release(2, apps=[f"app={uri}"])
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        result = device.expect(16, "check", "--src-dir", bundle, "--json", "1")
        listed = follows(result.stdout, "installer-targets.schema.json")
        assert [target["version"] for target in listed] == [1, 2]
        assert listed[0] == {"name": f"{NAME}-1", "version": 1, "apps": None, "current": True}
        assert listed[1] == {
            "name": f"{NAME}-2", "version": 2, "newer": True, "selected": True,
            "apps": [{"name": "app", "uri": uri, "on": True}],
            "reason": f"Updating from {NAME}-1 to {NAME}-2"}, listed
        assert result.stderr == "", result
        assert_sorted(result.stdout)
        assert_sorted(device.expect(16, "list", "--json", "1").stdout)


@test("status prints what runs and what is pending, for people and as JSON")
def _(tmp):
    lab = Lab(tmp)
    bundle = lab.bundle([2])
    with lab.device() as device:
        status = follows(device.expect(0, "status", "--json", "1").stdout, "installer-status.schema.json")
        assert status == {"device_name": "", "device_factory": "", "tag": TAG,
                          "ostree_hash": lab.commits[1]}, status
        device.expect(100, "update", "--src-dir", bundle)
        result = device.expect(0, "status", "--json", "1")
        assert_sorted(result.stdout)
        status = follows(result.stdout, "installer-status.schema.json")
        assert status["ostree_hash"] == lab.commits[1]
        assert status["applied_target"]["name"] == f"{NAME}-1"
        assert status["pending_target"] == {"name": f"{NAME}-2", "version": 2, "apps": [],
                                            "ostree_hash": lab.commits[2]}
        text = device.expect(0, "status").stdout
        assert f"Pending Target: 2\tsha256:{lab.commits[2]}" in text, text
        device.expect(0, "run")
        status = follows(device.expect(0, "status", "--json", "1").stdout, "installer-status.schema.json")
        assert status["applied_target"]["name"] == f"{NAME}-2" and "pending_target" not in status
        text = device.expect(0, "status").stdout
        assert f"Active image is: 2\tsha256:{lab.commits[2]}" in text, text


@test("status works without tags, and leaves the member out")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        text = device.config.read_text().replace(f'tags = "{TAG}"\n', "")
        device.config.write_text(text)
        status = follows(device.expect(0, "status", "--json", "1").stdout, "installer-status.schema.json")
        assert "tag" not in status, status


@test("status of a device without any state writes nothing")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        before = device.digest()
        device.expect(0, "status")
        assert device.digest() == before and not device.state_file.exists()


@test("list goes by stored metadata: 14 before any check, then 16, then 3; it writes nothing")
def _(tmp):
    lab = Lab(tmp)
    bundle = lab.bundle([2])
    with lab.device() as device:
        result = device.expect(14, "list")
        assert "check" in result.stderr or "stored" in result.stderr, result
        device.expect(16, "check", "--src-dir", bundle)
        before = device.digest()
        listed = follows(device.expect(16, "list", "--json", "1").stdout, "installer-targets.schema.json")
        assert by_name(listed)[f"{NAME}-3"]["selected"], listed
        listed = follows(device.expect(16, "list", "--src-dir", bundle, "--json", "1").stdout,
                         "installer-targets.schema.json")
        assert [target["version"] for target in listed] == [2], listed
        assert device.digest() == before
        device.expect(100, "update", "--src-dir", bundle)
        device.expect(0, "run")
        device.expect(3, "list", "--src-dir", bundle)


@test("list with a bundle that holds none of the known targets is 8")
def _(tmp):
    lab = Lab(tmp)
    bundle = lab.bundle([2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        empty = lab.odd_bundle([])
        device.expect(8, "list", "--src-dir", empty)


@test("a bundle older than the stored metadata is judged by these: 16 while newer, then 3")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    old = lab.bundle([2])
    lab.release(3)
    new = lab.bundle([3])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", new)
        device.expect(16, "check", "--src-dir", old)
        device.expect(100, "update", "--src-dir", old)
        device.expect(0, "run")
        device.expect(3, "check", "--src-dir", old)


@test("install without pull is 50 and says what to do; nothing changes")
def _(tmp):
    lab = Lab(tmp)
    bundle = lab.bundle([2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        before = device.digest()
        for words in (["install", "--src-dir", bundle], ["install"], ["install", "2"]):
            result = device.expect(50, *words)
            assert "'pull' it first" in result.stderr, result
        assert device.digest() == before


@test("install works from stored metadata alone once the content was pulled")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    with lab.device() as device:
        device.expect(0, "pull", "--src-dir", bundle)
        device.expect(100, "install")
        device.expect(0, "run")


@test("with an installation pending, pull, install and update are 30, and run is 0")
def _(tmp):
    lab = Lab(tmp)
    bundle = lab.bundle([2, 3])
    with lab.device() as device:
        device.expect(100, "update", "2", "--src-dir", bundle)
        before = device.digest()
        for command in ("pull", "install", "update"):
            result = device.expect(30, command, "3", "--src-dir", bundle)
            assert "reboot, then 'run'" in result.stderr, result
        assert device.digest() == before
        device.expect(0, "run")


@test("run with nothing pending is 40")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        device.expect(40, "run")
        device.expect(40, "finalize")


@test("a boot loader that goes back is 110; the target fails and is not taken again by itself")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        device.expect(100, "update", "--src-dir", bundle)
        device.boot_old()
        result = device.expect(110, "run")
        assert f"{NAME}-2" in result.stderr, result
        state = check_state(device)
        assert [target["name"] for target in state["failing"]] == [f"{NAME}-2"]
        assert state["current"]["name"] == f"{NAME}-1" and "pending" not in state
        result = device.expect(0, "check", "--src-dir", bundle, "--json", "1")
        listed = by_name(follows(result.stdout, "installer-targets.schema.json"))
        assert listed[f"{NAME}-2"].get("failed") and "selected" not in listed[f"{NAME}-2"]
        device.expect(0, "update", "--src-dir", bundle)
        device.expect(0, "pull", "--src-dir", bundle)
        device.expect(0, "install", "--src-dir", bundle)
        assert device.deployments() == [lab.commits[1]]
        device.expect(100, "update", "2", "--src-dir", bundle)
        device.expect(0, "run")
        assert check_state(device)["failing"] == []


@test("an older latest target is nothing to do; by name or version it is installed")
def _(tmp):
    lab = Lab(tmp)
    old = lab.bundle([1, 2])
    with lab.device(version=3) as device:
        device.expect(0, "check", "--src-dir", lab.bundle([1, 2, 3]))
        for command in ("check", "pull", "install", "update"):
            device.expect(0, command, "--src-dir", old)
        device.expect(100, "update", "--update-name", "1", "--src-dir", old)
        device.expect(0, "run")
        assert check_state(device)["current"]["name"] == f"{NAME}-1"
        device.expect(100, "update", f"{NAME}-2", "--src-dir", old)


@test("what a factory deployed has its name from the targets role, so an older bundle is not newer")
def _(tmp):
    lab = Lab(tmp)
    with lab.device(version=3) as device:
        device.expect(0, "check", "--src-dir", lab.bundle([1, 2]))
        assert check_state(device)["current"]["name"] == f"{NAME}-3"


@test("a target that nobody knows is 20, by name and by version")
def _(tmp):
    lab = Lab(tmp)
    bundle = lab.bundle([2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        before = device.digest()
        for command in ("pull", "install", "update"):
            for target in ("nobody", "99", f"{NAME}-99"):
                device.expect(20, command, target, "--src-dir", bundle)
        # Release 3 is in the targets role, and the bundle does not list it.
        device.expect(20, "pull", "3", "--src-dir", bundle)
        assert device.digest() == before


@test("check and list go by the target that was asked for: by name, by version, else 20")
def _(tmp):
    lab = Lab(tmp)
    bundle = lab.bundle([2, 3])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        for command, status in (("check", 20), ("list", 20)):
            for words in (["nobody"], ["99"], ["--update-name", f"{NAME}-99"]):
                result = device.expect(status, command, *words, "--src-dir", bundle)
                assert words[-1] in result.stderr, result
            for words in (["2"], [f"{NAME}-2"], ["--update-name", "2"]):
                result = device.expect(16, command, *words, "--src-dir", bundle, "--json", "1")
                listed = by_name(follows(result.stdout, "installer-targets.schema.json"))
                assert listed[f"{NAME}-2"].get("selected"), listed
                assert "selected" not in listed[f"{NAME}-3"], listed
        device.expect(20, "list", "nobody")
        device.expect(16, "list", "2")


@test("status, run and finalize refuse a bundle and a target, and name the option")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        before = device.digest()
        for command in ("status", "run", "finalize"):
            for option in ("--src-dir", "--update-name"):
                result = device.expect(1, command, option, "x")
                assert f"'{command}' takes no {option}" in result.stderr, result
                assert result.stdout == "" and result.stderr.count("\n") == 1, result
        assert device.digest() == before


@test("a name that begins with digits is a name")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    lab.commits[5] = lab.commit(5)
    lab.release(5, commit=lab.commits[5], name="5g-board")
    bundle = lab.bundle([5])
    with lab.device() as device:
        device.expect(20, "pull", "5g", "--src-dir", bundle)
        device.expect(100, "update", "5g-board-5", "--src-dir", bundle)


@test("a new name for the commit that runs needs no reboot: install is 0 and it is current")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    lab.release(2, commit=lab.commits[1])
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(0, "check", "--src-dir", bundle)
        device.expect(0, "update", "1", "--src-dir", bundle)
        device.expect(0, "install", "2", "--src-dir", bundle)
        assert check_state(device)["current"]["name"] == f"{NAME}-2"
        assert device.deployments() == [lab.commits[1]]


@test("pull twice is 0 and reads nothing anew; a relative --src-dir is fine")
def _(tmp):
    lab = Lab(tmp)
    bundle = lab.bundle([2])
    with lab.device() as device:
        device.expect(0, "pull", "--src-dir", bundle.name, cwd=bundle.parent)
        before = device.digest()
        device.expect(0, "pull", "--src-dir", bundle)
        assert device.digest() == before


@test("options may stand before the command, and --quiet leaves results only")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    with lab.device() as device:
        result = run(["satchel-installer", "-c", device.config, "--src-dir", bundle, "check"])
        assert result.returncode == 16, result
        result = device.expect(0, "pull", "--src-dir", bundle, "--loglevel", "4")
        assert result.stderr == "" and result.stdout == "", result


@test("wrong command lines are status 1 with one line that names the problem")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        for words, part in ((["check"], "--src-dir"), (["pull"], "--src-dir"),
                            (["update"], "--src-dir"),
                            (["check", "--json", "2", "--src-dir", "x"], "--json"),
                            (["status", "--loglevel", "6"], "--loglevel"),
                            (["status", "word"], "word"),
                            (["install", "--install-mode", "later"], "delay-app-install"),
                            (["check", "--install-mode", "delay-app-install"], "--install-mode"),
                            (["install", "a", "--update-name", "b"], "twice"),
                            (["install", "a", "b"], "'b'")):
            result = device.expect(1, *words)
            assert part in result.stderr and result.stderr.count("\n") == 1, result
        assert run(["satchel-installer", "dance"]).returncode == 1


@test("configuration errors are status 1 with file, line and what was expected")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        good = device.config.read_text()
        device.config.write_text(good + "[x]\nnonsense\n")
        line = good.count("\n") + 2
        result = device.expect(1, "status")
        assert f"{device.config}:{line}: " in result.stderr and "expected" in result.stderr, result
        device.config.write_text(good.replace('"ostree"', '"debian"'))
        result = device.expect(1, "status")
        assert "pacman.type" in result.stderr and ":7: " in result.stderr, result
        result = run(["satchel-installer", "status", "-c", tmp / "absent.toml"])
        assert result.returncode == 1 and "absent.toml" in result.stderr, result


@test("files of several folders are merged in order of file name")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        first, second = tmp / "first", tmp / "second"
        first.mkdir()
        second.mkdir()
        (first / "10.toml").write_text(device.config.read_text())
        (first / "20.toml").write_text('[pacman]\ntags = "from-20"\n')
        (first / "note.txt").write_text("not read")
        (second / "15.toml").write_text('[pacman]\ntags = "from-15"\n')

        def tag(*paths):
            words = [word for path in paths for word in ("-c", path)]
            result = run(["satchel-installer", "status", "--json", "1", *words])
            assert result.returncode == 0, result
            return json.loads(result.stdout)["tag"]

        assert tag(first, second) == "from-20"
        (second / "20.toml").write_text('[pacman]\ntags = "other-20"\n')
        assert tag(first, second) == "other-20"
        assert tag(second, first) == "from-20"


@test("a sysroot that is not there, or has no deployment, is status 1 and nothing is half done")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2])
    with lab.device() as device:
        good = device.config.read_text()
        device.config.write_text(good.replace(str(device.sysroot), str(tmp / "nothing")))
        result = device.expect(1, "status")
        assert "sysroot" in result.stderr, result
        device.config.write_text(good.replace('os = "lmp"', 'os = "other"'))
        result = device.expect(1, "update", "--src-dir", bundle)
        assert "no deployment" in result.stderr, result
        device.config.write_text(good.replace('booted = "staged"', 'booted = "1"'))
        result = device.expect(1, "status")
        assert "staged" in result.stderr, result


@test("without any deployment there is nothing to update: install and update are 1, and deploy nothing")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        sh("ostree", "admin", "undeploy", f"--sysroot={device.sysroot}", "0")
        assert "unknown\tsha256:none" in device.expect(0, "status").stdout
        device.expect(16, "check", "--src-dir", bundle)
        device.expect(16, "list")
        device.expect(0, "pull", "--src-dir", bundle)
        before = device.digest()
        for command in ("install", "update"):
            result = device.expect(1, command, "--src-dir", bundle)
            assert f"{device.sysroot} has no deployment of 'lmp'" in result.stderr, result
        device.expect(40, "run")
        device.expect(21, "rollback")
        assert device.digest() == before and device.deployments() == []
        # The first one is nobody's but ostree's.
        sh("ostree", "admin", "deploy", f"--sysroot={device.sysroot}", f"--os={OS}",
           lab.commits[2])
        device.expect(0, "update", "--src-dir", bundle)
        assert check_state(device)["current"]["name"] == f"{NAME}-2"


@test("without the rights each command is 1, says whose it takes, and changes nothing")
def _(tmp):
    if os.getuid() != 0:
        skip("only root can give its rights away")
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    for folder in (tmp, bundle):
        folder.chmod(0o755)
    with lab.device() as device:
        device.folder.chmod(0o755)
        device.expect(0, "pull", "--src-dir", bundle)
        before = device.digest()
        for words in (["status"], ["list"], ["check", "--src-dir", bundle],
                      ["pull", "--src-dir", bundle], ["install"], ["update", "--src-dir", bundle],
                      ["run"], ["rollback"]):
            argv = device.argv(*words)
            result = run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                          program(argv[0]), *argv[1:]])
            assert result.returncode == 1 and result.stdout == "", result
            assert f"{device.storage}/satchel: Permission denied; run this as root" in result.stderr, result
            assert result.stderr.count("\n") == 1, result
        assert device.digest() == before
        device.expect(100, "install")


@test("the device's history says what was installed, when, and from which bundle")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(100, "update", "--src-dir", bundle)
        device.expect(0, "run")
        events = check_state(device)["events"]
        kinds = [(event["event"], event["name"]) for event in events]
        assert kinds == [("working", f"{NAME}-1"), ("deployed", f"{NAME}-2"),
                         ("working", f"{NAME}-2")], kinds
        digest = sh("sha256sum", bundle / "tuf/bundle-targets.json").split()[0]
        assert events[-1]["bundle"] == digest, events


@test("a failing target that runs all the same is 18 where there is one to go back to, else 21")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    alone = lab.bundle([2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        device.expect(100, "update", "--src-dir", bundle)
        device.expect(0, "run")
        state = device.state()
        state["failing"] = [state["current"]]
        device.state_file.write_text(json.dumps(state))
        result = device.expect(18, "check", "--src-dir", bundle, "--json", "1")
        listed = by_name(follows(result.stdout, "installer-targets.schema.json"))
        assert listed[f"{NAME}-1"]["selected"] and listed[f"{NAME}-2"]["failed"], listed
        result = device.expect(21, "check", "--src-dir", alone, "--json", "1")
        follows(result.stdout, "installer-targets.schema.json")


@test("the example configuration is one")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        folder = tmp / "conf.d"
        folder.mkdir()
        shutil.copy(ROOT / "installer/satchel.toml", folder / "10.toml")
        shutil.copy(device.config, folder / "20.toml")
        result = run(["satchel-installer", "status", "-c", folder])
        assert result.returncode == 0, result


@test("a repository of the tuf dialect is installed as well")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2), dialect="tuf")
    with lab.device() as device:
        device.expect(100, "update", "--src-dir", lab.bundle([2]))
        device.expect(0, "run")


main()
