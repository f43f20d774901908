#!/usr/bin/python3
"""Sticks that are pulled out of a device in a virtual machine: too early, and in time."""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
import board  # noqa: E402
import guest_image  # noqa: E402
import sticks  # noqa: E402
from tap import main, test  # noqa: E402

IMAGE = guest_image.build()
PULL_POINTS = range(4, 90, 9)    # of a hundred
SLOW = 1 << 20
SERVED_AT_ONCE = 3    # within a minute
LOOK = "ostree admin status; cat /boot/loader/syslinux.cfg"


def uptime(device):
    return float(device.check("cut -d ' ' -f 1 /proc/uptime"))


def said(device):
    return device.check("journalctl -q -o cat -u satchel-media@sda")


def bytes_read(device, stick):
    for one in device.command("query-blockstats"):
        if f"/usb-{stick}/" in one.get("qdev", "") + "/":
            return one["stats"]["rd_bytes"]
    raise AssertionError(f"no stick {stick}")


def pull_at(device, image, percent):
    """Pulls the stick out when that much of it has been copied. Gives the bytes that were read."""
    stick = device.plug(image, writable=True, bytes_s=SLOW)
    device.check("until percent=$(sed -n 's/^copying \\([0-9]*\\)%.*/\\1/p' /run/satchel/status); "
                 f"[ \"${{percent:-0}}\" -ge {percent} ]; do "
                 "! grep -qE '^(safe|installing|done)' /run/satchel/status || exit 1; sleep 0.1; done")
    read = bytes_read(device, stick)
    device.unplug(stick)
    device.wait_idle("sda")
    return read


@test(f"a stick that is pulled out at {len(PULL_POINTS)} points changes nothing, and goes on where it was")
def _(tmp):
    stick = sticks.fat32(tmp / "stick", {"bundle": IMAGE.bundles / "thin"})
    size = sum(file.stat().st_size for file in (IMAGE.bundles / "thin").rglob("*"))
    with board.resume(IMAGE, tmp) as device:
        device.configure('[media]\nreboot = "never"')
        before = device.check(LOOK)
        for percent in PULL_POINTS:
            read = pull_at(device, stick, percent)
            came = device.served("sda")
            print(f"# pulled out at {percent} %, {read >> 10} of {size >> 10} KiB read: {came.line}")
            assert came.line.startswith("failed: the stick was removed too early, and nothing has ")
            assert came.status == 50 and came.states[-1] == "failed", came
            assert device.history()[-1]["signed"]["status"] == 50
            assert device.check(LOOK) == before, said(device)
        device.check("ostree fsck --quiet")
        last = device.ended("sda")
        plug = device.plug(stick, writable=True)
        came = device.wait_served("sda", last)
        read = bytes_read(device, plug)
        print(f"# taken, {read >> 10} KiB read")
        assert came.status == 100, came
        # All but what was whole: the initramfs, one object, is half of it.
        assert read < size * 3 // 4, f"{read} of {size} were read again"
        device.check(f"ostree admin status | grep -q '{IMAGE.commit(2)}.0 (pending)'")


@test("a stick that comes and goes twenty times is served now and then, and at the end")
def _(tmp):
    stick = sticks.fat32(tmp / "stick", {"update": IMAGE.bundles / "foreign"})
    with board.resume(IMAGE, tmp) as device:
        begin = uptime(device)
        for n in range(20):
            plug = device.plug(stick, writable=True, port=1)
            device.wait_begun("sda")
            if n < SERVED_AT_ONCE:
                device.wait_said("sda", "holds nothing for this device", n + 1)
            elif n == SERVED_AT_ONCE and uptime(device) - begin < 50:
                device.wait_said("sda", "it is served in a while")
            device.unplug(plug)
            device.wait_idle("sda")
        last = device.ended("sda")
        device.plug(stick, writable=True, port=1)
        came = device.wait_served("sda", last)
        assert came.status == 3 and came.said("holds nothing for this device"), came
        took = uptime(device) - begin
        starts = int(device.check("journalctl -q -o cat -t satchel-installer | grep -c '^checking'"))
        print(f"# served {starts} times in {took:.0f} s")
        assert starts <= SERVED_AT_ONCE * (took // 60 + 1), f"{starts} in {took} s"
        device.check("! systemctl --failed --plain --no-legend | grep -v satchel-media@; "
                     "! find /run/satchel -name 'stick-*' | grep .")


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
