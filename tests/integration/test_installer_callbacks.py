#!/usr/bin/python3
"""The callback program: what it is told, in which order, what it may refuse, and current-target."""
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import NAME, Lab, sh  # noqa: E402
from tap import main, test  # noqa: E402

ONE, TWO = f"{NAME}-1", f"{NAME}-2"
HANDLER = """#!/bin/sh
echo "$MESSAGE ${CURRENT_TARGET_NAME--} ${INSTALL_TARGET_NAME--} ${RESULT--}" >> '%s/calls'
cp "$CURRENT_TARGET" '%s/seen' 2>/dev/null
echo to stdout
echo to stderr >&2
%s
"""


class Handler:
    """A callback program that notes its calls, and the configuration that names it."""

    def __init__(self, folder, end="exit 0"):
        self.folder = pathlib.Path(folder)
        self.program = self.folder / "handler of $(touch pwned)"
        self.end_with(end)

    def end_with(self, end):
        self.program.write_text(HANDLER % (self.folder, self.folder, end))
        self.program.chmod(0o755)

    def configure(self, device, satchel=""):
        device.write_config(f"[satchel]\n{satchel}", pacman=f'callback_program = "{self.program}"\n')

    def calls(self):
        """Since the last time."""
        file = self.folder / "calls"
        text = file.read_text() if file.exists() else ""
        file.unlink(missing_ok=True)
        return text.splitlines()


def current_target(device):
    """What a shell makes of the file."""
    script = '. "$1"; printf "%s|%s|%s|%s|%s|%s" "$TARGET_NAME" "$CUSTOM_VERSION" ' \
        '"${LMP_MANIFEST_SHA--}" "${META_SUBSCRIBER_OVERRIDES_SHA--}" "${CONTAINERS_SHA--}" "$TAG"'
    return sh("sh", "-c", script, "sh", device.storage / "current-target").split("|")


@test("update and run call it in the order of aktualizr-lite, with target and result")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    handler = Handler(tmp)
    with lab.device() as device:
        handler.configure(device)
        env = {"RESULT": "stale", "INSTALL_TARGET_NAME": "stale", "CURRENT_TARGET_NAME": "stale"}
        device.expect(100, "update", "--src-dir", bundle, env=env)
        assert handler.calls() == [
            "check-for-update-pre - - -",
            f"check-for-update-post {ONE} - OK",
            f"download-pre {ONE} {TWO} -",
            f"download-post {ONE} {TWO} OK",
            f"install-pre {ONE} {TWO} -",
            f"install-post {ONE} {TWO} NEEDS_COMPLETION"]
        assert f'TARGET_NAME="{ONE}"' in (tmp / "seen").read_text()
        device.expect(0, "run")
        assert handler.calls() == [f"install-final-pre {ONE} {TWO} -",
                                   f"install-post {TWO} {TWO} OK"]
        assert f'TARGET_NAME="{TWO}"' in (tmp / "seen").read_text()
        assert not list(tmp.glob("**/pwned")) and not pathlib.Path("pwned").exists()


@test("each command calls it for what it does itself; list and status never")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    handler = Handler(tmp)
    with lab.device() as device:
        handler.configure(device)
        device.expect(16, "check", "--src-dir", bundle)
        assert [call.split()[0] for call in handler.calls()] == ["check-for-update-pre",
                                                                 "check-for-update-post"]
        result = device.expect(16, "list", "--src-dir", bundle, "--json", "1")
        device.expect(0, "status")
        device.expect(40, "run")
        assert handler.calls() == [] and "to stdout" not in result.stdout
        device.expect(0, "pull", "--src-dir", bundle)
        assert handler.calls() == [f"download-pre {ONE} {TWO} -", f"download-post {ONE} {TWO} OK"]
        device.expect(100, "install", "--src-dir", bundle)
        assert handler.calls() == [f"install-pre {ONE} {TWO} -",
                                   f"install-post {ONE} {TWO} NEEDS_COMPLETION"]
        device.expect(0, "run")
        handler.calls()
        device.expect(0, "install", "2", "--src-dir", bundle)
        assert handler.calls() == [f"install-pre {TWO} {TWO} -", f"install-post {TWO} {TWO} OK"]


@test("failures are told with their reason: a bad bundle, lacking content, a failed boot")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    handler = Handler(tmp)
    with lab.device() as device:
        handler.configure(device)
        device.expect(15, "check", "--src-dir", lab.bundle([2], tag="other"))
        pre, post = handler.calls()
        assert pre == "check-for-update-pre - - -", pre
        assert post.startswith("check-for-update-post - - FAILED: bundle-targets.json: "), post
        bad = tmp / "bad"
        shutil.copytree(bundle, bad)
        for file in (bad / "ostree_repo/objects").glob("*/*.filez"):
            file.write_bytes(b"")
        device.expect(50, "pull", "--src-dir", bad)
        pre, post = handler.calls()
        assert post.startswith(f"download-post {ONE} {TWO} FAILED: ostree_repo"), post
        device.expect(50, "install", "--src-dir", bundle)
        assert handler.calls() == []
        device.expect(100, "update", "--src-dir", bundle)
        handler.calls()
        device.boot_old()
        device.expect(110, "run")
        pre, post = handler.calls()
        assert pre == f"install-final-pre {ONE} {TWO} -", pre
        assert post.startswith(f"install-post {ONE} {TWO} FAILED: {TWO} did not come up"), post


@test("an installation that fails and leaves the device as it is is told as one that went back")
def _(tmp):
    def no_kernel(top):
        shutil.rmtree(top / "usr/lib/modules")
    lab = Lab(tmp, releases=(1,))
    lab.release(2, commit=lab.commit(2, no_kernel))
    handler = Handler(tmp)
    with lab.device() as device:
        handler.configure(device)
        device.expect(110, "update", "--src-dir", lab.bundle([1, 2]))
        calls = handler.calls()[4:]
        assert calls[0] == f"install-pre {ONE} {TWO} -", calls
        assert calls[1].startswith(f"install-post {ONE} {TWO} FAILED: "), calls
        assert calls[2:] == [f"install-pre {ONE} {ONE} -", f"install-post {ONE} {ONE} OK"], calls


@test("a rollback by hand is told, and cannot be refused")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    handler = Handler(tmp)
    with lab.device() as device:
        handler.configure(device)
        device.expect(100, "update", "--src-dir", bundle)
        handler.calls()
        handler.end_with("exit 1")
        handler.configure(device, "callback_veto = true\n")
        device.expect(0, "rollback")
        assert handler.calls() == [f"install-post {ONE} {TWO} FAILED: rolled back by hand",
                                   f"install-pre {ONE} {ONE} -", f"install-post {ONE} {ONE} OK"]
        handler.configure(device)
        device.expect(100, "update", "2", "--src-dir", bundle)
        device.expect(0, "run")
        handler.calls()
        device.expect(100, "rollback")
        assert handler.calls() == [f"install-pre {TWO} {ONE} -",
                                   f"install-post {TWO} {ONE} NEEDS_COMPLETION"]


@test("its failure is said and stops nothing; a program that is not there is said once")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    handler = Handler(tmp)
    with lab.device() as device:
        handler.configure(device)
        for end, part in (("exit 3", "exit status 3: to stderr"), ("kill -9 $$", "signal 9"),
                          ("sleep 60", "took more than 1 s")):
            handler.end_with(end)
            if end == "sleep 60":
                handler.configure(device, "callback_timeout_s = 1\n")
            result = device.expect(16, "check", "--src-dir", bundle)
            assert result.stderr.count(part) == 2, result
            assert "callback check-for-update-pre" in result.stderr, result
        for prepare in (lambda: handler.program.chmod(0o644), handler.program.unlink):
            prepare()
            handler.configure(device)
            result = device.expect(16, "check", "--src-dir", bundle)
            assert result.stderr.count("it is not called any more") == 1, result
        device.expect(100, "update", "--src-dir", bundle)


@test("a veto ends check, pull and install with 1, says who refused, and changes nothing after it")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    handler = Handler(tmp)
    with lab.device() as device:
        def refuse(message, how="exit 9", limit=""):
            handler.end_with(f'[ "$MESSAGE" != {message} ] || {how}')
            handler.configure(device, f"callback_veto = true\n{limit}")

        def assert_refused(message, *words):
            before = device.digest()
            result = device.expect(1, *words, "--src-dir", bundle)
            assert f"{message} was refused by" in result.stderr, result
            assert handler.program.name in result.stderr, result
            assert device.digest() == before
            return handler.calls()

        handler.configure(device)
        device.expect(16, "check", "--src-dir", bundle)
        refuse("check-for-update-post")
        handler.calls()
        assert len(assert_refused("check-for-update-post", "check")) == 2
        assert len(assert_refused("check-for-update-post", "update")) == 2
        refuse("download-pre", "kill -9 $$")
        assert assert_refused("download-pre", "pull") == [f"download-pre {ONE} {TWO} -"]
        refuse("install-pre")
        device.expect(0, "pull", "--src-dir", bundle)
        handler.calls()
        assert assert_refused("install-pre", "install") == [f"install-pre {ONE} {TWO} -"]
        refuse("install-pre", "sleep 60", "callback_timeout_s = 1\n")
        assert_refused("install-pre", "install")
        # What comes after a step, or before the finalization, refuses nothing.
        for message in ("check-for-update-pre", "download-post", "install-post"):
            refuse(message)
            result = device.expect(100, "update", "2", "--src-dir", bundle)
            assert f"callback {message}: " in result.stderr, result
            device.expect(0, "rollback")
        refuse("install-final-pre")
        device.expect(100, "update", "2", "--src-dir", bundle)
        device.expect(0, "run")


@test("with the veto a program that cannot be run refuses check, pull and install, by its name")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([1, 2])
    handler = Handler(tmp)
    with lab.device() as device:
        handler.configure(device, "callback_veto = true\n")
        device.expect(0, "pull", "--src-dir", bundle)
        handler.program.chmod(0o644)
        before = device.digest()
        for command, message, why in (("check", "check-for-update-post", "Permission denied"),
                                      ("pull", "download-pre", "Permission denied"),
                                      ("install", "install-pre", "No such file"),
                                      ("update", "check-for-update-post", "No such file")):
            if why == "No such file":
                handler.program.unlink(missing_ok=True)
            result = device.expect(1, command, "--src-dir", bundle)
            assert f"{message} cannot be asked" in result.stderr, result
            assert handler.program.name in result.stderr and why in result.stderr, result
            assert device.digest() == before
        handler.end_with("exit 0")
        device.expect(100, "update", "--src-dir", bundle)
        handler.program.unlink()
        # It is told of a rollback, and not asked.
        device.expect(0, "rollback")


@test("current-target tells what runs, with what the metadata say of it")
def _(tmp):
    custom = {"lmp-manifest-sha": "aa11", "meta-subscriber-overrides-sha": "bb22",
              "containers-sha": "cc33"}
    lab = Lab(tmp, releases=(1,))
    lab.release(2, custom=custom)
    bundle = lab.bundle([1, 2])
    with lab.device() as device:
        device.expect(16, "check", "--src-dir", bundle)
        assert current_target(device) == [ONE, "1", "-", "-", "-", "devel"]
        device.expect(100, "update", "--src-dir", bundle)
        assert current_target(device)[0] == ONE
        device.expect(0, "run")
        file = device.storage / "current-target"
        assert file.read_text() == (
            f'TARGET_NAME="{TWO}"\nCUSTOM_VERSION="2"\nLMP_MANIFEST_SHA="aa11"\n'
            'META_SUBSCRIBER_OVERRIDES_SHA="bb22"\nCONTAINERS_SHA="cc33"\nTAG="devel"\n')
        assert file.stat().st_mode & 0o777 == 0o644
        # Only where something has changed it is written again.
        inode = file.stat().st_ino
        device.expect(0, "check", "--src-dir", bundle)
        assert file.stat().st_ino == inode


@test("a value in current-target is no command to the shell that reads it")
def _(tmp):
    nasty = "a\"b$(touch pwned)`touch pwned`\\c"
    lab = Lab(tmp, releases=(1,))
    lab.edit_targets(lambda targets: targets[ONE]["custom"].update({"lmp-manifest-sha": nasty}))
    with lab.device() as device:
        device.expect(0, "check", "--src-dir", lab.odd_bundle([1]))
        done = subprocess.run(["sh", "-c", '. "$1"; printf %s "$LMP_MANIFEST_SHA"', "sh",
                               device.storage / "current-target"], cwd=tmp, check=True,
                              stdout=subprocess.PIPE, encoding="utf-8")
        assert done.stdout == nasty, done.stdout
        assert not (tmp / "pwned").exists()


@test("current-target that cannot be written is said and stops nothing")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    with lab.device() as device:
        (device.storage / "current-target").mkdir()
        result = device.expect(16, "check", "--src-dir", lab.bundle([1, 2]))
        assert "current-target: " in result.stderr, result


main()
