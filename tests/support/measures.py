#!/usr/bin/python3
"""The measures with a goal: each benchmark notes its own, and `make bench` ends with all of them as
one table, with the commands and the machine.

    measures.py FILE    prints the table of what was noted in FILE
"""
import json
import os
import pathlib
import platform
import re
import shlex
import sys
import time

FILE = "SATCHEL_MEASURES"


def show(words):
    """A command without where this machine keeps programs and what was measured."""
    line = shlex.join(str(word) for word in words)
    line = re.sub(r"[^\s']*/(satchel-[a-z]+)(?=[\s']|$)", r"\1", line)
    return re.sub(r"[^\s'=]*/bench-[^/\s']+", "WORK", line)


def note(measure, ours, peer, goal, value, runs, commands, at_least=False):
    """One row. @ours, @peer: what was measured, in words; @value: what the goal is about; @commands:
    name -> words."""
    met = value >= goal if at_least else value <= goal
    print(f"{measure}: {ours} against {peer}: {value:.2f}, goal {goal:g} or "
          f"{'more' if at_least else 'less'}: {'met' if met else 'missed'}")
    if FILE in os.environ:
        row = {"measure": measure, "ours": ours, "peer": peer, "value": value,
               "goal": f"{goal:g} or {'more' if at_least else 'less'}", "met": met, "runs": runs,
               "commands": {name: show(words) for name, words in commands.items()}}
        with open(os.environ[FILE], "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def machine():
    model = next((line.partition(": ")[2].strip() for line in
                  pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} processors ({model}), {memory:.0f} GiB, Linux {platform.release()}"


def table(rows):
    yield f"{time.strftime('%Y-%m-%d', time.gmtime())}, {machine()}; medians"
    yield ""
    yield "| measure | satchel | peer | value | goal | |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        yield (f"| {row['measure']} | {row['ours']} | {row['peer']} | {row['value']:.2f} | "
               f"{row['goal']} | {'met' if row['met'] else 'missed'}, {row['runs']} runs |")
    yield ""
    seen = {}
    for row in rows:
        seen.update(row["commands"])
    yield from (f"    # {name}\n    {words}" for name, words in seen.items())


if __name__ == "__main__":
    noted = pathlib.Path(sys.argv[1])
    if noted.exists():
        print("\n".join(table([json.loads(line) for line in noted.read_text().splitlines()])))
