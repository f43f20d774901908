#!/usr/bin/python3
"""Sticks with apps, for a device in a virtual machine that has Docker's engine and Compose."""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
import board  # noqa: E402
import engine_image  # noqa: E402
import sticks  # noqa: E402
from tap import main, test  # noqa: E402

IMAGE = engine_image.build()
ASK_ENGINE = """python3 -c '
import socket
engine = socket.socket(socket.AF_UNIX)
engine.connect("/run/docker.sock")
engine.sendall(b"GET /containers/json HTTP/1.0\\r\\n\\r\\n")
print(engine.makefile().read().split("\\n\\n", 1)[1])
'"""


def markers(device):
    """Of the containers that run."""
    return [one["Labels"]["marker"] for one in json.loads(device.check(ASK_ENGINE))]


def release(device):
    return device.check("sed -n s/RELEASE=//p /usr/lib/os-release")


def statuses(device):
    return [one["signed"]["status"] for one in device.history()]


def install_and_reboot(device, stick):
    """Inserts a stick that brings a new system; until the machine reboots."""
    device.plug(stick, writable=True)
    device.wait_ended()


@test("apps and systems are updated from sticks, and an app that fails leads back to the system before")
def _(tmp):
    stick = {name: sticks.fat32(tmp / name, {"update": IMAGE.bundles / name})
             for name in ("first", "second", "failing")}
    with board.resume(IMAGE, tmp) as device:
        device.keep_journal()
        came = device.insert(stick["first"])
        assert came.status == 0 and came.said("done: board-lmp-1 runs"), came
        assert markers(device) == ["1"]
        install_and_reboot(device, stick["second"])
    with board.start(tmp) as device:
        assert release(device) == "2" and markers(device) == ["2"]
        assert device.check("cat /run/satchel/status") == "done: board-lmp-2 runs"
        assert statuses(device) == [0, 100, 0]
        install_and_reboot(device, stick["failing"])
    with board.Board(tmp, tmp / "disk") as device:
        device.wait_ended()
    with board.start(tmp) as device:
        assert release(device) == "2" and markers(device) == ["2"]
        state = device.state()
        assert [target["name"] for target in state["failing"]] == ["board-lmp-3"], state
        assert state["current"]["name"] == "board-lmp-2" and "pending" not in state, state
        said = device.check("cat /run/satchel/status")
        assert said == "failed: board-lmp-2 runs again; board-lmp-3 failed: app web: service web " \
            "has ended with status 1", said
        assert statuses(device) == [0, 100, 0, 100, 120, 0]
        before = device.check("journalctl -q -b -1 -o cat -u satchel-run")
        assert "board-lmp-3 failed: app web: service web has ended with status 1" in before, before
        came = device.insert(stick["failing"])
        assert came.status == 0 and came.said("was tried and failed"), came
    found = sticks.files_on_fat(stick["failing"])
    assert sum(b'"status": 120' in data for data in found.values()) == 1, found


main()
