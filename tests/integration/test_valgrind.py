#!/usr/bin/python3
"""The main path under valgrind: nothing is lost, nothing is read that is not there."""
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import Lab  # noqa: E402
from installed import CC  # noqa: E402
from tap import main, program, run, skip, test  # noqa: E402

SUPPRESSIONS = pathlib.Path(__file__).resolve().parent.parent / "support/valgrind.supp"
FOUND = 99


def expect(device, status, *words):
    """Runs a command under valgrind, which must end with that status."""
    if any(word.startswith("-fsanitize") for word in CC):
        skip("a sanitizer and valgrind do not go together")
    if shutil.which("valgrind") is None:
        skip("no valgrind")
    argv = device.argv(*words)
    argv[0] = program(argv[0])
    # A child that is forked has the memory of its parent, and says so when it ends.
    result = run(["valgrind", "-q", "--child-silent-after-fork=yes",
                  f"--error-exitcode={FOUND}", "--leak-check=full", "--show-leak-kinds=definite",
                  "--errors-for-leak-kinds=definite",
                  f"--suppressions={SUPPRESSIONS}", *argv],
                 env={"OSTREE_SYSROOT_DEBUG": "mutable-deployments", "G_SLICE": "always-malloc"})
    assert result.returncode == status, f"not {status}: {result}"


for form in ("folder", "packed"):
    @test(f"check, pull, install, status and run of a bundle, {form}")
    def _(tmp, *, packed=form == "packed"):
        lab = Lab(tmp, releases=(1, 2))
        bundle = lab.bundle([2], packed=packed)
        with lab.device() as device:
            expect(device, 16, "check", "--src-dir", bundle)
            expect(device, 0, "pull", "--src-dir", bundle)
            expect(device, 100, "install")
            expect(device, 0, "status")
            expect(device, 0, "run")


@test("a packed bundle that was altered, and one whose copy broke off")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2], packed=True)
    good = bundle.read_bytes()
    middle = len(good) * 3 // 4
    with lab.device() as device:
        for data in (good[:middle], good[:middle] + bytes(4096) + good[middle + 4096:]):
            bundle.write_bytes(data)
            expect(device, 50, "pull", "--src-dir", bundle)


main()
