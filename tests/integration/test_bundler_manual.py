#!/usr/bin/python3
"""satchel-bundler(1) says what the program does: statuses, options, form."""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from tap import ROOT, main, run, test  # noqa: E402

MANUAL = ROOT / "bundler" / "satchel-bundler.1"
COMMANDS = ("repo init", "repo add", "repo publish", "repo rotate", "build", "sign", "show")
# What the program can give: its own errors, and those of the TUF client and the bundle reader.
GIVEN = {"OK", "ERROR", "METADATA_FAILURE", "NO_MATCHING_TARGET", "NO_TARGET_CONTENT",
         "METADATA_INVALID", "METADATA_EXPIRED", "METADATA_DOWNLOAD", "METADATA_NOT_FOUND",
         "BUNDLE_INVALID", "TARGET_NOT_FOUND", "DOWNLOAD_FAILED", "NO_SPACE"}


def text():
    """The manual's source with its dashes as people see them."""
    return MANUAL.read_text().replace("\\-", "-")


def options_in(part):
    """Long options of mdoc source, but for those of every command."""
    return set(re.findall(r"Fl -([a-z][a-z-]+)", part)) - {"help", "quiet"}


def synopsis_of(command):
    part = re.search(r"^\.Sh SYNOPSIS\n(.*?)(?=^\.Sh )", text(), re.S | re.M).group(1)
    found = re.search(rf"^\.Cm {command}\n(.*?)(?=^\.Nm|\Z)", part, re.S | re.M)
    return found.group(1)


def section_of(command):
    return re.search(rf"^\.Ss {command}\n(.*?)(?=^\.S[hs] )", text(), re.S | re.M).group(1)


@test("each status has the number that status.h gives it, and none is left out")
def _():
    header = (ROOT / "include/satchel/status.h").read_text()
    numbers = dict(re.findall(r"SATCHEL_STATUS_(\w+) = (\d+)", header))
    part = re.search(r"^\.Sh EXIT STATUS\n(.*?)(?=^\.Sh )", text(), re.S | re.M).group(1)
    rows = re.findall(r"^\.It (\d+)\n(\w+):", part, re.M)
    assert {name for _, name in rows} == GIVEN, rows
    for number, name in rows:
        assert numbers[name] == number, (number, name)
    assert [int(number) for number, _ in rows] == sorted(int(number) for number, _ in rows)


@test("every option of --help is in the command's section, and the other way round")
def _():
    for command in COMMANDS:
        shown = set(re.findall(r"^ +(?:-\w, )?--([a-z][a-z-]+)",
                               run(["satchel-bundler", *command.split(), "--help"]).stdout, re.M))
        shown -= {"help", "quiet"}
        # `repo rotate` and `sign` have one option, which their synopsis shows.
        told = options_in(section_of(command)) | options_in(synopsis_of(command))
        assert shown == told, (command, shown ^ told)


@test("mandoc has nothing to say against its form")
def _():
    result = run(["mandoc", "-T", "lint", "-W", "warning", MANUAL])
    assert result.returncode == 0, result


main()
