"""The tree as `make install` leaves it, for tests of what others build against."""
import os
import shlex

from tap import BUILD, ROOT, run

CC = shlex.split(os.environ.get("SATCHEL_CC", "gcc"))


def make(*words):
    """make as it was called for this run (its variables, not its job server)."""
    overrides = os.environ.get("MAKEFLAGS", "").partition(" -- ")[2]
    build = [] if "BUILD=" in overrides or "SANITIZE=" in overrides else [f"BUILD={BUILD}"]
    if BUILD.is_relative_to(ROOT) and build:
        build = [f"BUILD={BUILD.relative_to(ROOT)}"]
    return run(["make", "-C", ROOT, *build, *words],
               env={"MAKEFLAGS": f" -- {overrides}" if overrides else None, "MAKELEVEL": None,
                    "MFLAGS": None})


def install_in_place(tmp):
    """Into a prefix of its own, so that what pkg-config says is true."""
    result = make("install", f"PREFIX={tmp}/prefix")
    assert result.returncode == 0, result
    return tmp / "prefix"


def pkg_config(prefix, *words, library="satchel"):
    """What pkg-config says of an installed library, as words."""
    return run(["pkg-config", *words, library],
               env={"PKG_CONFIG_PATH": prefix / "lib/pkgconfig"}, check=True).stdout.split()
