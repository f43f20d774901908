"""Integration tests: functions named by a sentence, run in order, reported as TAP.

    from tap import main, run, test

    @test("a bundle that was altered is refused")
    def _(tmp):
        result = run(["satchel-verify", tmp / "bundle"])
        assert result.returncode == 15, result

    main()

Programs of ours are found in SATCHEL_BUILD, by default `build` of this tree. A function raises to
fail (`assert`), or calls skip(). One with a parameter that has no default gets a fresh folder of its own
as a pathlib.Path. Names on the command line choose tests by a part of their sentence.
"""
import inspect
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("SATCHEL_BUILD", ROOT / "build")).resolve()
FIXTURES = pathlib.Path(os.environ.get("SATCHEL_FIXTURES", ROOT / "fixtures")).resolve()
DEFAULT_TIMEOUT_S = 300
# For what is traced: the sanitizer that looks for leaks traces too, and there is one tracer only.
TRACED = {"LSAN_OPTIONS": "detect_leaks=0"}

_tests = []
_n_begun = 0


class Skipped(Exception):
    """Raised by skip()."""


class Result:
    """What a program gave; its text is all of it, so that `assert …, result` tells the story."""

    def __init__(self, argv, returncode, stdout, stderr):
        self.argv = argv
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr

    def __str__(self):
        return (f"{' '.join(self.argv)}\nstatus {self.returncode}\n"
                f"--- stdout\n{self.stdout}--- stderr\n{self.stderr}")


def current():
    """The number of the test that runs."""
    return _n_begun


def test(sentence):
    """Adds the function to those that main() runs."""
    def add(function):
        _tests.append((sentence, function))
        return function
    return add


def skip(reason):
    """Ends the test as skipped; for what this machine cannot do, never for what is not built."""
    raise Skipped(reason)


def program(name):
    """The path of one of our programs."""
    return BUILD / name


def run(argv, *, cwd=None, env=None, stdin=None, timeout_s=DEFAULT_TIMEOUT_S, check=False):
    """Runs a program to its end and gives its Result, both streams as text.

    A bare `satchel-…` name is ours. What strace runs is not looked through for leaks. @env adds to the environment (a value of None takes away).
    @check: anything but status 0 fails the test.
    """
    words = [os.fspath(word) if isinstance(word, (str, os.PathLike)) else str(word)
             for word in argv]
    if words[0].startswith("satchel-"):
        words[0] = str(program(words[0]))
    environment = dict(os.environ, **(TRACED if "strace" in words else {}))
    for name, value in (env or {}).items():
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = str(value)
    done = subprocess.run(words, cwd=cwd, env=environment, input=stdin, timeout=timeout_s,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                          encoding="utf-8", errors="backslashreplace",
                          **({} if stdin is not None else {"stdin": subprocess.DEVNULL}))
    result = Result(words, done.returncode, done.stdout, done.stderr)
    if check:
        assert result.returncode == 0, result
    return result


def _wants_folder(function):
    return any(parameter.default is parameter.empty
               for parameter in inspect.signature(function).parameters.values())


def _comment(text):
    for line in str(text).rstrip("\n").split("\n"):
        print(f"# {line}")


def _run_one(number, sentence, function):
    global _n_begun
    _n_begun = number
    folder = pathlib.Path(tempfile.mkdtemp(prefix="satchel-test-"))
    try:
        function(*([folder] if _wants_folder(function) else []))
        print(f"ok {number} - {sentence}")
        return True
    except Skipped as reason:
        print(f"ok {number} - {sentence} # SKIP {reason}")
        # prove keeps quiet about skips, but lets the error stream through.
        print(f"skipped: {os.path.basename(sys.argv[0])}: {sentence}: {reason}",
              file=sys.stderr, flush=True)
        return True
    except Exception:  # pylint: disable=broad-except
        print(f"not ok {number} - {sentence}")
        _comment(traceback.format_exc())
        return False
    finally:
        subprocess.run(["chmod", "-R", "u+rwX", str(folder)], check=False,
                       stderr=subprocess.DEVNULL)
        shutil.rmtree(folder, ignore_errors=True)
        sys.stdout.flush()


def main():
    """Runs all tests in the order in which they stand, prints the plan, ends the process."""
    chosen = [(sentence, function) for sentence, function in _tests
              if not sys.argv[1:] or any(part in sentence for part in sys.argv[1:])]
    good = [_run_one(number, *pair) for number, pair in enumerate(chosen, 1)]
    print(f"1..{len(chosen)}")
    sys.exit(0 if all(good) else 1)
