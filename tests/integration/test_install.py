#!/usr/bin/python3
"""`make install` gives a library that others can build against, and `make uninstall` takes all away."""
import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from installed import CC, install_in_place, make, pkg_config  # noqa: E402
from tap import ROOT, main, run, skip, test  # noqa: E402

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


def functions_in(headers):
    text = "".join(path.read_text() for path in headers)
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return set(re.findall(r"\b(satchel_\w+)\s*\(", code))


# What each library's headers declare: that of the device holds the other one.
HEADERS = sorted((ROOT / "include/satchel").glob("*.h"))
DEVICE_HEADERS = ("device.h", "media.h")
LIBRARIES = {"libsatchel": functions_in(path for path in HEADERS
                                        if path.name not in DEVICE_HEADERS),
             "libsatchel-device": functions_in(HEADERS)}


def symbols(path, which):
    """Names in the dynamic symbol table of a library."""
    table = run(["nm", "--dynamic", f"--{which}-only", path], check=True).stdout
    return {line.split()[-1].split("@")[0] for line in table.splitlines()
            if line.split()[-2] in "TDBRUw"}


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


for library, declared in LIBRARIES.items():
    @test(f"{library} carries its soname and the links that lead to it")
    def _(tmp, library=library):
        folder = install(tmp) / "usr/lib"
        dynamic = run(["readelf", "--dynamic", folder / f"{library}.so"], check=True).stdout
        assert f"Library soname: [{library}.so.0]" in dynamic, dynamic
        assert os.readlink(folder / f"{library}.so") == f"{library}.so.0"
        assert os.readlink(folder / f"{library}.so.0") == f"{library}.so.0.1.0"

    @test(f"{library} exports what the public headers declare, all of it and nothing else")
    def _(tmp, library=library, declared=declared):
        root = install(tmp)
        exported = {name for name in symbols(root / f"usr/lib/{library}.so", "defined")
                    if not name.startswith(("__", "_init", "_fini"))}
        assert exported == declared, (f"not declared: {exported - declared}, "
                                      f"not there: {declared - exported}")


@test("the device's library neither prints nor ends the process")
def _(tmp):
    if any(word.startswith("-fsanitize") for word in CC):
        skip("sanitizers print")
    used = symbols(install(tmp) / "usr/lib/libsatchel-device.so", "undefined")
    # A child that was forked ends by _exit(0), and by that alone: see lint-tree.
    bad = [name for name in used - {"_exit"}
           if re.fullmatch(r"_*(v?f?printf|f?puts|putc(har)?|fwrite|perror|exit|_Exit|quick_exit"
                           r"|g_print|g_printerr|stdout|stderr)(_chk)?", name)]
    assert not bad and "ostree_sysroot_new" in used, bad


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


@test("a stick finds its way to the installer: rule, units and user are where they are looked for")
def _(tmp):
    lib = install(tmp) / "usr/lib"
    rule = (lib / "udev/rules.d/90-satchel-media.rules").read_text()
    assert 'SYSTEMD_WANTS}+="satchel-media@%k.service"' in rule
    for unit, command in (("satchel-media@.service", "media /dev/%I"),
                          ("satchel-run.service", "--quiet run --reboot")):
        text = (lib / "systemd/system" / unit).read_text()
        assert f"ExecStart=/usr/bin/satchel-installer {command}\n" in text, text
    assert "u satchel-media " in (lib / "sysusers.d/satchel-media.conf").read_text()


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
