#!/usr/bin/python3
"""The golden packed bundles: bytes that must not change, because devices in the field read them."""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from bundle_maker import contents  # noqa: E402
from tap import FIXTURES, main, program, run, test  # noqa: E402

CASES = sorted((FIXTURES / "bundles").iterdir())


def joined(case):
    return b"".join(part.read_bytes() for part in sorted(case.iterdir()))


@test("there are golden bundles")
def _():
    assert len(CASES) >= 4, CASES


for case in CASES:
    @test(f"{case.name}: unpacked by us, GNU tar and bsdtar it is the same, and packed again too")
    def _(tmp, case=case):
        first = min(case.iterdir())
        (tmp / "whole.tar").write_bytes(joined(case))
        run(["satchel-bundler", "unpack", first, tmp / "ours"], check=True)
        for unpacker in ("tar", "bsdtar"):
            (tmp / unpacker).mkdir()
            run([unpacker, "-xf", tmp / "whole.tar", "-C", tmp / unpacker], check=True,
                env={"LC_ALL": "C.UTF-8"})
            assert contents(tmp / unpacker) == contents(tmp / "ours"), unpacker
        run(["satchel-bundler", "pack", tmp / "ours", tmp / "again"], check=True)
        assert (tmp / "again").read_bytes() == (tmp / "whole.tar").read_bytes()


@test("the generator makes them, byte for byte")
def _(tmp):
    generator = FIXTURES / "bundles_generate.py"
    subprocess.run(["/usr/bin/python3", "-B", str(generator), str(tmp), str(program("satchel-bundler"))],
                   check=True, stderr=subprocess.DEVNULL)
    assert contents(tmp) == contents(FIXTURES / "bundles")


main()
