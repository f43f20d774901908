#!/usr/bin/python3
"""Parse, canonicalise and verify a targets role of 10,000 targets: we beside securesystemslib.

Each run is a process of its own, and the two take turns; processor time is measured, so that what
else the machine does does not matter. Aim: ten times faster, below 64 MiB. Then documents that are
made to be slow, at two sizes: twice the bytes must cost about twice the time.

Without arguments it measures; `peer DOCUMENT KEYS` is one run of the peer.
"""
import hashlib
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

from cryptography.hazmat.primitives import serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: E402
from securesystemslib import keys as peer_keys  # noqa: E402
from securesystemslib.formats import encode_canonical  # noqa: E402

N_TARGETS = 10000
N_RUNS = 7
HOSTILE_BYTES = 8 * 1024 * 1024


def plain_target(number):
    """An entry with what TUF asks for and no more."""
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    return f"packages/{digest[:2]}/package-{number}.tar", {
        "hashes": {"sha256": digest}, "length": 1000 + number}


def foundries_target(number):
    """An entry as Foundries.io writes them."""
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    return f"intel-corei7-64-lmp-{number}", {
        "hashes": {"sha256": digest}, "length": 0,
        "custom": {"name": "intel-corei7-64-lmp", "version": str(number),
                   "hardwareIds": ["intel-corei7-64"], "tags": ["devel", "main"],
                   "targetFormat": "OSTREE", "arch": "x86_64",
                   "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z",
                   "lmp-manifest-sha": digest[:40], "uri": f"https://ci.example/{number}/",
                   "docker_compose_apps": {"shellhttpd": {
                       "uri": f"registry.example/factory/shellhttpd@sha256:{digest}"}}}}


def write_inputs(folder, make_target):
    """The signed role and the keys to verify it with, as two files."""
    private = ed25519.Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
    public = private.public_key().public_bytes(serialization.Encoding.Raw,
                                               serialization.PublicFormat.Raw).hex()
    key = {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": public}}
    keyid = hashlib.sha256(encode_canonical(key).encode()).hexdigest()
    signed = {"_type": "targets", "spec_version": "1.0.31", "version": 1,
              "expires": "2090-01-01T00:00:00Z",
              "targets": dict(make_target(number) for number in range(N_TARGETS))}
    signature = private.sign(encode_canonical(signed).encode()).hex()
    document, delegator = folder / "targets.json", folder / "keys.json"
    document.write_text(json.dumps({"signatures": [{"keyid": keyid, "sig": signature}],
                                    "signed": signed}, sort_keys=True, separators=(",", ":")))
    delegator.write_text(json.dumps({"keys": {keyid: key},
                                     "role": {"keyids": [keyid], "threshold": 1}}))
    return document, delegator


def peer(document, delegator):
    """One run of what Debian's Python has, timed as ours is."""
    text = pathlib.Path(document).read_bytes()
    keys = json.loads(pathlib.Path(delegator).read_text())["keys"]
    begin = time.process_time()
    tree = json.loads(text)
    message = encode_canonical(tree["signed"]).encode()
    signature = tree["signatures"][0]
    key = {**keys[signature["keyid"]], "keyid": signature["keyid"],
           "keyid_hash_algorithms": ["sha256"]}
    assert peer_keys.verify_signature(key, signature, message)
    elapsed_ms = (time.process_time() - begin) * 1000
    status = pathlib.Path("/proc/self/status").read_text()
    print(f"{elapsed_ms:.3f} {status.split('VmHWM:')[1].split()[0]}")


def measure(command):
    """The numbers that a run prints: milliseconds, and for a role the peak in KiB."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, check=True,
                          encoding="utf-8")
    return [float(word) for word in done.stdout.split()]


def compare(folder, program, kind, make_target):
    document, delegator = write_inputs(folder, make_target)
    ours, theirs = [], []
    for _ in range(N_RUNS):
        ours.append(measure([program, document, delegator]))
        theirs.append(measure([sys.executable, __file__, "peer", document, delegator]))
    our_ms, their_ms = (statistics.median(ms for ms, _ in runs) for runs in (ours, theirs))
    our_mib, their_mib = (max(kib for _, kib in runs) / 1024 for runs in (ours, theirs))
    print(f"targets role: {N_TARGETS} {kind} targets, {document.stat().st_size / 1e6:.1f} MB, "
          f"median of {N_RUNS} runs")
    print(f"  satchel               {our_ms:8.1f} ms  {our_mib:6.1f} MiB at most")
    print(f"  securesystemslib+json {their_ms:8.1f} ms  {their_mib:6.1f} MiB at most")
    print(f"  {their_ms / our_ms:.1f} times faster (aim: 10), "
          f"{our_mib:.1f} MiB (aim: below 64)")


def hostile_documents(n_bytes):
    """(name, text): shapes that a careless parser or sorter is slow on."""
    count = n_bytes // 12
    yield "members in reverse order", \
        "{" + ",".join(f'"{n:07}":1' for n in range(count, 0, -1)) + "}"
    yield "members with a long common beginning", \
        "{" + ",".join(f'"{"a" * 1000}{n:06}":1' for n in range(n_bytes // 1010, 0, -1)) + "}"
    # Thirty of them: one array more would be one value too many at the larger size.
    yield "one object inside the other, thirty members each", \
        "{" + ",".join(f'"{n:06}":' + "{\"z\":" * 30 + '"' + "x" * 100 + '"' + "}" * 30
                       for n in range(n_bytes // 290)) + "}"
    yield "strings full of escapes", \
        "{" + ",".join(f'"{n:06}":"' + '\\n\\"' * 2500 + '"'
                       for n in range(n_bytes // 10011)) + "}"


def time_hostile(folder, program, dialect, text):
    path = folder / "hostile.json"
    path.write_text(text)
    runs = [measure([program, dialect, path]) for _ in range(5)]
    return f"{statistics.median(ms for ms, _ in runs):.0f} ms{', refused' if runs[0][1] else ''}"


def hostile(folder, program):
    for (name, small), (_, large) in zip(hostile_documents(HOSTILE_BYTES // 2),
                                         hostile_documents(HOSTILE_BYTES)):
        times = [time_hostile(folder, program, "uptane", text) for text in (small, large)]
        print(f"hostile: {name}: {len(small) / 1e6:.1f} MB {times[0]}; "
              f"{len(large) / 1e6:.1f} MB {times[1]}")


def main():
    from c_program import build  # pylint: disable=import-outside-toplevel

    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as name:
        folder = pathlib.Path(name)
        verify_targets = build("../bench/verify_targets.c", folder, optimize="-O2")
        compare(folder, verify_targets, "plain", plain_target)
        compare(folder, verify_targets, "Foundries.io", foundries_target)
        hostile(folder, build("../bench/canonicalize_once.c", folder, optimize="-O2"))


if sys.argv[1:2] == ["peer"]:
    peer(*sys.argv[2:])
else:
    main()
