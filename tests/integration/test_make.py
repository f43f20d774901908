#!/usr/bin/python3
"""The build rebuilds what changed and nothing else, shown on a tree of two small files."""
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from tap import ROOT, main, run, test  # noqa: E402

MAIN = """#include "greeting.h"
#include <stdio.h>

int
main(void)
{
	puts(satchel_greeting());
	return 0;
}
"""
GREETING = """#include "greeting.h"

const char *
satchel_greeting(void)
{
	return GREETING;
}
"""
PROGRAM = "build/satchel-verify"


# make hands its variables down in the environment; these trees are to be built by the words given.
PLAIN = dict.fromkeys(("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "CC", "SANITIZE", "BUILD", "CFLAGS",
                       "LDFLAGS", "OPTIMIZE", "HARDENING", "WERROR"))


def make(tree, *words):
    """What a make compiled and linked: the names in its short lines."""
    result = run(["make", "-C", tree, *words], check=True, env=PLAIN)
    assert "warning" not in result.stdout + result.stderr, result
    return [line.split()[-1] for line in result.stdout.splitlines()
            if line.startswith(("  CC ", "  AR ", "  LINK "))]


def make_tree(tree):
    tree.mkdir()
    shutil.copy(ROOT / "Makefile", tree)
    shutil.copytree(ROOT / "include", tree / "include")
    (tree / "verify").mkdir()
    (tree / "verify/main.c").write_text(MAIN)
    (tree / "verify/greeting.c").write_text(GREETING)
    (tree / "verify/greeting.h").write_text('#define GREETING "one"\nconst char *satchel_greeting(void);\n')
    make(tree)
    return tree


def greeting(tree, program=PROGRAM):
    return run([tree / program], check=True).stdout


@test("a second make does nothing")
def _(tmp):
    tree = make_tree(tmp / "tree")
    assert make(tree) == []


@test("a changed header rebuilds those that include it")
def _(tmp):
    tree = make_tree(tmp / "tree")
    header = tree / "verify/greeting.h"
    header.write_text(header.read_text().replace("one", "two"))
    built = make(tree)
    assert {"verify/main.c", "verify/greeting.c", PROGRAM} <= set(built), built
    assert greeting(tree) == "two\n"


@test("a changed source rebuilds its own object only")
def _(tmp):
    tree = make_tree(tmp / "tree")
    (tree / "verify/greeting.c").write_text(GREETING + "\n")
    built = make(tree)
    assert "verify/greeting.c" in built and PROGRAM in built, built
    assert "verify/main.c" not in built, built


@test("a source that is taken away leaves the library")
def _(tmp):
    tree = make_tree(tmp / "tree")
    (tree / "verify/more.c").write_text("void satchel_more(void);\nvoid\nsatchel_more(void)\n{\n}\n")
    make(tree)
    assert "more.o" in run(["ar", "t", tree / "build/libsatchel.a"], check=True).stdout
    (tree / "verify/more.c").unlink()
    make(tree)
    assert "more.o" not in run(["ar", "t", tree / "build/libsatchel.a"], check=True).stdout


@test("another compiler rebuilds all, and back again")
def _(tmp):
    tree = make_tree(tmp / "tree")
    for compiler in ("clang", "gcc"):
        built = make(tree, f"CC={compiler}")
        assert {"verify/main.c", "verify/greeting.c", PROGRAM} <= set(built), built
    assert make(tree) == []


@test("other flags rebuild all")
def _(tmp):
    tree = make_tree(tmp / "tree")
    built = make(tree, "CFLAGS=-DANOTHER")
    assert {"verify/main.c", "verify/greeting.c", PROGRAM} <= set(built), built


@test("sanitizers build in a folder of their own")
def _(tmp):
    tree = make_tree(tmp / "tree")
    make(tree, "SANITIZE=address,undefined")
    assert greeting(tree, "build/sanitize-address-undefined/satchel-verify") == "one\n"
    symbols = run(["nm", tree / PROGRAM], check=True).stdout
    assert "__asan_init" not in symbols
    assert make(tree) == []


@test("programs are position independent, bind at start and protect their stack")
def _(tmp):
    tree = make_tree(tmp / "tree")
    dynamic = run(["readelf", "--wide", "--dynamic", "--file-header", "--program-headers",
                   tree / PROGRAM], check=True).stdout
    assert "DYN (Position-Independent Executable file)" in dynamic, dynamic
    assert "GNU_RELRO" in dynamic and "BIND_NOW" in dynamic, dynamic
    verbose = run(["make", "-C", tree, "V=1", "-n", "-B"], check=True,
                  env=PLAIN).stdout
    assert "-fstack-protector-strong" in verbose and "-D_FORTIFY_SOURCE=2" in verbose, verbose


main()
