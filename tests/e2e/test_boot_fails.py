#!/usr/bin/python3
"""A new system that does not boot, in a virtual machine whose boot loader counts (guest/init)."""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
import board  # noqa: E402
import guest_image  # noqa: E402
import sticks  # noqa: E402
from tap import main, test  # noqa: E402

IMAGE = guest_image.build()
VARIABLES = "/sysroot/boot.variables"


def console(device):
    return device.console.read_text("utf-8", "replace")


@test("behind a system that does not boot the old one comes back, and run and receipts tell of it")
def _(tmp):
    stick = sticks.fat32(tmp / "stick", {"update": IMAGE.bundles / "dead"})
    with board.resume(IMAGE, tmp) as device:
        device.check(f"mkdir {VARIABLES}")
        device.configure('[bootloader]\nrollback_mode = "uboot_masked"')
        device.plug(stick, writable=True)
        device.wait_ended()
    for count in (1, 2):
        with board.Board(tmp, tmp / "disk") as device:
            device.wait_ended()
            said = console(device)
            assert f"GUEST-BOOT-COUNT {count}" in said and "Kernel panic" in said, said
    with board.start(tmp) as device:
        assert "GUEST-BOOT-COUNT 3" in console(device)
        assert "RELEASE=1" in device.check("cat /usr/lib/os-release")
        run = device.check("systemctl show -p ExecMainStatus -p Result satchel-run")
        assert run.splitlines() == ["Result=exit-code", "ExecMainStatus=110"], run
        assert device.check("cat /run/satchel/status").startswith("failed: ")
        history = [one["signed"] for one in device.history()]
        assert [one["status"] for one in history] == [100, 110], history
        assert history[-1]["after"]["commit"] == IMAGE.commit(1), history
        assert device.check(f"cd {VARIABLES} && cat upgrade_available bootcount") == "0\n0"
        came = device.insert(stick)
        assert came.status == 0 and came.said("was tried and failed"), came
    found = sticks.files_on_fat(stick)
    print(f"# {sorted(found)}")
    assert sum(b'"status": 110' in data for data in found.values()) == 1, found


main()
