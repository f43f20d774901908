#!/usr/bin/python3
"""The plug pulled in the middle of updates, in a virtual machine (see powercut.py).

SATCHEL_CUTS: how many times (10).
"""
import concurrent.futures
import os
import pathlib
import random
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
import guest_image  # noqa: E402
import powercut  # noqa: E402
import powercut_oracle  # noqa: E402
from power_cut import Bench  # noqa: E402
from tap import main, test  # noqa: E402

CUTS = int(os.environ.get("SATCHEL_CUTS", "10"))


class Comments:
    """Standard output whose lines are comments of TAP."""

    def __init__(self, stream):
        self.stream = stream
        self.at_begin = True

    def write(self, text):
        for line in text.splitlines(keepends=True):
            self.stream.write(("# " if self.at_begin else "") + line)
            self.at_begin = line.endswith("\n")

    def flush(self):
        self.stream.flush()


def commented(function, *arguments):
    sys.stdout = Comments(sys.__stdout__)
    try:
        return function(*arguments)
    finally:
        sys.stdout = sys.__stdout__


def run_all(folder):
    bench = Bench(guest_image.build(), folder)
    bench.prepare()
    judges = concurrent.futures.ProcessPoolExecutor(1)
    judging = [judges.submit(recording.judge) for recording in powercut_oracle.record_both(bench)]

    @test("a machine without power in libostree's own deploy does not boot")
    def _():
        assert commented(powercut.control, bench), "the harness sees nothing"

    @test(f"a machine survives {CUTS} power cuts in updates")
    def _():
        seed = random.SystemRandom().randrange(1 << 24)
        survivors = commented(powercut.campaign, bench, CUTS, seed, guest_image.CACHE)
        assert survivors == CUTS, f"{survivors} of {CUTS} survive"

    @test("every point of an installation leaves a disk that boots")
    def _():
        good, control = commented(powercut_oracle.is_good, [one.result() for one in judging])
        assert control, "libostree's own deploy has no bad point: nothing was looked at"
        assert good

    main()


with tempfile.TemporaryDirectory(prefix="satchel-powercut-") as work:
    run_all(pathlib.Path(work))
