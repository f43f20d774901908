#!/usr/bin/python3
"""Sticks that bring nothing into a device in a virtual machine: a word, a receipt, and no change."""
import pathlib
import random
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
import board  # noqa: E402
import guest_image  # noqa: E402
import sticks  # noqa: E402
from device_lab import sh  # noqa: E402
from tap import main, test  # noqa: E402

IMAGE = guest_image.build()
KEPT = 4096
LOOK = "ostree admin status; ostree refs; find /boot -printf '%p %s %l\\n' | sort; cat /boot/loader/syslinux.cfg"


def bundle(name):
    return IMAGE.bundles / name


def photographs(path):
    source = random.Random(1)
    shots = {f"DCIM/{100 + n // 100}/IMG_{n}.JPG": source.randbytes(20000) for n in range(300)}
    return sticks.fat32(path, shots)


def huge_tree(path):
    """More folders and entries than anybody looks at, and links that lead back."""
    top = path.with_suffix(".tree")
    for n in range(1200):
        (top / f"{n}").mkdir(parents=True)
        for name in range(18):
            (top / f"{n}/{name}").touch()
    (top / "loop").symlink_to(".")
    (top / "0/loop").symlink_to("..")
    with open(path, "wb") as image:
        image.truncate(96 << 20)
    sh("mkfs.ext4", "-q", "-F", "-N", "40000", "-b", "1024", "-d", top, path)
    return path


def looping_folder(path):
    """A FAT whose folder `loop` holds an entry that leads to itself."""
    sticks.fat32(path, {"loop/inner/file": b"here"})
    data = bytearray(path.read_bytes())
    outer, inner = (data.index(name.ljust(11)) for name in (b"LOOP", b"INNER"))
    data[inner + 20:inner + 22] = data[outer + 20:outer + 22]
    data[inner + 26:inner + 28] = data[outer + 26:outer + 28]
    path.write_bytes(data)
    return path


def broken_chains(path):
    """A FAT whose tables end early: folders are whole, and most of the files are not."""
    sticks.fat32(path, {"update": bundle("thin")})
    data = bytearray(path.read_bytes())
    reserved = int.from_bytes(data[14:16], "little") * 512
    table = int.from_bytes(data[36:40], "little") * 512
    for n in (0, 1):
        begin = reserved + n * table
        data[begin + KEPT:begin + table] = bytes(table - KEPT)
    path.write_bytes(data)
    return path


def broken_ext4(path):
    """An ext4 whose group descriptors are zero."""
    sticks.ext4(path, {"update": bundle("thin")})
    with open(path, "r+b") as image:
        image.seek(2048)
        image.write(bytes(2048))
    return path


def fat_with(name):
    return lambda path: sticks.fat32(path, {"update": bundle(name)})


# (what, how it is made, status, a word of the journal, state, whether it gets a receipt; None: as may
# be)
REFUSALS = (
    ("a bundle for other hardware", fat_with("foreign"), 3, "holds nothing for this device",
     "refused", True),
    ("an expired bundle", fat_with("expired"), 12, "expired at", "refused", True),
    ("a bundle for another tag", fat_with("other-tag"), 15, "tag", "refused", True),
    ("a stranger's signature", fat_with("stranger"), 15, "signature", "refused", True),
    ("a damaged object", fat_with("damaged"), 50, "damaged or was altered", "failed", True),
    ("photographs", photographs, 3, "holds nothing for this device", "refused", False),
    ("a huge tree", huge_tree, 3, "holds more than is looked at", "refused", False),
    ("a folder within itself", looping_folder, 3, "holds nothing for this device", "refused",
     False),
    ("broken chains of clusters", broken_chains, None, "", None, None),
    ("broken group descriptors", broken_ext4, 50, "cannot be mounted", "failed", None),
)


def check_one(device, made, status, word, state, receipt):
    """Inserts a stick; all that is said and left must be as given."""
    count = len(device.history())
    device.check("rm -f /run/satchel/status")
    came = device.insert(made)
    print(f"# status {came.status}, {came.line}")
    if status is not None:
        assert came.status == status, came
        assert came.result == ("success" if status == 3 else "exit-code"), came
        assert came.said(word), came
        assert came.line.startswith(f"{state}: "), came
    assert came.line.split(":")[0] in ("refused", "failed"), came
    assert came.states[-1] in ("refused", "failed"), came.states
    if receipt is not None:
        names = sticks.receipts_on(made)
        assert len(names) == (2 if receipt else 0), names
    history = device.history()
    assert len(history) == count + 1, history
    assert history[-1]["signed"]["status"] == came.status, history[-1]


@test("sticks that are no good are refused, each with its reason, and change nothing")
def _(tmp):
    with board.resume(IMAGE, tmp) as device:
        before = device.check(LOOK)
        wrong = []
        for n, (what, make, *expected) in enumerate(REFUSALS):
            print(f"# {what}")
            try:
                check_one(device, make(tmp / f"stick-{n}"), *expected)
            except AssertionError as problem:
                wrong.append(f"{what}: {problem}")
            (tmp / f"stick-{n}").unlink()
        assert not wrong, "\n".join(wrong)
        assert device.check(LOOK) == before
        # It may know the name of what runs now, and no more.
        state = device.state()
        assert state["current"]["commit"] == IMAGE.commit(1) and not state["failing"], state
        assert "pending" not in state and "installing" not in state, state
        device.check("ostree fsck --quiet")
        assert not device.check("find /run/satchel -name 'stick-*'")


@test("EFI system partitions and file systems that are not configured are not served")
def _(tmp):
    plain = sticks.fat32(tmp / "plain", {"update": bundle("foreign")})
    boot = sticks.in_partition(plain, tmp / "stick", kind=0xEF)
    with open(tmp / "old", "wb") as image:
        image.truncate(8 << 20)
    sh("mkfs.ext2", "-q", "-F", tmp / "old")
    with board.resume(IMAGE, tmp) as device:
        device.plug(boot)
        device.check("until [ -b /dev/sda1 ]; do sleep 0.1; done; udevadm settle")
        came = device.insert(tmp / "old", "sdb")
        assert came.status == 1 and came.said("none of media.file_systems"), came
        assert not device.served("sda1").lines
        assert not device.served("sda").lines


main()
