#!/usr/bin/python3
"""The schema of the device's state and the program that reads it refuse the same documents."""
import copy
import json
import pathlib
import subprocess
import sys

import jsonschema

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from c_program import build  # noqa: E402
from device_lab import Lab  # noqa: E402
from tap import ROOT, main, test  # noqa: E402

SCHEMA = json.loads((ROOT / "schemas/installer-state.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
COMMIT = "ab" * 32
# Of no type that any member has, or at the edge of a type.
STRANGERS = (None, True, 1.5, -2, "", "x", [], {}, [1], {"a": 1}, COMMIT.upper(), COMMIT[1:],
             "2026-01-01T00:00:00Z", "2026-01-01T00:00:00+00:00")


def target(n):
    return {"name": f"board-lmp-{n}", "version": n, "commit": f"{n:064x}",
            "apps": [{"name": "app", "uri": "host/factory/app@sha256:" + COMMIT}]}


def example(schema, place):
    """A document with every member that the schema has, so that none is forgotten here."""
    if "$ref" in schema:
        return example(SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]], place)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] == "object":
        return {name: example(part, f"{place}.{name}")
                for name, part in schema["properties"].items()}
    if schema["type"] == "array":
        return [example(schema["items"], place)]
    if schema["type"] == "integer":
        return 7
    if place.endswith(".at"):
        return "2026-01-01T00:00:00Z"
    return COMMIT if "pattern" in schema else "text"


def whole():
    document = example(SCHEMA, "")
    del document["installing"]  # never with pending
    VALIDATOR.validate(document)
    return document


def holders(value, path=()):
    """The path of each object or list in a document."""
    if isinstance(value, (dict, list)):
        yield path
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from holders(part, (*path, key))


def at(document, path):
    for key in path:
        document = document[key]
    return document


def variants(document):
    """(what was done, the changed document): each member gone, replaced or joined by another."""
    for path in holders(document):
        holder = at(document, path)
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            changed = copy.deepcopy(document)
            del at(changed, path)[key]
            yield f"without {path} {key}", changed
            for stranger in STRANGERS:
                changed = copy.deepcopy(document)
                at(changed, path)[key] = stranger
                yield f"{path} {key} is {stranger!r}", changed
        changed = copy.deepcopy(document)
        if isinstance(holder, dict):
            at(changed, path)["stranger"] = 1
            yield f"a stranger in {path}", changed


def more_variants(document):
    both = copy.deepcopy(document)
    both["installing"] = target(3)
    yield "installing and pending", both
    installing = copy.deepcopy(both)
    del installing["pending"]
    yield "installing", installing
    del installing["from_commit"]
    yield "installing without from_commit", installing
    for member in ("failing", "events"):
        for n in (0, 256, 257):
            changed = copy.deepcopy(document)
            changed[member] = [document[member][0]] * n
            yield f"{n} {member}", changed
    yield "least", {"format": 1, "failing": [], "events": []}
    for other in ([], None, 1, "", [document]):
        yield f"{other!r:.20}", other


def considered(document):
    """(what was done, the changed document), without those that are neither good nor damaged."""
    for what, changed in (*variants(document), *more_variants(document)):
        form = changed.get("format") if isinstance(changed, dict) else None
        if not (isinstance(form, int) and form > 1):  # of a newer version
            yield what, changed


@test("what the schema refuses the program refuses, and what the schema takes it takes")
def _(tmp):
    reader = build("read_state.c", tmp, archives=("installer.a", "libsatchel.a"))
    cases = list(considered(whole()))
    text = "".join(json.dumps(document) + "\n" for _, document in cases)
    answers = subprocess.run([reader], input=text, stdout=subprocess.PIPE, encoding="utf-8",
                             check=True).stdout.splitlines()
    assert len(answers) == len(cases), (len(answers), len(cases))
    for (what, document), answer in zip(cases, answers):
        good = VALIDATOR.is_valid(document)
        assert (answer == "good") == good, f"{what}: the schema says {good}, the program {answer}"
    n_good = answers.count("good")
    print(f"# {n_good} good, {len(answers) - n_good} bad documents")
    assert n_good > 10 and len(answers) - n_good > 300


@test("status calls a file of another form damaged, and says nothing of one of its own")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    good = whole()
    with lab.device() as device:
        device.state_file.parent.mkdir()
        device.state_file.write_text(json.dumps(good))
        assert device.expect(0, "status").stderr == ""
        device.state_file.write_text(json.dumps({**good, "stranger": 1}))
        assert "damaged" in device.expect(0, "status").stderr


main()
