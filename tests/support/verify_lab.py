"""Runs satchel-verify as a test wants it: by schema, and seeing that nothing is written."""
import json
import os
import pathlib

import jsonschema

from bundle_builder import HARDWARE
from tap import ROOT, run

SCHEMA = json.loads((ROOT / "schemas" / "verify-verdict.schema.json").read_text())
TIMEOUT_S = 280


def snapshot(folder):
    """Kind, times and content's size of all that is below a folder."""
    found = {}
    for place, folders, files in os.walk(folder):
        for name in folders + files:
            path = pathlib.Path(place) / name
            info = path.lstat()
            found[str(path.relative_to(folder))] = (
                info.st_mode, info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino)
    return found


class Verdict:
    """What satchel-verify --json gave; its text tells the whole story."""

    def __init__(self, result):
        self.result = result
        self.status = result.returncode
        self.document = json.loads(result.stdout)
        jsonschema.validate(self.document, SCHEMA)
        self.accepted = self.document["accepted"]
        self.reasons = [reason["reason"] for reason in self.document["reasons"]]
        self.messages = "\n".join(reason["message"] for reason in self.document["reasons"])

    def __str__(self):
        return str(self.result)


def verify(builder, bundle, *options, device=True, root=True):
    """The verdict of a device that trusts @builder's first root. @device: with the usual hardware
    id, tag and type. Fails if anything below the builder's folder changed."""
    argv = ["satchel-verify", "--json", "--quiet"]
    if root:
        argv += ["--root", builder.root_path]
    if device:
        argv += ["--hardware-id", HARDWARE, "--tag", "devel", "--type", "ci"]
    before = snapshot(builder.folder)
    result = run([*argv, *options, bundle], timeout_s=TIMEOUT_S)
    assert snapshot(builder.folder) == before, result
    verdict = Verdict(result)
    assert verdict.accepted == (verdict.status == 0), result
    assert verdict.accepted == (not verdict.reasons), result
    one_line = result.stderr.rstrip("\n")
    assert verdict.accepted or (one_line and "\n" not in one_line), result
    return verdict


def refused(verdict, status, *words):
    """Asserts a refusal by @status whose reasons have all @words in them."""
    assert verdict.status == status, verdict
    for word in words:
        assert word in verdict.messages, verdict
    return verdict
