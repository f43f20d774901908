#!/usr/bin/python3
"""The TUF client as a library: a program built against the installed headers, and nothing else."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from installed import CC, install_in_place, pkg_config  # noqa: E402
from tap import ROOT, main, run, test  # noqa: E402
from tuf_server import Repo, Server, status, stored_version  # noqa: E402

_EXAMPLE = ROOT / "tests/examples/tuf_get.c"


class Lab:
    """The example, built in a folder outside the tree, and a repository with one target."""

    def __init__(self, tmp):
        self.prefix = install_in_place(tmp)
        self.tmp = tmp
        source = tmp / "tuf_get.c"
        source.write_text(_EXAMPLE.read_text())
        self.program = tmp / "tuf_get"
        run([*CC, "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-o", self.program, source,
             *pkg_config(self.prefix, "--cflags"), *pkg_config(self.prefix, "--libs")], check=True)
        self.repo = Repo()
        self.repo.add_target("one", "hello")
        self.repo.publish("root", "targets", "snapshot", "timestamp")
        self.root = self.repo.root(tmp)
        (tmp / "targets").mkdir()

    def get(self, kind, metadata, targets, name="one", **env):
        return run([self.program, kind, self.tmp / "store", self.root, metadata, targets, name,
                    self.tmp / "targets"], env={"LD_LIBRARY_PATH": self.prefix / "lib", **env})


@test("the example includes public headers only")
def _():
    includes = [line.split("<")[1].split("/")[0] for line in _EXAMPLE.read_text().splitlines()
                if line.startswith("#include")]
    assert set(includes) <= {"satchel", "stdio.h>", "string.h>"}, includes


@test("a program with a source of its own updates and downloads")
def _(tmp):
    lab = Lab(tmp)
    lab.repo.write(tmp / "disk")
    result = lab.get("memory", tmp / "disk/metadata", tmp / "disk/targets")
    assert result.returncode == 0, result
    assert result.stdout == f"one: 5 bytes in {tmp}/targets/one\n", result
    assert (tmp / "targets/one").read_text() == "hello"
    assert stored_version(tmp / "store", "root") == 2
    result = lab.get("memory", tmp / "disk/metadata", tmp / "disk/targets", "none")
    assert result.returncode == 20, result


@test("a program updates and downloads over HTTP")
def _(tmp):
    lab = Lab(tmp)
    with Server(lab.repo) as server:
        result = lab.get("http", server.url + "/metadata", server.url + "/targets")
        assert result.returncode == 0, result
        assert (tmp / "targets/one").read_text() == "hello"
        assert len(server.log) == 6, server.log
        server.misbehave["/metadata/timestamp.json"] = status(500)
        result = lab.get("http", server.url + "/metadata", server.url + "/targets")
        assert result.returncode == 13 and "timestamp.json" in result.stderr, result


@test("a program asks no proxy of the environment unless it says so")
def _(tmp):
    lab = Lab(tmp)
    with Server(lab.repo) as server, Server(Repo()) as proxy:
        result = lab.get("http", server.url + "/metadata", server.url + "/targets",
                         http_proxy=proxy.url, no_proxy=None)
        assert result.returncode == 0, result
        assert proxy.log == [] and len(server.log) == 6


main()
