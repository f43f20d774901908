#!/usr/bin/python3
"""A stick that is pulled out of a device in a virtual machine."""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
import board  # noqa: E402
import guest_image  # noqa: E402
import sticks  # noqa: E402
from tap import main, test  # noqa: E402

IMAGE = guest_image.build()


@test("a stick that is pulled out as soon as it may be has done its work")
def _(tmp):
    stick = sticks.fat32(tmp / "stick", {"update.satchel": IMAGE.packed})
    with board.resume(IMAGE, tmp) as device:
        device.keep_journal()
        plug = device.plug(stick, writable=True)
        device.check("until grep -qE '^(safe|installing)' /run/satchel/status; do sleep 0.1; done")
        device.unplug(plug)
        device.wait_ended()
    with board.start(tmp) as device:
        assert "RELEASE=2" in device.check("cat /usr/lib/os-release")
        assert device.check("cat /run/satchel/status") == "done: board-lmp-2 runs"
        assert [one["signed"]["status"] for one in device.history()] == [100, 0]


main()
