#!/usr/bin/python3
"""The schemas are schemas, say what they are of, and are used: no document goes without one."""
import json
import pathlib
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


@test("every schema is used by a test")
def _():
    text = "".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    for path in SCHEMAS:
        assert path.name in text, f"no test reads {path.name}"


main()
