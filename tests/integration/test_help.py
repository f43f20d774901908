#!/usr/bin/python3
"""What the programs say about themselves, and what they say to a wrong command line."""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from tap import BUILD, main, run, test  # noqa: E402

PROGRAMS = ("satchel-bundler", "satchel-verify", "satchel-installer")


def commands_of(program):
    """The commands that --help lists."""
    text = run([program, "--help"], check=True).stdout
    block = re.search(r"^Commands:\n((?:  .*\n)+)", text, re.M)
    return re.findall(r"^  (\w[\w-]*(?: \w[\w-]*)?)(?=  |$)", block.group(1), re.M) if block else []


def all_helps():
    for program in PROGRAMS:
        yield [program, "--help"], run([program, "--help"])
        for command in commands_of(program):
            words = [program, *command.split(), "--help"]
            yield words, run(words)


@test("each command of each program has a help of its own, on stdout")
def _():
    for words, result in all_helps():
        assert result.returncode == 0, result
        assert result.stderr == "", result
        assert result.stdout.startswith("Usage: " + words[0]), result
        if len(words) > 2:
            assert result.stdout.startswith("Usage: " + " ".join(words[:-1])), result


@test("help fits 80 columns")
def _():
    for _words, result in all_helps():
        for line in result.stdout.split("\n"):
            assert len(line) <= 80, f"{len(line)} columns: {line}"


@test("the help of each program lists the commands that there are to be")
def _():
    wanted = {"satchel-bundler": ["repo init", "repo add", "repo publish", "repo rotate", "build",
                                  "pack", "unpack", "copy", "sign",
                                  "show"],
              "satchel-verify": ["tuf"],
              "satchel-installer": ["check", "list", "pull", "install", "update", "status", "run",
                                    "finalize"]}
    for program, names in wanted.items():
        there = commands_of(program)
        missing = [name for name in names
                   if not any(one == name or one.startswith(name + " ") for one in there)]
        assert not missing, f"{program} lacks {missing}, has {there}"


@test("a wrong command line gives one line on stderr, that leads to the help, and status 1")
def _():
    for program in PROGRAMS:
        for words in ([], ["--no-such-option"], ["no-such-command", "x", "y"],
                      *[[*name.split(), "--no-such-option"] for name in commands_of(program)]):
            result = run([program, *words])
            if words[:1] == ["no-such-command"] and program == "satchel-verify":
                continue  # a bundle that is not there
            assert result.returncode == 1, result
            assert result.stdout == "", result
            assert result.stderr.startswith(program + ": "), result
            assert result.stderr.count("\n") == 1, result
            assert "--help'" in result.stderr, result


@test("a full disk under the results is no success")
def _():
    for name in PROGRAMS:
        result = run(["sh", "-c", 'exec "$0" --help >/dev/full', BUILD / name])
        assert result.returncode == 1, result
        assert "standard output" in result.stderr, result



@test("--command stands in for the command's word, before and behind other options")
def _(tmp):
    none = tmp / "none.toml"
    wanted = run(["satchel-installer", "status", "-c", none])
    assert wanted.returncode == 1 and "none.toml" in wanted.stderr, wanted
    for words in (["--command", "status", "-c", none], ["-c", none, "--command=status"],
                  ["-c", none, "--json", "1", "--command", "status"]):
        result = run(["satchel-installer", *words])
        assert (result.returncode, result.stderr) == (1, wanted.stderr), result
    # What is another option's value is no option.
    result = run(["satchel-installer", "status", "-c", "--command"])
    assert result.returncode == 1 and "--command: " in result.stderr, result
    result = run(["satchel-installer", "--command", "nonsense"])
    assert result.returncode == 1 and "unknown command 'nonsense'" in result.stderr, result
    result = run(["satchel-installer", "--command", "status", "status", "-c", none])
    assert result.returncode == 1 and "'status' is one word too many" in result.stderr, result
    result = run(["satchel-installer", "--command", "status", "--command", "run", "-c", none])
    assert result.returncode == 1 and "given twice" in result.stderr, result
    result = run(["satchel-installer", "--command"])
    assert result.returncode == 1, result
    result = run(["satchel-installer", "--command", "check", "--help"])
    assert result.returncode == 0 and "satchel-installer check" in result.stdout, result


main()
