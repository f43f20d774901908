#!/usr/bin/python3
"""Pulls the plug of a virtual machine in the middle of updates, again and again.

    powercut.py [--cuts N] [--seed N]       each cut has a seed: N, N + 1, ...
    powercut.py --replay SEED [--name ...]  one cut again, as it was
    powercut.py --control                   what libostree's own deploy makes of it: it must brick

Each second cut is at one of the chosen instants, the worst first; at the others the seeds decide. After
each cut the machine boots, into the old or the new release and whole; the repository is clean, the state
tells what runs, and the next try finishes the update. After a chosen instant it boots with systemd, at
the others with a first program that is quicker. Ends with 1 if one did not survive; the disk of such a
machine, as the cut left it, is kept.
"""
import argparse
import collections
import pathlib
import random
import sys
import tempfile
import time

import guest_image
import machine
import power_cut
from power_cut import CHOSEN, Bench, Brick, Plan


def survive(bench, plan, kept):
    """Whether the machine survives that cut; says how."""
    begin = time.monotonic()
    try:
        told = bench.cut(plan)
        print(f"{plan}: {told}", flush=True)
        # systemd takes as long as all else; where the loader was changed it boots nevertheless.
        booted = bench.judge(quick=not plan.is_chosen)
    except Exception as problem:  # pylint: disable=broad-except
        # Also what cannot be parsed: half a state is what is looked for.
        place = kept / f"failed-{plan.seed}.disk"
        if (bench.folder / "disk").exists():
            machine.copy_disk(bench.folder / "disk", place)
        print(f"{plan}: FAILED ({type(problem).__name__}); disk kept in {place}\n"
              f"again: powercut.py --replay {plan.seed}"
              f"{f' --name {plan.given!r}' if plan.given else ''}\n{problem}", flush=True)
        return None
    print(f"  boots release {booted}; all well after {time.monotonic() - begin:.0f} s", flush=True)
    return booted


def campaign(bench, cuts, first_seed, kept):
    """Gives how many of the cuts were survived."""
    begin = time.monotonic()
    seen = collections.Counter()
    for n in range(cuts):
        name = CHOSEN[n // 2][0] if n % 2 == 0 and n // 2 < len(CHOSEN) else None
        seed = first_seed + n
        seen[survive(bench, Plan(seed, bench.counts, name), kept)] += 1
    survivors = cuts - seen[None]
    print(f"{cuts} cuts, {survivors} survivors ({seen[1]} booted the old release first, {seen[2]} the "
          f"new one), seeds {first_seed} to {first_seed + cuts - 1}, "
          f"{time.monotonic() - begin:.0f} s", flush=True)
    return survivors


def control(bench):
    """Whether the harness sees a brick where there must be one."""
    told = bench.cut(power_cut.control_plan(bench.image))
    print(f"control: ostree admin deploy: {told}", flush=True)
    try:
        booted = bench.judge()
    except Brick as problem:
        why = str(problem)
        print(f"control: does not boot: {why.splitlines()[0]}", flush=True)
        # By a word of the loader or the initramfs, and not because this machine was too slow.
        return why.startswith(("it ended", "idle"))
    print(f"control: boots release {booted}: the harness sees nothing", flush=True)
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--cuts", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 24))
    parser.add_argument("--replay", type=int)
    parser.add_argument("--name", help="of the chosen instant that is replayed")
    parser.add_argument("--control", action="store_true")
    given = parser.parse_args()
    image = guest_image.build()
    with tempfile.TemporaryDirectory(prefix="satchel-powercut-") as folder:
        bench = Bench(image, pathlib.Path(folder))
        bench.prepare()
        if given.control:
            good = control(bench)
        elif given.replay is not None:
            plan = Plan(given.replay, bench.counts, given.name)
            good = survive(bench, plan, guest_image.CACHE) is not None
        else:
            good = campaign(bench, given.cuts, given.seed, guest_image.CACHE) == given.cuts
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
