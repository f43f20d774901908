#!/usr/bin/python3
"""The manual pages say what the programs do: every command, option, exit status and key."""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from tap import ROOT, main, run, test  # noqa: E402

PAGES = {"satchel-bundler": ROOT / "bundler/satchel-bundler.1",
         "satchel-verify": ROOT / "verify/satchel-verify.1",
         "satchel-installer": ROOT / "installer/satchel-installer.8"}

# What a program can give, by name in status.h: its own errors, and those of the TUF client and the
# bundle reader. The installer's page lists all numbers of the field, which scripts may meet.
COMMON = {"OK", "ERROR", "METADATA_FAILURE", "NO_MATCHING_TARGET", "NO_TARGET_CONTENT",
          "METADATA_INVALID", "METADATA_EXPIRED", "METADATA_DOWNLOAD", "METADATA_NOT_FOUND",
          "BUNDLE_INVALID", "TARGET_NOT_FOUND", "DOWNLOAD_FAILED", "NO_SPACE"}
GIVEN = {"satchel-bundler": COMMON | {"CONTENT_INVALID"},
         "satchel-verify": COMMON | {"CONTENT_INVALID", "DOWNGRADE_REFUSED"}}
BUNDLER_COMMANDS = ("repo init", "repo add", "repo publish", "repo rotate", "build", "pack", "unpack", "copy", "sign",
                    "show", "app add", "app list", "app show", "app check")


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


def rows(page):
    """[(number, name or "")] of EXIT STATUS."""
    found = re.findall(r"^ {5,7}(\d+)(?: +([A-Z][A-Z_]+):)?(?= |$)",
                       section(page, "EXIT STATUS"), re.M)
    return [(int(number), name) for number, name in found]


def source(page):
    """The page's source with its dashes as people see them."""
    return page.read_text().replace("\\-", "-")


def commands_of(program):
    text = run([program, "--help"], check=True).stdout
    block = re.search(r"^Commands:\n((?:  .*\n)+)", text, re.M)
    return re.findall(r"^  (\w[\w-]*(?: \w[\w-]*)?)(?=  |$)", block.group(1), re.M) if block else []


for program, page in PAGES.items():
    if program in GIVEN:
        @test(f"{page.name} has each status that {program} gives, by number and name, and no other")
        def _(program=program, page=page):
            numbers = statuses()
            wanted = sorted((numbers[name], name) for name in GIVEN[program])
            assert rows(page) == wanted, set(rows(page)) ^ set(wanted)
            beyond = named_in(page.parent.name) - GIVEN[program]
            assert program == "satchel-verify" or not beyond, f"its sources name {beyond} too"

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


@test("satchel-installer.8 has every status of status.h by number and name, once, and no other")
def _():
    found = sorted(rows(PAGES["satchel-installer"]))
    wanted = sorted((number, name) for name, number in statuses().items())
    assert found == wanted, set(found) ^ set(wanted)


@test("every option of a bundler command's --help is in its section, and the other way round")
def _():
    text = source(PAGES["satchel-bundler"])
    synopsis = re.search(r"^\.Sh SYNOPSIS\n(.*?)(?=^\.Sh )", text, re.S | re.M).group(1)
    for command in BUNDLER_COMMANDS:
        help_text = run(["satchel-bundler", *command.split(), "--help"], check=True).stdout
        shown = set(re.findall(r"^ +(?:-\w, )?--([a-z][a-z-]+)", help_text, re.M))
        # `repo rotate` and `sign` have one option, which their synopsis shows.
        parts = (re.search(rf"^\.Ss {command}\n(.*?)(?=^\.S[hs] )", text, re.S | re.M).group(1) +
                 re.search(rf"^\.Cm {command}\n(.*?)(?=^\.Nm|\Z)", synopsis, re.S | re.M).group(1))
        told = set(re.findall(r"Fl -([a-z][a-z-]+)", parts))
        assert shown ^ told <= {"help", "quiet"}, (command, shown ^ told)


@test("every option that satchel-verify.1 tells of is in --help")
def _():
    page = PAGES["satchel-verify"]
    for words, name in ((["--help"], "OPTIONS"), (["tuf", "--help"], "THE TUF CLIENT")):
        part = re.search(rf"^\.SH {name}\n(.*?)(?=^\.SH )", source(page), re.S | re.M).group(1)
        shown = set(re.findall(r"--[a-z][a-z-]+", run(["satchel-verify", *words]).stdout))
        told = set(re.findall(r"--[a-z][a-z-]+", part))
        assert told and told <= shown, told - shown


@test("every option that satchel-installer.8 tells of is in a command's --help")
def _():
    shown = {"--help"}
    for words in [[], *[name.split() for name in commands_of("satchel-installer")]]:
        shown |= set(re.findall(r"--[a-z][a-z-]+",
                                run(["satchel-installer", *words, "--help"], check=True).stdout))
    told = set(re.findall(r"--[a-z][a-z-]+", source(PAGES["satchel-installer"])))
    assert told and told <= shown, told - shown


@test("every key that the installer reads is in satchel.toml.5, and the other way round")
def _():
    code = "".join(path.read_text() for path in (ROOT / "installer").glob("*settings.c"))
    read = set(re.findall(r'config,\s+"(\w+\.\w+)"', code))
    text = (ROOT / "installer/satchel.toml.5").read_text()
    keys = re.search(r"^\.SH KEYS\n(.*?)(?=^\.SH )", text, re.S | re.M).group(1)
    sections = re.findall(r"^\.SS \[(\w+)\]\n(.*?)(?=^\.SS|\Z)", keys, re.S | re.M)
    told = {f"{name}.{key}" for name, part in sections
            for key in re.findall(r"^\.TP\n\.B (\w+)$", part, re.M)}
    assert len(read) > 10 and read == told, read ^ told


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
