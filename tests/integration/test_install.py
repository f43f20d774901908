#!/usr/bin/python3
"""`make install` gives a library that others can build against, and `make uninstall` takes all away."""
import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from installed import CC, install_in_place, make, pkg_config  # noqa: E402
from tap import ROOT, main, run, test  # noqa: E402

PREFIX = "/usr"
USER = """#include <satchel/status.h>
#include <stdio.h>

int
main(void)
{
	GError *error = g_error_new_literal(SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID, "no");

	printf("%d\\n", satchel_status_from_result(SATCHEL_OUTCOME_DONE, error));
	g_error_free(error);
	return 0;
}
"""


def install(tmp):
    result = make("install", f"DESTDIR={tmp}/root", f"PREFIX={PREFIX}")
    assert result.returncode == 0, result
    return tmp / "root"


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*")
                  if path.is_symlink() or path.is_file())


def public_functions():
    """What libsatchel's headers declare; the device has a library of its own."""
    text = "".join(path.read_text() for path in (ROOT / "include/satchel").glob("*.h")
                   if path.name != "device.h")
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return set(re.findall(r"\b(satchel_\w+)\s*\(", code))


@test("a program builds against the installed library and runs with it")
def _(tmp):
    prefix = install_in_place(tmp)
    (tmp / "user.c").write_text(USER)
    run([*CC, "-Wall", "-Werror", "-o", tmp / "user", tmp / "user.c",
         *pkg_config(prefix, "--cflags"), *pkg_config(prefix, "--libs")], check=True)
    result = run([tmp / "user"], env={"LD_LIBRARY_PATH": prefix / "lib"})
    assert result.stdout == "15\n", result


@test("each public header compiles by itself")
def _(tmp):
    prefix = install_in_place(tmp)
    for header in sorted((prefix / "include/satchel").glob("*.h")):
        (tmp / "one.c").write_text(f"#include <satchel/{header.name}>\n")
        run([*CC, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", tmp / "one.c",
             *pkg_config(prefix, "--cflags")], check=True)


@test("the library carries its soname and the links that lead to it")
def _(tmp):
    folder = install(tmp) / "usr/lib"
    dynamic = run(["readelf", "--dynamic", folder / "libsatchel.so"], check=True).stdout
    assert "Library soname: [libsatchel.so.0]" in dynamic, dynamic
    assert os.readlink(folder / "libsatchel.so") == "libsatchel.so.0"
    assert os.readlink(folder / "libsatchel.so.0") == "libsatchel.so.0.1.0"


@test("the library exports what the public headers declare, all of it and nothing else")
def _(tmp):
    root = install(tmp)
    table = run(["nm", "--dynamic", "--defined-only", root / "usr/lib/libsatchel.so"],
                check=True).stdout
    exported = {line.split()[-1] for line in table.splitlines() if line.split()[-2] in "TDBR"}
    exported = {name for name in exported if not name.startswith(("__", "_init", "_fini"))}
    assert exported == public_functions(), (f"not declared: {exported - public_functions()}, "
                                            f"not there: {public_functions() - exported}")


@test("the installed programs say the version that pkg-config says")
def _(tmp):
    prefix = install_in_place(tmp)
    version = pkg_config(prefix, "--modversion")[0]
    programs = sorted((prefix / "bin").iterdir())
    assert [path.name for path in programs] == ["satchel-bundler", "satchel-installer",
                                                "satchel-verify"], programs
    for path in programs:
        assert run([path, "--version"], check=True).stdout == f"{path.name} {version}\n"


@test("each program has its manual page installed, and the installer an example")
def _(tmp):
    share = install(tmp) / "usr/share"
    for page in ("man1/satchel-bundler.1", "man1/satchel-verify.1", "man8/satchel-installer.8"):
        assert (share / "man" / page).is_file(), page
    assert any((share / "doc/satchel/examples").glob("*.toml"))


@test("uninstall takes away all that install put there")
def _(tmp):
    root = install(tmp)
    assert files_below(root)
    result = make("uninstall", f"DESTDIR={root}", f"PREFIX={PREFIX}")
    assert result.returncode == 0, result
    assert files_below(root) == []


@test("a second make has nothing to do")
def _(tmp):
    result = make("all")
    assert result.returncode == 0, result
    assert not re.search(r"^  (CC|AR|LINK) ", result.stdout, re.M), result


main()
