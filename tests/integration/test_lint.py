#!/usr/bin/python3
"""Each check of `make lint` refuses what it is there to refuse, and lets a clean file pass."""
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from tap import ROOT, main, run, test  # noqa: E402

CLEAN = """#include "planted.h"

int
satchel_planted_add(int a, int b)
{
	return a + b;
}
"""
HEADER = """#pragma once

int satchel_planted_add(int a, int b);
"""


def make_tree(folder, files, pure=""):
    """A tree of the lint, the public headers and @files."""
    shutil.copytree(ROOT / ".ci", folder / ".ci")
    shutil.copytree(ROOT / "include", folder / "include")
    for name in (".clang-format", "Makefile"):
        shutil.copy(ROOT / name, folder / name)
    (folder / ".ci" / "pure-files").write_text(pure)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def lint(folder, check):
    return run([folder / ".ci" / "lint", check], cwd=folder, env={"MAKEFLAGS": None})


def refuses(check, name, text, message, pure=""):
    """Adds two tests: @check fails on @text in the file @name with @message, and passes without."""
    @test(f"lint {check} refuses {message}")
    def _(tmp):
        make_tree(tmp, {"verify/planted.h": HEADER, "verify/planted.c": CLEAN, name: text}, pure)
        result = lint(tmp, check)
        assert result.returncode != 0, result
        assert message in result.stdout + result.stderr, result
        assert name in result.stdout + result.stderr, result


def passes(check, pure=""):
    @test(f"lint {check} lets a clean file pass")
    def _(tmp):
        make_tree(tmp, {"verify/planted.h": HEADER, "verify/planted.c": CLEAN}, pure)
        result = lint(tmp, check)
        assert result.returncode == 0, result


def c_file(body, head=""):
    return CLEAN.replace("\n\n", "\n" + head + "\n", 1).replace("\treturn a + b;\n", body)


PURE = "# comment\nverify/*.c\n!verify/other.c\n"
for one in ("top-level", "layers", "status", "forbidden", "sizes", "format", "scripts", "spelling",
            "cppcheck", "analyzer"):
    passes(one)
passes("pure", PURE)

refuses("top-level", "notes.txt", "mine\n", "does not belong to the top level")
refuses("layers", "verify/planted.c", c_file("", '#include "../bundler/plan.h"\n'),
        "verify/ may not include ../bundler/plan.h")
refuses("layers", "installer/planted.c", '#include "../bundler/plan.h"\n',
        "installer/ may not include ../bundler/plan.h")
refuses("layers", "installer/cmd_planted.c", '#include "../verify/planted.h"\n',
        "the installer's command line may not include ../verify/planted.h")
refuses("layers", "include/satchel/planted.h", '#include "../../verify/planted.h"\n',
        "include/ may not include ../../verify/planted.h")
refuses("pure", "verify/planted.c", c_file("", "#include <gio/gio.h>\n"),
        "gio/gio.h in a pure file", PURE)
refuses("pure", "verify/planted.h", HEADER + "#include <time.h>\n",
        "time.h in a pure file (verify/planted.c)", PURE)
refuses("pure", "verify/planted.c", c_file('\tg_debug("a");\n\treturn 0;\n'),
        "'g_debug(' in a pure file", PURE)
refuses("status", "verify/planted.c", c_file("\texit(15);\n"), "'exit(15)'")
refuses("status", "verify/planted.c", c_file("\t_exit(a);\n"), "'_exit(a)'")
refuses("status", "verify/planted.c", c_file("\treturn SATCHEL_STATUS_ERROR;\n"),
        "'SATCHEL_STATUS_ERROR'")
refuses("status", "verify/main.c", c_file("\treturn 1;\n"), "'return 1;'")
refuses("status", "verify/main.c", c_file("\treturn EXIT_FAILURE;\n"), "'return EXIT_FAILURE'")
refuses("forbidden", "verify/planted.c", c_file('\treturn system("ls");\n'), "calls a shell")
refuses("forbidden", "verify/planted.c", c_file('\tpopen("ls", "r");\n'), "calls a shell")
refuses("forbidden", "verify/planted.c", c_file("\tgoto out;\n"), "'goto'")
refuses("forbidden", "verify/planted.c", c_file("\t/* TO" "DO: think */\n"), "left open")
refuses("forbidden", "verify/planted.c", c_file('\tg_getenv("DEBUG");\n'), "g_getenv(")
refuses("forbidden", "verify/planted.c", c_file("\tg_assert(remove(a) == 0);\n"),
        "G_DISABLE_ASSERT takes the call away")
refuses("sizes", "verify/planted.c", c_file("\ta++;\n" * 80), "more than 80")
refuses("sizes", "verify/planted.c", CLEAN + "\n" * 800, "more than 800")
refuses("sizes", "verify/planted.c",
        c_file("".join("\t" * (i + 1) + "if (a) {\n" for i in range(5)) + "\t\t\t\t\t\ta++;\n" +
               "".join("\t" * (5 - i) + "}\n" for i in range(5))), "nested deeper than 4")
refuses("format", "verify/planted.c", CLEAN.replace("\treturn", "    return"), "clang-format")
refuses("scripts", "tests/planted.sh", "#!/bin/sh\nrm -rf $1/x\n", "SC2086")
refuses("spelling", "verify/planted.c", c_file("\t/* it is rec" "ieved */\n\treturn 0;\n"), "received")
refuses("cppcheck", "verify/planted.c",
        c_file("\tint list[2] = {a, b};\n\n\treturn list[2];\n"), "out of bounds")
refuses("analyzer", "verify/planted.c",
        c_file('\tchar *p = realpath("x", NULL);\n\n\tfree(p);\n\tfree(p);\n\treturn b;\n',
               "#include <stdlib.h>\n"), "double-free")


@test("lint pure leaves out the files that are named as doing I/O")
def _(tmp):
    make_tree(tmp, {"verify/other.c": c_file('\tg_debug("a");\n\treturn 0;\n')}, PURE)
    result = lint(tmp, "pure")
    assert result.returncode == 0, result


@test("lint as a whole names each check that failed and goes on behind it")
def _(tmp):
    make_tree(tmp, {"verify/planted.h": HEADER, "verify/planted.c": CLEAN,
                    "verify/other.c": c_file("\tgoto out;\n"), "notes.txt": "mine\n"})
    result = run([tmp / ".ci" / "lint", "top-level", "forbidden", "layers"], cwd=tmp)
    assert result.returncode == 1, result
    assert result.stderr.strip().endswith("failed: top-level forbidden"), result
    assert "layers     ok" in result.stdout, result


main()
