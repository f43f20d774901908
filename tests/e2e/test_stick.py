#!/usr/bin/python3
"""A stick is inserted into a device in a virtual machine, and nobody does anything else."""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
import board  # noqa: E402
import guest_image  # noqa: E402
import sticks  # noqa: E402
from power_cut import NOT_SERVED  # noqa: E402
from schemas import check as check_schema  # noqa: E402
from tap import main, test  # noqa: E402

IMAGE = guest_image.build()
NO_REBOOT = '[media]\nreboot = "never"'
ALL_STATES = ["checking", "copying", "safe-to-remove", "installing", "rebooting", "done"]


def states(texts):
    """In their order, each once in a row; without those of the boot before the stick."""
    found = []
    for state in texts:
        if state == "idle":
            found = []
        elif not found or found[-1] != state:
            found.append(state)
    return found


def bundle(name):
    return IMAGE.bundles / name


def check_taken(device, came):
    """Release 2 is installed and waits for its reboot."""
    assert came.status == 100 and came.result == "success", came
    assert came.said("the stick may be removed"), came
    assert came.said("done: board-lmp-2 is installed; a reboot starts it"), came
    check_installed(device)


def check_installed(device):
    device.check(f"ostree admin status | grep -q '{IMAGE.commit(2)}.0 (pending)'")
    assert device.state()["pending"]["name"] == "board-lmp-2"
    assert 100 in [one["signed"]["status"] for one in device.history()]


def check_receipts(files, statuses):
    """Receipts of a stick: JSON that is valid and says these statuses, a text beside each."""
    texts = [name for name in files if name.endswith(".txt")]
    documents = [json.loads(data) for name, data in files.items() if name.endswith(".json")]
    for name, data in files.items():
        if name.endswith(".json"):
            check_schema(data, "installer-receipt.schema.json")
    assert len(texts) == len(documents), files
    assert [one["signed"]["status"] for one in documents] == statuses, files
    return documents


def check_first_part(device, stick):
    """What was said before the reboot, by the journal of the boot before and the stick."""
    said = device.check("journalctl -q -b -1 -o cat -u satchel-media@sda")
    for part in ("the stick may be removed", "board-lmp-2 is installed; a reboot starts it"):
        assert part in said, said
    receipt, = check_receipts(sticks.files_on_fat(stick), [100])
    assert receipt["signed"]["before"]["commit"] == IMAGE.commit(1), receipt
    assert receipt["signed"]["after"]["version"] == 2, receipt


@test("a packed bundle on FAT32 is checked, copied, installed, booted and confirmed by itself")
def _(tmp):
    stick = sticks.fat32(tmp / "stick", {"update.satchel": IMAGE.packed})
    with board.resume(IMAGE, tmp) as device:
        device.keep_journal()
        device.plug(stick, writable=True)
        device.wait_ended()
    with board.start(tmp) as device:
        assert "RELEASE=2" in device.check("cat /usr/lib/os-release")
        check_first_part(device, stick)
        run = device.check("systemctl show -p ExecMainStatus -p Result satchel-run")
        assert run.splitlines() == ["Result=success", "ExecMainStatus=0"], run
        assert device.check("cat /run/satchel/status") == "done: board-lmp-2 runs"
        told = states(line["state"] for line in device.signals())
        assert told == ALL_STATES, told
        bus = device.check("cat /var/satchel-test/bus")
        told = states(json.loads(line)["payload"]["data"][0]
                      for line in bus.splitlines() if '"StateChanged"' in line)
        # Behind the reboot nobody may listen yet.
        assert told[:5] == ALL_STATES[:5], bus
        assert [one["signed"]["status"] for one in device.history()] == [100, 0]
        assert device.state()["current"]["name"] == "board-lmp-2"
        assert "pending" not in device.state()


@test("a split set on a stick that is there at boot is taken, and tells of the reboot to the stick")
def _(tmp):
    stick = sticks.fat32(tmp / "stick", {"set": IMAGE.bundles / "split"})
    with board.Board(tmp, board.copy_disk(IMAGE.disk, tmp / "disk")) as device:
        device.plug(stick, writable=True)
        device.wait_ended()
    with board.Board(tmp, tmp / "disk") as device:
        device.plug(stick, writable=True)
        device.wait_up()
        came = device.wait_served("sda")
        assert came.status == 0 and came.said("nothing newer for this device"), came
        assert "RELEASE=2" in device.check("cat /usr/lib/os-release")
        device.power_off()
    check_receipts(sticks.files_on_fat(stick), [100, 0, 0])


@test("of two bundles in an ext4 partition that cannot be written to the good one is taken")
def _(tmp):
    content = {"new/bundle": bundle("thin"), "old": bundle("expired"), "._new": b"of a Mac",
               ".Trash-0/files/update.satchel": b"thrown away", "._update.satchel": b"of a Mac"}
    plain = sticks.ext4(tmp / "plain", content)
    stick = sticks.in_partition(plain, tmp / "stick", kind=0x83)
    with board.resume(IMAGE, tmp) as device:
        device.configure(NO_REBOOT)
        came = device.insert(stick, "sda1", writable=False)
        assert came.said("old: refused: ") and not came.said("._"), came
        check_taken(device, came)


@test("without udev rule and unit --watch takes what is on an ISO 9660 image")
def _(tmp):
    stick = sticks.iso9660(tmp / "stick", {"bundle": bundle("thin")})
    with board.resume(IMAGE, tmp) as device:
        device.configure(NO_REBOOT)
        device.check(f"{NOT_SERVED}; setsid satchel-installer media --watch >/run/watch 2>&1 &")
        device.plug(stick, writable=True)
        device.check("until grep -qE '^(done|refused|failed): ' /run/satchel/status; do sleep 0.3; "
                     "done", cpu_s=board.SERVED_CPU_S)
        said = device.check("cat /run/satchel/status /run/watch")
        assert said.startswith("done: board-lmp-2 is installed; a reboot starts it"), said
        assert "the stick may be removed" in said, said
        check_installed(device)
        assert not device.served("sda").lines


@test("a folder on exFAT is taken, and another stick waits until that is done")
def _(tmp):
    first = sticks.exfat(tmp / "first", {"bundle": bundle("thin")}, tmp / "mounted")
    second = sticks.fat32(tmp / "second", {"update": bundle("foreign")})
    with board.resume(IMAGE, tmp) as device:
        device.configure(f"{NO_REBOOT}\ncheck_command = \"/bin/bash -c 'until [ -e /run/go ]; do "
                         "sleep 0.1; done'\"")
        device.plug(first, writable=True)
        device.wait_said("sda", "bundle: good: ")
        device.plug(second, writable=True)
        device.wait_said("sdb", "this stick waits")
        device.check("touch /run/go")
        check_taken(device, device.wait_served("sda"))
        came = device.wait_served("sdb")
        assert came.status == 30 and came.line.startswith("refused: "), came


main()
