"""Checks documents against schemas/."""
import json

import jsonschema

from tap import ROOT


def check(document, name):
    """Fails unless @document (text, bytes or parsed) follows schemas/NAME."""
    schema = json.loads((ROOT / "schemas" / name).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    tree = json.loads(document) if isinstance(document, (str, bytes)) else document
    jsonschema.Draft202012Validator(schema).validate(tree)
    return tree
