"""Small C and C++ programs that integration tests build for themselves.

    from c_program import build

    program = build("check_signature.c", tmp)
"""
import os
import pathlib
import shlex
import subprocess

from tap import BUILD, ROOT

HERE = pathlib.Path(__file__).resolve().parent
LIBRARIES = ["glib-2.0", "gio-2.0", "libsodium", "libcrypto", "jansson"]


def pkg_config(*arguments):
    """What pkg-config says, as words."""
    return shlex.split(subprocess.run(["pkg-config", *arguments], check=True, encoding="utf-8",
                                      stdout=subprocess.PIPE).stdout)


def _compile(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          encoding="utf-8", errors="backslashreplace")
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}"


def build(source, folder, optimize="-O1", packages=(), archives=("libsatchel.a",)):
    """Compiles tests/support/SOURCE against the archives as they were built; returns the program.

    @packages: what it needs besides them."""
    program = folder / pathlib.Path(source).stem
    _compile([*shlex.split(os.environ.get("SATCHEL_CC", "gcc")), "-std=gnu11", optimize, "-Wall",
              "-D_GNU_SOURCE", f"-I{ROOT / 'include'}", f"-I{ROOT / 'verify'}",
              *pkg_config("--cflags", *LIBRARIES, *packages), "-o", str(program),
              str(HERE / source), *(str(BUILD / archive) for archive in archives),
              *pkg_config("--libs", *LIBRARIES, *packages)])
    return program


def build_preload(source, folder):
    """Compiles tests/support/SOURCE, which uses nothing of ours, for LD_PRELOAD."""
    library = folder / f"{pathlib.Path(source).stem}.so"
    _compile(["gcc", "-std=gnu11", "-O1", "-Wall", "-D_GNU_SOURCE", "-fPIC", "-shared", "-o",
              str(library), str(HERE / source)])
    return library


def build_cxx(source, folder, *packages):
    """Compiles tests/support/SOURCE, which uses nothing of ours."""
    program = folder / pathlib.Path(source).stem
    _compile(["g++", "-O1", "-Wall", *pkg_config("--cflags", *packages), "-o", str(program),
              str(HERE / source), *pkg_config("--libs", *packages)])
    return program
