#!/usr/bin/python3
"""Changes the sources in small ways, one at a time, and lists the changes that no unit test notices.

    mutate.py [--limit-s SECONDS] [--jobs N] [--every N] verify/json.c...

Works in copies of the tree; `make mutate FILES=…` calls it. For each change the file is compiled
anew and the unit tests that concern it are run: tests/unit/test_<stem>*.c and those of CONCERNED
first, and where none of them fails all other quick ones. A change is caught where a test fails,
crashes or takes too long. One that does not compile is not counted.

Status 0 where all were caught, 1 where some survived. A survivor is a question, not yet a fault: a
change may leave the meaning as it was.
"""
import argparse
import concurrent.futures
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TEST_TIMEOUT_S = 30
# Tests of a file that are not called as it is; a part of the name will do.
ROLES = ["metadata", "trusted_set"]
CONCERNED = {
    "json_parse": ["json", "canonical_json"],
    "json": ["json", "signed_document"],
    "hex": ["hex", "key", "threshold"],
    "digest": ["digest", "key", "signed_document"],
    "signature": ["signature", "threshold"],
    "root": ["root", *ROLES],
    "signed_role": ["root", *ROLES],
    "meta_file": ROLES, "hash_list": ROLES, "timestamp": ROLES, "snapshot": ROLES,
    "targets": [*ROLES, "delegation"],
    "trusted_set": [*ROLES, "root", "delegation"],
    "delegation": ["delegation", *ROLES],
    "delegation_walk": ["delegation"],
}
# Too slow to run for each change, or in need of more than memory.
SLOW = ("tuf_client", "atomic_write", "safe_read", "trust_store", "tuf_source", "ostree", "bundle_",
        "cli", "closure", "progress", "install", "collect", "config", "state", "sysroot")
# With the sanitizer a read one place too far fails a test too.
MAKE = ["make", "--silent", "BUILD=build/mutate", "SANITIZE=address", "OPTIMIZE=-O0", "HARDENING=",
        "WARNINGS=-w"]

# Kept for numbers in them: limits of a file stand there.
DEFINE = re.compile(r"^#define \w+ [\w() *]+$")
# Numbers that mean nothing: to keep compilers quiet, "one object", "to the end of the string".
IDLE_NUMBER = re.compile(r"^\s+(const )?\w+ \**\w+ = 0;$|g_new0\([^;]*, 1\)|, -1[,)]|return -1;")
# What a caller must not do anyway.
CONTRACT = re.compile(r"^\s+g_return_")
LITERALS = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\''
                      r'|^[ \t]*#[^\n]*', re.S | re.M)
SWAPS = [(re.compile(r"(?<![<>=!-])<(?![<=])"), "<="), (re.compile(r"(?<!<)<=(?!=)"), "<"),
         (re.compile(r"(?<![<>=!-])>(?![>=])"), ">="), (re.compile(r"(?<![>-])>=(?!=)"), ">"),
         (re.compile(r"(?<![=!<>])==(?!=)"), "!="), (re.compile(r"!="), "=="),
         (re.compile(r"&&"), "||"), (re.compile(r"\|\|"), "&&"),
         (re.compile(r"(?<=return )TRUE\b"), "FALSE"),
         (re.compile(r"(?<=return )FALSE\b"), "TRUE")]
NUMBER = re.compile(r"(?<![\w.])(0x[0-9a-fA-F]+|\d+)(?=[uUlL]*\b)(?!\.)")
CONDITION = re.compile(r"\bif \(")


def blank_literals(text):
    """The text at the same places, with comments, strings and preprocessor lines as blanks."""
    return LITERALS.sub(lambda m: m.group(0) if DEFINE.match(m.group(0)) else
                        re.sub(r"[^\n]", " ", m.group(0)), text)


def line_of(text, at):
    return text[text.rfind("\n", 0, at) + 1:].split("\n", 1)[0]


def closing(code, start):
    """The place of the bracket that closes the one at @start."""
    depth = 0
    for at in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[at], 0)
        if depth == 0:
            return at
    raise ValueError("brackets do not match")


def condition_mutations(code, text):
    """(start, end, replacement): each condition negated, each early return left out."""
    for match in CONDITION.finditer(code):
        start = match.end() - 1
        end = closing(code, start) + 1
        yield start, end, f"(!{text[start:end]})"
        if re.match(r"\s*\{?\s*return\b", code[end:]):
            yield start, end, f"({text[start:end]} && 0)"


def token_mutations(code, text):
    """(start, end, replacement): operators, truth values and numbers."""
    for pattern, replacement in SWAPS:
        for match in pattern.finditer(code):
            yield match.start(), match.end(), replacement
    for match in NUMBER.finditer(code):
        if IDLE_NUMBER.search(line_of(text, match.start())):
            continue
        value = int(match.group(1), 0)
        yield match.start(1), match.end(1), str(value + 1)
        if value > 0:
            yield match.start(1), match.end(1), str(value - 1)


def mutations(text):
    """All changes of a file, in its order."""
    code = blank_literals(text)
    found = {*condition_mutations(code, text), *token_mutations(code, text)}
    return sorted(one for one in found if not CONTRACT.match(line_of(text, one[0])))


def tests_for(stem, names):
    """(tests that concern the file, all other quick ones)"""
    parts = CONCERNED.get(stem, [stem])
    first = [name for name in names if any(
        name == f"test_{part}" or name.startswith(f"test_{part}_") for part in parts)]
    rest = [name for name in names
            if name not in first and not any(part in name for part in SLOW)]
    return first, rest


class Copy:
    """A copy of the tree that one worker changes and builds."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {**os.environ, "SATCHEL_FIXTURES": str(folder / "fixtures"),
                            "SOURCE_DATE_EPOCH": "0"}

    def fill(self):
        """With all files that git knows or would add."""
        files = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                               cwd=ROOT, check=True, stdout=subprocess.PIPE,
                               encoding="utf-8").stdout.split("\n")
        for name in filter(None, files):
            if (ROOT / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.folder / name)

    def build(self, tests, jobs=1):
        """Whether the programs of the tests could be made."""
        return subprocess.run([*MAKE, f"-j{jobs}", *(f"build/mutate/tests/unit/{test}" for test in tests)],
                              cwd=self.folder, env=self.environment, check=False,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0

    def passes(self, test):
        try:
            return subprocess.run([str(self.folder / "build/mutate/tests/unit" / test)],
                                  cwd=self.folder, env=self.environment, check=False,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL,
                                  timeout=TEST_TIMEOUT_S).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def judge(self, name, text, tests):
        """"survived", "caught" or "invalid" for one changed text of a file."""
        path = self.folder / name
        original = path.read_text(encoding="utf-8")
        path.write_text(text, encoding="utf-8")
        try:
            for group in filter(None, tests):
                if not self.build(group):
                    return "invalid"
                if not all(self.passes(test) for test in group):
                    return "caught"
            return "survived"
        finally:
            path.write_text(original, encoding="utf-8")


def describe(name, text, mutation):
    start, end, replacement = mutation
    line = text.count("\n", 0, start) + 1
    words = " ".join(text[start:end].split())
    return (f"{name}:{line}: {words} -> {' '.join(replacement.split())}"
            f"   | {line_of(text, start).strip()}")


def prepare(jobs, names):
    """The copies, each with all tests built from the sources as they are."""
    copies = queue.Queue()
    first = Copy(pathlib.Path(tempfile.mkdtemp(prefix="satchel-mutate-")))
    first.fill()
    if not first.build(names, jobs):
        sys.exit("mutate: the tree does not build")
    for name in [name for name in names if not first.passes(name)]:
        print(f"mutate: {name} is left out, it fails without any change")
        names.remove(name)
    copies.put(first)
    for _ in range(jobs - 1):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="satchel-mutate-"))
        shutil.copytree(first.folder, folder, dirs_exist_ok=True)
        copies.put(Copy(folder))
    return copies


def run(arguments, copies, names):
    """Judges all changes; {file: [(verdict, description)]}."""
    deadline = time.monotonic() + arguments.limit_s
    tasks = []
    for name in arguments.files:
        text = (ROOT / name).read_text(encoding="utf-8")
        tests = tests_for(pathlib.Path(name).stem, names)
        tasks += [(name, text, mutation, tests) for mutation in mutations(text)]

    def judge(task):
        name, text, mutation, tests = task
        if time.monotonic() > deadline:
            return name, "left", ""
        start, end, replacement = mutation
        copy = copies.get()
        try:
            verdict = copy.judge(name, text[:start] + replacement + text[end:], tests)
        finally:
            copies.put(copy)
        if verdict == "survived":
            print(describe(name, text, mutation), flush=True)
        return name, verdict, describe(name, text, mutation)

    results = {name: [] for name in arguments.files}
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for name, verdict, what in pool.map(judge, tasks[::arguments.every]):
            results[name].append((verdict, what))
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--limit-s", type=float, default=3600)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--every", type=int, default=1, help="only each N-th change")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    names = sorted(path.stem for path in (ROOT / "tests/unit").glob("test_*.c"))
    names = sorted({name for file in arguments.files
                    for group in tests_for(pathlib.Path(file).stem, names) for name in group})
    copies = prepare(arguments.jobs, names)
    try:
        results = run(arguments, copies, names)
    finally:
        while not copies.empty():
            shutil.rmtree(copies.get().folder, ignore_errors=True)
    survivors = 0
    for name, verdicts in results.items():
        count = {kind: sum(verdict == kind for verdict, _ in verdicts)
                 for kind in ("caught", "survived", "invalid", "left")}
        survivors += count["survived"]
        judged = count["caught"] + count["survived"]
        print(f"mutate: {name}: {count['caught']} of {judged} caught, "
              f"{count['survived']} survived, {count['invalid']} did not compile, "
              f"{count['left']} left for lack of time")
    sys.exit(1 if survivors else 0)


main()
