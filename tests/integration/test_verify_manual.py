#!/usr/bin/python3
"""satchel-verify(1) says what the program does: statuses, options, form."""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

# pylint: disable=wrong-import-position
from tap import ROOT, main, run, test

MANUAL = ROOT / "verify" / "satchel-verify.1"
# What the program can give: the judge's errors, and those of the TUF client.
GIVEN = {"OK", "ERROR", "METADATA_FAILURE", "NO_MATCHING_TARGET", "NO_TARGET_CONTENT",
         "METADATA_INVALID", "METADATA_EXPIRED", "METADATA_DOWNLOAD", "METADATA_NOT_FOUND",
         "BUNDLE_INVALID", "TARGET_NOT_FOUND", "DOWNLOAD_FAILED", "NO_SPACE", "CONTENT_INVALID"}


def section(name):
    """One section of the manual."""
    return re.search(rf"^\.SH {name}\n(.*?)(?=^\.SH )", MANUAL.read_text(), re.S | re.M).group(1)


@test("each status has the number that status.h gives it, and none is left out")
def _():
    header = (ROOT / "include/satchel/status.h").read_text()
    numbers = dict(re.findall(r"SATCHEL_STATUS_(\w+) = (\d+)", header))
    rows = re.findall(r"^\.B (\d+)\n(\w+):", section("EXIT STATUS"), re.M)
    assert {name for _, name in rows} == GIVEN, rows
    for number, name in rows:
        assert numbers[name] == number, (number, name)
    assert [int(number) for number, _ in rows] == sorted(int(number) for number, _ in rows)


@test("every option of --help is in the manual, and the other way round")
def _():
    text = MANUAL.read_text().replace("\\-", "-")
    for words, name in ((["--help"], "OPTIONS"), (["tuf", "--help"], "THE TUF CLIENT")):
        shown = set(re.findall(r"--[a-z][a-z-]+", run(["satchel-verify", *words]).stdout))
        told = set(re.findall(r"--[a-z][a-z-]+", section(name).replace("\\-", "-")))
        assert shown <= set(re.findall(r"--[a-z][a-z-]+", text)), (shown, told)
        assert told <= shown, told - shown


@test("mandoc has nothing to say against its form")
def _():
    result = run(["mandoc", "-T", "lint", "-W", "warning", MANUAL])
    assert result.returncode == 0, result


main()
