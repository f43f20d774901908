#!/usr/bin/python3
"""Our canonical forms beside those of securesystemslib (tuf) and jsoncpp (uptane)."""
import json
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

from securesystemslib.formats import encode_canonical  # noqa: E402

from c_program import build, build_cxx  # noqa: E402
from tap import FIXTURES, main, run, test  # noqa: E402

N_DOCUMENTS = 2000
ALPHABETS = ["abcXYZ019", " !#$%&'()*+,-./:;<=>?@[]^_`{|}~", '"\\', "\b\f\n\r\t",
             "".join(map(chr, range(1, 32))), "\x7f\x80\x9f\xa0\xff", "éàß€中\u2028\u2029\ufeff",
             "\ud7ff\ue000\ufffd\uffff", "\U00010000\U0001f600\U0010ffff"]
INTEGERS = [0, 1, -1, 9, 10, -10, 2**31, -2**31, 2**53 - 1, 2**53 + 1, 2**63 - 1, -2**63]


def make_string(rng):
    """Mostly one kind of characters, sometimes a mixture; now and then long."""
    kinds = rng.sample(ALPHABETS, rng.choice([1, 1, 2, len(ALPHABETS)]))
    return "".join(rng.choice(rng.choice(kinds)) for _ in range(rng.choice([0, 1, 3, 8, 60])))


def make_value(rng, depth):
    """Any value without fractions."""
    kind = rng.randrange(8 if depth < 6 else 5)
    if kind == 0:
        return rng.choice([True, False, None])
    if kind == 1:
        return rng.choice([rng.choice(INTEGERS), rng.randrange(-2**63, 2**63)])
    if kind < 5:
        return make_string(rng)
    if kind == 5:
        return [make_value(rng, depth + 1) for _ in range(rng.randrange(6))]
    return make_object(rng, depth + 1)


def make_object(rng, depth):
    return {make_string(rng): make_value(rng, depth) for _ in range(rng.randrange(8))}


def write(rng, value):
    """JSON text of it on one line, escaped or raw, dense or wide."""
    separators = rng.choice([(",", ":"), (", ", ": "), (" ,\t", "\r: ")])
    return json.dumps(value, ensure_ascii=rng.random() < 0.5, separators=separators)


def documents():
    """The same ones in every run."""
    rng = random.Random(20260101)
    return [(value, write(rng, value))
            for value in (make_object(rng, 0) for _ in range(N_DOCUMENTS))]


def answers(command, texts):
    """What the program answers, one for each text."""
    lines = run(command, stdin="".join(f"{text}\n" for text in texts),
                check=True).stdout.splitlines()
    assert len(lines) == len(texts), (len(lines), len(texts))
    return lines


def compare(texts, ours, theirs):
    for text, our, their in zip(texts, ours, theirs):
        assert our == their, f"{text}\nours   {our}\ntheirs {their}"


@test("the tuf form of generated documents is that of securesystemslib")
def _(tmp):
    made = documents()
    texts = [text for _, text in made]
    theirs = [encode_canonical(value).encode().hex() for value, _ in made]
    compare(texts, answers([build("canonicalize.c", tmp), "tuf"], texts), theirs)


@test("the uptane form of generated documents is that of jsoncpp")
def _(tmp):
    texts = [text for _, text in documents()]
    jsoncpp = build_cxx("jsoncpp_canonicalize.cc", tmp, "jsoncpp")
    compare(texts, answers([build("canonicalize.c", tmp), "uptane"], texts),
            answers([jsoncpp], texts))


@test("the expected bytes in fixtures are those of securesystemslib and jsoncpp")
def _(tmp):
    cases = sorted((FIXTURES / "canonical-json/valid").iterdir())
    assert cases
    texts = [json.dumps(json.loads((case / "input.json").read_bytes())) for case in cases]
    jsoncpp = answers([build_cxx("jsoncpp_canonicalize.cc", tmp, "jsoncpp")], texts)
    for case, text, uptane in zip(cases, texts, jsoncpp):
        assert (case / "tuf.canonical").read_bytes() == encode_canonical(
            json.loads(text)).encode(), case
        assert (case / "uptane.canonical").read_bytes().hex() == uptane, case


@test("a canonical document is its own canonical form where it is still JSON")
def _(tmp):
    program = build("canonicalize.c", tmp)
    texts = [text for _, text in documents()]
    first = answers([program, "uptane"], texts)
    again = answers([program, "uptane"], [bytes.fromhex(line).decode() for line in first])
    compare(texts, again, first)


main()
