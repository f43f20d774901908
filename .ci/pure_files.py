"""Reads .ci/pure-files for the lint and the coverage table."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent


def pure_files():
    """The pure files that are there, sorted."""
    chosen = set()
    text = (ROOT / ".ci" / "pure-files").read_text(encoding="utf-8")
    for line in re.findall(r"^[^#\s].*$", text, re.M):
        if line.startswith("!"):
            chosen -= set(ROOT.glob(line[1:]))
        else:
            chosen |= set(ROOT.glob(line))
    return sorted(chosen)
