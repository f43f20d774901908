#!/usr/bin/python3
"""`media`: what lies on a stick is judged by a process without privileges, and the best is taken."""
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import Lab, NAME  # noqa: E402
from tap import main, program, test  # noqa: E402


def stick_in(folder):
    """An empty stick that everybody may read, as one that is mounted is."""
    stick = folder / "stick"
    stick.mkdir()
    return stick


def quiet_now():
    """Hours around now, by the local clock, that last longer than any test."""
    now = datetime.datetime.now()
    hours = datetime.timedelta(hours=8)
    return f"{now - hours:%H:%M}-{now + hours:%H:%M}"


def digest(device):
    """What must not change when nothing is installed; a receipt is kept all the same."""
    storage, sysroot = device.digest()
    return ({name: value for name, value in storage.items()
             if not name.startswith("satchel/receipts")}, sysroot)


def put(bundle, place):
    """Moves a bundle of the lab onto a stick."""
    shutil.move(bundle, place)
    for top, folders, files in os.walk(place):
        for name in folders + files:
            path = pathlib.Path(top) / name
            path.chmod(0o755 if path.is_dir() else 0o644)
    return place


def put_parts(lab, place, part_bytes):
    """Release 2 in parts of that size; how many there are."""
    packed = lab.bundle([2], "--split", str(part_bytes), packed=True)
    parts = list(packed.parent.glob(packed.name + ".*"))
    for part in parts:
        put(part, place / f"u.satchel{part.suffix}")
    return len(parts)


@test("the highest acceptable version of several bundles is installed, and each gets its verdict")
def _(tmp):
    lab = Lab(tmp)
    stick = stick_in(tmp)
    put(lab.bundle([2], packed=True), stick / "a (2).satchel")
    (stick / "new").mkdir()
    put(lab.bundle([3]), stick / "new/bundle")
    put(lab.bundle([3], tag="other", packed=True), stick / "wrong.satchel")
    with lab.device() as device:
        result = device.expect(100, "media", stick)
        assert device.state()["pending"]["name"] == f"{NAME}-3", result
        for word in ("a (2).satchel: good: ", "new/bundle: good: ", "wrong.satchel: refused: ",
                     "the stick may be removed", f"{NAME}-3 is installed"):
            assert word in result.stderr, (word, result)
        # Nothing was said to be removable before all of it was there.
        assert result.stderr.index("the stick may be removed") < \
            result.stderr.index("is installed"), result
        device.expect(0, "run")
        assert device.state()["current"]["name"] == f"{NAME}-3"
        result = device.expect(0, "media", stick)
        assert "nothing to do" in result.stderr, result


@test("a set of very many parts is taken like any other")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    stick = stick_in(tmp)
    n_parts = put_parts(lab, stick, 512)
    assert n_parts > 80, n_parts  # more than a process has opened as a rule
    with lab.device() as device:
        device.expect(100, "media", stick)


@test("split sets, a bundle in the root, and folders one level below are found; deeper ones are not")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    plain = lab.bundle([2])
    with lab.device() as device:
        root = stick_in(tmp)
        for part in plain.iterdir():
            put(part, root / part.name)
        assert ".: good: " in device.expect(100, "media", root).stderr
    for place, status in (("set", 100), ("one/two", 3)):
        stick = tmp / f"stick-{status}"
        (stick / place).mkdir(parents=True)
        if status == 100:
            n_parts = put_parts(lab, stick / place, 40000)
            assert n_parts > 1, n_parts
        else:
            put(lab.bundle([2], packed=True), stick / place / "u.satchel")
        with lab.device() as device:
            device.expect(status, "media", stick)


@test("a split set without its first part is refused with the missing name")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    stick = stick_in(tmp)
    packed = lab.bundle([2], "--split", "40000", packed=True)
    put(packed.parent / f"{packed.name}.001", stick / "u.satchel.001")
    with lab.device() as device:
        result = device.expect(50, "media", stick)
        assert "u.satchel.000" in result.stderr, result


@test("what macOS, Windows and browsers leave on a stick is passed over")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    stick = stick_in(tmp)
    packed = lab.bundle([2], packed=True)
    for folder in ("$RECYCLE.BIN", ".Trashes", "System Volume Information", "FOUND.000",
                   "u.satchel.download", "lost+found"):
        (stick / folder).mkdir()
        shutil.copy(packed, stick / folder / "u.satchel")
    (stick / "._u.satchel").write_bytes(b"\0\5\26\7")
    (stick / "u.satchel.crdownload").write_bytes(b"half")
    shutil.copy(packed, stick / "v.satchel")
    (stick / "v.satchel.part").touch()
    (stick / "photo.jpg").write_bytes(b"photo")
    (stick / "link.satchel").symlink_to(packed)
    with lab.device() as device:
        before = digest(device)
        result = device.expect(3, "media", stick)
        assert "nothing for this device" in result.stderr, result
        assert "satchel:" not in result.stderr.replace("satchel-installer:", ""), result
        assert digest(device) == before


@test("a refusal gives the status that update gives; what is for another device gives 3")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    lab.release(5, hardware="toaster", commit=lab.commits[2], name="toaster-lmp")
    cases = ((lambda: lab.bundle([2], tag="other"), 15),
             (lambda: lab.odd_bundle([2], days=-1), 12),
             (lambda: lab.odd_bundle([2], signers=[lab.stranger()]), 15),
             (lambda: lab.bundle([5]), 3))
    for number, (make, status) in enumerate(cases):
        stick = tmp / f"stick-{number}"
        stick.mkdir()
        put(make(), stick / "bundle")
        with lab.device() as device:
            before = digest(device)
            result = device.expect(status, "media", stick)
            assert "bundle: refused: " in result.stderr, result
            assert digest(device) == before, result


@test("one good bundle beside a refused one and one that is no bundle is installed")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2, 3))
    stick = stick_in(tmp)
    put(lab.odd_bundle([3], signers=[lab.stranger()]), stick / "bad")
    (stick / "broken.satchel").write_bytes(b"nothing of the kind" * 1000)
    put(lab.bundle([2], packed=True), stick / "good.satchel")
    with lab.device() as device:
        result = device.expect(100, "media", stick)
        assert device.state()["pending"]["name"] == f"{NAME}-2", result


@test("what was refused and may be newer is not hidden by a bundle of what runs")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    stick = stick_in(tmp)
    put(lab.bundle([1], packed=True), stick / "old.satchel")
    with lab.device() as device:
        assert "nothing newer" in device.expect(0, "media", stick).stderr
        put(lab.odd_bundle([2], signers=[lab.stranger()]), stick / "zz")
        result = device.expect(15, "media", stick)
        assert "zz: " in result.stderr.splitlines()[-1], result
        assert "nothing newer" not in result.stderr, result


@test("an object that was altered is refused with 50; a good copy then finishes the work")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    stick = stick_in(tmp)
    bundle = put(lab.bundle([2]), stick / "bundle")
    victim = max((bundle / "ostree_repo/objects").rglob("*.filez"), key=lambda p: p.stat().st_size)
    good = victim.read_bytes()
    victim.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with lab.device() as device:
        result = device.expect(50, "media", stick)
        assert "may be removed" not in result.stderr, result
        assert "pending" not in (device.state() or {}), result
        victim.write_bytes(good)
        device.expect(100, "media", stick)


@test("where the best bundle turns out to be damaged, the next best is taken; the receipt tells both")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2, 3))
    stick = stick_in(tmp)
    bundle = put(lab.bundle([3]), stick / "new")
    put(lab.bundle([2], packed=True), stick / "old.satchel")
    damage = [path for path in (bundle / "ostree_repo/objects").rglob("*.filez")]
    for victim in damage:
        victim.write_bytes(victim.read_bytes()[:-1] + b"?")
    buzzer = tmp / "buzzer"
    buzzer.write_text(f'#!/bin/sh\necho "$1" >>{tmp}/states\n')
    buzzer.chmod(0o755)
    with lab.device() as device:
        device.write_config(f'[signals]\ncommand = "{buzzer}"\n')
        result = device.expect(100, "media", stick)
        assert (tmp / "states").read_text().split()[:5] == \
            ["checking", "copying", "checking", "copying", "safe-to-remove"]
        assert "new: refused: " in result.stderr, result
        assert device.state()["pending"]["name"] == f"{NAME}-2", result
        receipt = json.loads(device.expect(0, "history", "--json", "1").stdout)[-1]["signed"]
        told = {one["path"]: (one["verdict"], one.get("status"), one["chosen"])
                for one in receipt["candidates"]}
        assert told == {"new": ("refused", 50, False), "old.satchel": ("installable", None, True)}, \
            receipt


@test("what the device itself lacks or forbids is not asked of the next bundle")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2, 3))
    stick = stick_in(tmp)
    put(lab.bundle([3], packed=True), stick / "new.satchel")
    put(lab.bundle([2], packed=True), stick / "old.satchel")
    veto = tmp / "veto"
    veto.write_text('#!/bin/sh\n[ "$MESSAGE" != download-pre ]\n')
    veto.chmod(0o755)
    with lab.device() as device:
        device.write_config("[satchel]\ncallback_veto = true\n",
                            pacman=f'callback_program = "{veto}"\n')
        result = device.expect(1, "media", stick)
        assert "refused: " not in result.stderr, result
        assert not device.has_commit(2), result


@test("the policy keeps an update from being installed, and says why")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    stick = stick_in(tmp)
    put(lab.bundle([2], packed=True), stick / "u.satchel")
    yes, switch, battery = tmp / "yes", tmp / "switch", tmp / "capacity"
    switch.write_text("0\n")
    battery.write_text("29\n")
    ask = tmp / "ask"
    ask.write_text("#!/bin/sh\necho the key is in the drawer >&2\nexit 1\n")
    ask.chmod(0o755)
    cases = (('install = "offer"', "only offered"),
             (f'quiet_hours = "{quiet_now()}"', "quiet hours until"),
             (f'battery_file = "{battery}"', "at 29 percent, less than 30"),
             (f'approval_file = "{yes}"', f"{yes} is not there"),
             (f'approval_switch = "{switch}"', "is off"),
             (f'approval_command = "{ask}"', "the key is in the drawer"),
             (f'check_command = "{ask}"', "the check says no"))
    with lab.device() as device:
        for setting, word in cases:
            device.write_config(f"[media]\n{setting}\n")
            result = device.expect(16, "media", stick)
            assert word in result.stderr and not device.has_commit(2), (setting, result)
        device.write_config("[media]\nenabled = false\n")
        result = device.expect(0, "media", stick)
        assert "media.enabled" in result.stderr, result
        yes.touch()
        switch.write_text("1\n")
        battery.write_text("30\n")
        ask.write_text("#!/bin/sh\nexit 0\n")
        lines = "\n".join(case[0] for case in cases if "quiet" not in case[0] and
                          "offer" not in case[0])
        device.write_config(f'[media]\nquiet_hours = ""\n{lines}\n')
        device.expect(100, "media", stick)


@test("media.signers asks for the signature of one of some keys")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    stick = stick_in(tmp)
    put(lab.bundle([2], packed=True), stick / "u.satchel")
    with lab.device() as device:
        device.write_config(f'[media]\nsigners = "{"0" * 64}"\n')
        result = device.expect(15, "media", stick)
        assert "none of media.signers" in result.stderr and not device.has_commit(2), result
        device.write_config(f'[media]\nsigners = "{"0" * 64}, {lab.keyid("targets")}"\n')
        device.expect(100, "media", stick)


@test("a second stick waits for the first one, and is told so")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    stick = stick_in(tmp)
    put(lab.bundle([2], packed=True), stick / "u.satchel")
    gate, reached = tmp / "gate", tmp / "reached"
    os.mkfifo(gate)
    os.mkfifo(reached)
    hold = tmp / "hold"
    hold.write_text(f"#!/bin/sh\necho at >{reached}\nread line <{gate}\n")
    hold.chmod(0o755)
    with lab.device() as device:
        device.write_config(f'[media]\ncheck_command = "{hold}"\n')
        argv = [program("satchel-installer"), *map(str, device.argv("media", stick)[1:])]
        env = dict(os.environ, OSTREE_SYSROOT_DEBUG="mutable-deployments")
        with subprocess.Popen(argv, stderr=subprocess.PIPE, encoding="utf-8", env=env) as first:
            assert reached.read_text() == "at\n"
            with subprocess.Popen(argv, stderr=subprocess.PIPE, encoding="utf-8",
                                  env=env) as second:
                for line in second.stderr:
                    if "this stick waits" in line:
                        break
                else:
                    raise AssertionError("it does not say that it waits")
                gate.write_text("go\n")
                assert first.wait(120) == 100
                # The first one's update waits for its reboot.
                assert second.wait(120) == 30


@test("a stick that is full of other things is looked at to a bound")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    stick = stick_in(tmp)
    for n in range(40):
        (stick / f"n{n:02}.satchel").write_bytes(b"x" * 2000)
    with lab.device() as device:
        result = device.run("media", stick)
        assert "more than is looked at" in result.stderr, result
        assert result.stderr.count(": refused: ") == 32, result


@test("a stick that goes away while it is copied changes nothing, and the next one goes on there")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    stick = stick_in(tmp)
    objects = put(lab.bundle([2]), stick / "bundle") / "ostree_repo/objects"
    # The tree's metadata are there, and half of the files; the rest went with the stick.
    away = sorted(objects.rglob("*.filez"))[::2]
    hide = tmp / "hide"
    hide.write_text("#!/bin/sh\n[ \"$MESSAGE\" = download-pre ] || exit 0\n" +
                    "".join(f'mv "{path}" "{path}.gone"\n' for path in away))
    hide.chmod(0o755)
    with lab.device() as device:
        device.write_config(pacman=f'callback_program = "{hide}"\n')
        before = device.digest()[1]
        result = device.run("media", stick)
        assert result.returncode in (8, 50), result
        assert "may be removed" not in result.stderr, result
        deployments = device.deployments()
        assert deployments == [lab.commits[1]], deployments
        assert before.keys() <= device.digest()[1].keys()
        for path in away:
            pathlib.Path(f"{path}.gone").rename(path)
        device.write_config()
        device.expect(100, "media", stick)
        device.fsck()


main()
