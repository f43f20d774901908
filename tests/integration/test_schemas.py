#!/usr/bin/python3
"""The schemas are schemas, say what they are of, and are used: no document goes without one."""
import json
import pathlib
import re
import sys

import jsonschema

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from tap import ROOT, main, test  # noqa: E402

SCHEMAS = sorted((ROOT / "schemas").glob("*"))


def objects_in(schema, place="#"):
    """(place, subschema) of each object with properties."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield place, schema
        for name, value in schema.items():
            yield from objects_in(value, f"{place}/{name}")
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            yield from objects_in(value, f"{place}/{index}")


@test("there are schemas, and nothing else beside them")
def _():
    assert SCHEMAS
    for path in SCHEMAS:
        assert path.name.endswith(".schema.json"), path


@test("every schema is a valid JSON Schema with a title")
def _():
    for path in SCHEMAS:
        schema = json.loads(path.read_text())
        assert "$schema" in schema, path
        jsonschema.validators.validator_for(schema).check_schema(schema)
        assert schema.get("title"), path


@test("every property that a schema requires is described in it")
def _():
    for path in SCHEMAS:
        for place, part in objects_in(json.loads(path.read_text())):
            missing = set(part.get("required", [])) - set(part["properties"])
            assert not missing, f"{path.name} {place}: {missing}"


def names_checked():
    """Patterns of the names that tests give to schemas.check(); `{…}` of an f-string is any text."""
    text = "".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    named = re.findall(r'\bcheck\(.{0,200}?"([\w{}-]+)"\)', text, re.S)
    named += re.findall(r"([\w-]+)\.schema\.json", text)
    return [re.sub(r"\\\{.*?\\\}", r"\\w+", re.escape(name)) for name in named]


@test("every schema is used by a test")
def _():
    patterns = names_checked()
    for path in SCHEMAS:
        stem = path.name.removesuffix(".schema.json")
        assert any(re.fullmatch(pattern, stem) for pattern in patterns), f"no test reads {path.name}"


main()
