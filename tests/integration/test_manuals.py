#!/usr/bin/python3
"""The manual pages say what the programs do: every command, every option, every exit status."""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from tap import ROOT, main, run, test  # noqa: E402

PAGES = {"satchel-bundler": ROOT / "bundler/satchel-bundler.1",
         "satchel-verify": ROOT / "verify/satchel-verify.1",
         "satchel-installer": ROOT / "installer/satchel-installer.8"}

# What a program gives by contract, by name in status.h. The installer gives all that status.c knows.
CONTRACT = {
    "satchel-bundler": "OK ERROR METADATA_INVALID METADATA_EXPIRED METADATA_NOT_FOUND".split(),
    "satchel-verify": ("OK ERROR METADATA_FAILURE NO_MATCHING_TARGET NO_TARGET_CONTENT "
                       "METADATA_INVALID METADATA_EXPIRED METADATA_DOWNLOAD METADATA_NOT_FOUND "
                       "BUNDLE_INVALID TARGET_NOT_FOUND DOWNLOAD_FAILED "
                       "CONTENT_INVALID").split(),
}


def statuses():
    """{name: number} of the enum."""
    text = (ROOT / "include/satchel/status.h").read_text()
    return {name: int(number)
            for name, number in re.findall(r"^\s*SATCHEL_STATUS_(\w+) = (\d+),", text, re.M)}


def mapping():
    """{error or outcome, without prefix: status name} of status.c."""
    text = (ROOT / "verify/status.c").read_text()
    result = {}
    waiting = []
    for label, status in re.findall(r"case SATCHEL_(\w+):|return SATCHEL_STATUS_(\w+);", text):
        if label:
            waiting.append(label)
        else:
            result.update((one, status) for one in waiting)
            waiting = []
    return result


def named_in(folder):
    """Names of the statuses whose error or outcome a folder's sources name."""
    text = "".join(path.read_text() for path in (ROOT / folder).glob("*.c"))
    return {mapping()[label] for label in re.findall(r"\bSATCHEL_((?:ERROR|OUTCOME)_\w+)", text)
            if label in mapping()}


def rendered(page):
    """The page as people read it, without overstrikes."""
    text = run(["mandoc", "-T", "utf8", "-O", "width=100", page], check=True).stdout
    return re.sub(r".\x08", "", text)


def section(page, name):
    match = re.search(rf"^{name}\n(.*?)(?=^\S)", rendered(page), re.M | re.S)
    assert match, f"{page.name} has no section {name}"
    return match.group(1)


def documented(page):
    """The numbers that begin a row of EXIT STATUS."""
    rows = re.findall(r"^ +(\d+)(?= |$)", section(page, "EXIT STATUS"), re.M)
    return {int(row) for row in rows}


def commands_of(program):
    text = run([program, "--help"], check=True).stdout
    block = re.search(r"^Commands:\n((?:  .*\n)+)", text, re.M)
    return re.findall(r"^  (\w[\w-]*(?: \w[\w-]*)?)(?=  |$)", block.group(1), re.M) if block else []


for program, page in PAGES.items():
    @test(f"{page.name} documents every exit status that {program} gives")
    def _(program=program, page=page):
        numbers = statuses()
        wanted = set(CONTRACT.get(program, mapping().values()))
        wanted |= named_in(page.parent.name) if program != "satchel-verify" else set()
        missing = sorted(name for name in wanted if numbers[name] not in documented(page))
        assert not missing, f"missing: {missing}"

    @test(f"{page.name} documents no exit status that is not in status.h")
    def _(page=page):
        unknown = documented(page) - set(statuses().values())
        assert documented(page) and not unknown, f"unknown: {unknown}"

    @test(f"{page.name} names every command and option of {program}")
    def _(program=program, page=page):
        text = rendered(page)
        missing = set()
        for words in [[], *[name.split() for name in commands_of(program)]]:
            if words and not re.search(rf"\b{' '.join(words)}\b", text):
                missing.add(" ".join(words))
            help_text = run([program, *words, "--help"], check=True).stdout
            options = re.findall(r"^  (?:-\w, |    )(--[\w-]+)", help_text, re.M)
            missing |= {option for option in options if option not in text}
        assert not missing, f"missing: {sorted(missing)}"


@test("every manual page is clean to mandoc")
def _():
    pages = sorted(page for folder in ("verify", "bundler", "installer")
                   for page in (ROOT / folder).glob("*.[1-8]"))
    assert len(pages) >= len(PAGES), pages
    for page in pages:
        result = run(["mandoc", "-T", "lint", "-W", "warning", page])
        assert result.returncode == 0, result


@test("the numbers in status.h are those of the field")
def _():
    numbers = statuses()
    assert (numbers["OK"], numbers["ERROR"], numbers["METADATA_EXPIRED"], numbers["BUNDLE_INVALID"],
            numbers["UPDATE_NEW_VERSION"], numbers["DOWNLOAD_FAILED"], numbers["NEEDS_REBOOT"]) == \
        (0, 1, 12, 15, 16, 50, 100)
    assert len(numbers) == len(set(numbers.values()))


main()
