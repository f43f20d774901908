#!/usr/bin/python3
"""`make deps` on machines that lack packages: stand-ins for dpkg-query, id and apt-get say what is there."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from tap import ROOT, main, run, test  # noqa: E402


def wanted():
    lines = (ROOT / ".ci/packages").read_text().split("\n")
    return [line for line in lines if line and not line.startswith("#")]


def deps(tmp, present, uid):
    """Runs it where dpkg knows @present; gives its result and the calls of apt-get."""
    tools = tmp / "tools"
    tools.mkdir()
    rows = "".join(f"{package} installed\\n" for package in present)
    for name, body in {"dpkg-query": f"printf '{rows}'\nexit 1", "id": f"echo {uid}",
                       "apt-get": f"echo \"$@\" >>{tmp}/apt"}.items():
        (tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (tools / name).chmod(0o755)
    result = run(["sh", ROOT / ".ci/deps"], env={"PATH": f"{tools}:/usr/bin:/bin"})
    calls = (tmp / "apt").read_text() if (tmp / "apt").exists() else ""
    return result, calls


@test("deps is silent and calls nothing where all packages are there")
def _(tmp):
    result, calls = deps(tmp, wanted(), 0)
    assert (result.returncode, result.stdout, result.stderr, calls) == (0, "", "", ""), result


@test("deps installs what is missing by name and says so")
def _(tmp):
    result, calls = deps(tmp, [name for name in wanted() if name not in ("gcc", "ostree")], 0)
    assert result.returncode == 0, result
    assert result.stdout == "deps: installing missing Debian packages: gcc ostree\n", result
    assert calls.splitlines() == ["update --quiet",
                                  "install --yes --quiet --no-install-recommends gcc ostree"], calls


@test("deps without root stops with the exact apt-get line")
def _(tmp):
    result, calls = deps(tmp, [name for name in wanted() if name != "cppcheck"], 1000)
    assert result.returncode == 1, result
    assert "    apt-get install --yes --no-install-recommends cppcheck\n" in result.stderr, result
    assert calls == "", calls


@test("a package whose name begins another's is not taken for it")
def _(tmp):
    result, _calls = deps(tmp, [name for name in wanted() if name != "python3"], 1000)
    assert "recommends python3\n" in result.stderr, result


@test("the Makefile can be read where there is nothing but make and sh")
def _(tmp):
    tools = tmp / "tools"
    tools.mkdir()
    for name in ("make", "sh"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    result = run([tools / "make", "-C", ROOT, "-n", "deps"],
                 env={"PATH": tools, "MAKEFLAGS": None, "MAKELEVEL": None})
    assert result.returncode == 0, result
    assert "not found" not in result.stderr, result


main()
