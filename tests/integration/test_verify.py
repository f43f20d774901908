#!/usr/bin/python3
"""satchel-verify on bundles of another implementation: each status that a bundle can lead to."""
import pathlib
import re
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

# pylint: disable=wrong-import-position
from bundle_builder import HARDWARE, ROLES, Builder, Key, canonical, simple, write
from tap import main, run, skip, test
from verify_lab import refused, verify

TARGET = f"{HARDWARE}-lmp-1"


def object_path(bundle, checksum, kind):
    """Where an object is in a bundle."""
    return bundle / "ostree_repo" / "objects" / checksum[:2] / f"{checksum[2:]}.{kind}"


def commit_of(builder, name=TARGET):
    return builder.targets[name]["hashes"]["sha256"]


def spoil(path):
    """Flips a bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def store_of(builder, folder):
    """A device's store that holds what the builder has published."""
    for name, document in builder.files.items():
        write(folder / name, document)
    newest = max(builder.roots)
    write(folder / "root.json", builder.roots[newest])
    for version, document in builder.roots.items():
        write(folder / "roots" / f"{version}.root.json", document)
    return folder


# ---- accepted

@test("a good bundle of either dialect is accepted")
def _(tmp):
    for dialect in ("uptane", "tuf"):
        builder = simple(tmp / dialect, dialect=dialect)
        verdict = verify(builder, tmp / dialect / "bundle", "--full")
        assert verdict.status == 0, verdict
        assert verdict.document["target"]["name"] == TARGET, verdict
        assert verdict.document["target"]["commit"] == commit_of(builder), verdict
        assert verdict.document["metadata"]["issued"] == "2024-01-01T00:00:00Z", verdict


@test("the verdict for people begins with one word")
def _(tmp):
    builder = simple(tmp)
    good = run(["satchel-verify", "--root", builder.root_path, tmp / "bundle"])
    assert good.returncode == 0 and good.stdout.startswith("accepted\n"), good
    bad = run(["satchel-verify", "--root", builder.root_path, "--tag", "other", tmp / "bundle"])
    assert bad.returncode == 15 and bad.stdout.startswith("refused\n"), bad


@test("a bundle of another maker, without a manifest, is accepted")
def _(tmp):
    builder = simple(tmp)
    bundle = tmp / "plain"
    builder.write_bundle(bundle, with_manifest=False)
    assert verify(builder, bundle, "--full").status == 0


@test("a manifest that nobody signed says nothing")
def _(tmp):
    builder = simple(tmp)
    bundle = tmp / "plain"
    builder.write_bundle(bundle, with_manifest=False)
    write(bundle / "manifest.mtree", "nonsense")
    assert verify(builder, bundle, "--full").status == 0


@test("the newest of several targets is taken, and those of other devices are passed over")
def _(tmp):
    builder = simple(tmp)
    commit = commit_of(builder)
    builder.add_target("b-10", 10, commit)
    builder.add_target("c-9", 9, commit)
    builder.add_target("other-11", 11, commit, hardware=("other",))
    builder.add_target("both-12", 12, commit, hardware=("other", HARDWARE))
    builder.add_target("tagged-13", 13, commit, tags=("other",))
    builder.publish()
    builder.write_bundle(tmp / "several")
    verdict = verify(builder, tmp / "several")
    assert verdict.status == 0, verdict
    assert verdict.document["target"]["name"] == "b-10", verdict
    assert [t["version"] for t in verdict.document["targets"]] == [1, 9, 10], verdict
    assert len(verdict.document["notes"]) == 3, verdict


@test("one of several targets may lack its commit")
def _(tmp):
    builder = simple(tmp)
    builder.add_target("lacking-2", 2, "a" * 64)
    builder.publish()
    builder.write_bundle(tmp / "several")
    verdict = verify(builder, tmp / "several")
    assert verdict.status == 0, verdict
    assert [t["name"] for t in verdict.document["targets"]] == [TARGET], verdict
    assert "lacking-2" in "\n".join(verdict.document["notes"]), verdict


@test("roots are followed from the device's own to the bundle's newest")
def _(tmp):
    builder = simple(tmp)
    builder.rotate_root(targets=[Key("new targets")])
    builder.rotate_root(root=[Key("new root")])
    builder.rotate_root(timestamp=[Key("new timestamp")])
    builder.publish()
    builder.write_bundle(tmp / "rotated")
    assert verify(builder, tmp / "rotated").status == 0


@test("an expired root on the way is no hindrance")
def _(tmp):
    builder = Builder(tmp)
    builder.expires["root"] = "2020-01-01T00:00:00Z"
    builder.make_root()
    builder.expires["root"] = "2090-01-01T00:00:00Z"
    builder.rotate_root()
    builder.add_target(TARGET, 1, builder.commit({"file": "1"}))
    builder.publish()
    builder.write_bundle(tmp / "rotated")
    assert verify(builder, tmp / "rotated").status == 0


@test("a signature by an unknown key does no harm")
def _(tmp):
    builder = simple(tmp)
    builder.write_meta(tmp / "bundle", keys=[*builder.keys["targets"], Key("stranger")])
    assert verify(builder, tmp / "bundle").status == 0


@test("a bundle older than the store is judged by the store's metadata")
def _(tmp):
    builder = simple(tmp)
    builder.versions.update(timestamp=2, snapshot=2, targets=2)
    builder.add_target("newer-2", 2, "b" * 64)
    builder.publish()
    store = store_of(builder, tmp / "store")
    verdict = verify(builder, tmp / "bundle", "--store", store, root=False)
    assert verdict.status == 0, verdict
    assert verdict.document["used_stored_metadata"], verdict
    assert verdict.document["target"]["name"] == TARGET, verdict


@test("an older bundle whose timestamp has expired since is judged by the store's metadata")
def _(tmp):
    builder = Builder(tmp)
    builder.add_target(TARGET, 1, builder.commit({"file": "1"}))
    builder.expires["timestamp"] = "2020-01-01T00:00:00Z"
    builder.publish()
    builder.write_bundle(tmp / "bundle")
    builder.expires["timestamp"] = "2090-01-01T00:00:00Z"
    builder.versions["timestamp"] = 2
    builder.publish()
    store = store_of(builder, tmp / "store")
    verdict = verify(builder, tmp / "bundle", "--store", store, root=False)
    assert verdict.status == 0 and verdict.document["used_stored_metadata"], verdict


@test("content that sticks collect is named and no fault")
def _(tmp):
    builder = simple(tmp)
    for name in (".DS_Store", "._tuf", "tuf/._targets.json", "System Volume Information/x",
                 "ostree_repo/objects/.DS_Store", "ostree_repo/tmp/cache/x", "ostree_repo/.lock"):
        write(tmp / "bundle" / name, "litter")
    verdict = verify(builder, tmp / "bundle", "--full")
    assert verdict.status == 0, verdict
    assert len(verdict.document["notes"]) == 7, verdict


# ---- 1

@test("a wrong command line gives 1 and a hint")
def _(tmp):
    for argv in ([], ["--root", "a", "--store", "b", tmp], ["--at", "yesterday", tmp],
                 ["--type", "dev", tmp], [tmp, tmp], ["--nonsense", tmp]):
        result = run(["satchel-verify", *argv])
        assert result.returncode == 1, result
        assert "--help" in result.stderr, result
        assert result.stdout == "", result


# ---- 4

@test("a store that cannot be read gives 4")
def _(tmp):
    builder = simple(tmp)
    write(tmp / "store", "no folder")
    verdict = verify(builder, tmp / "bundle", "--store", tmp / "store", root=False)
    refused(verdict, 4)


# ---- 6

@test("targets for secondary hardware ids alone give 20, and beside others they are passed over")
def _(tmp):
    builder = simple(tmp)
    commit = commit_of(builder)
    builder.add_target("mcu-7", 7, commit, hardware=("mcu",))
    builder.publish()
    builder.write_bundle(tmp / "both")
    builder.write_bundle(tmp / "alone", targets=["mcu-7"])
    verdict = verify(builder, tmp / "both", "--secondary-hardware-id", "mcu")
    assert verdict.status == 0, verdict
    assert "secondary" in "".join(verdict.document["notes"]), verdict
    verdict = verify(builder, tmp / "alone", "--secondary-hardware-id", "mcu")
    refused(verdict, 20, "secondary hardware ids", "mcu-7")
    refused(verify(builder, tmp / "alone"), 6, "mcu-7")


@test("targets below the floor alone give 102, whether a device or a signed target names it")
def _(tmp):
    builder = simple(tmp)
    commit = commit_of(builder)
    builder.add_target("b-2", 2, commit)
    builder.add_target("c-3", 3, commit, **{"x-satchel": {"lowest-version": 3}})
    builder.publish()
    builder.write_bundle(tmp / "old", targets=[TARGET, "b-2"])
    builder.write_bundle(tmp / "all")
    verdict = refused(verify(builder, tmp / "old"), 102, "b-2", "3")
    assert verdict.reasons == ["downgrade-refused"], verdict
    assert verdict.document["target"] is None, verdict
    assert verify(builder, tmp / "all").status == 0
    assert verify(builder, tmp / "all", "--lowest-version", "3").status == 0
    refused(verify(builder, tmp / "all", "--lowest-version", "4"), 102, "c-3", "4")
    result = run(["satchel-verify", "--root", builder.root_path, "--lowest-version", "-1",
                  tmp / "all"])
    assert result.returncode == 1 and "--lowest-version" in result.stderr, result


@test("no target for the hardware gives 6")
def _(tmp):
    builder = simple(tmp)
    verdict = verify(builder, tmp / "bundle", "--hardware-id", "other", device=False)
    refused(verdict, 6, "other")
    assert verdict.document["target"] is None, verdict


@test("a target of the bundle that the targets role does not have gives 6")
def _(tmp):
    builder = simple(tmp)
    builder.write_meta(tmp / "bundle", targets=["unknown-1"])
    refused(verify(builder, tmp / "bundle"), 6, "unknown-1")


@test("a target of the role that the bundle does not list is not taken")
def _(tmp):
    builder = simple(tmp)
    builder.add_target("unlisted-2", 2, commit_of(builder))
    builder.publish()
    builder.write_bundle(tmp / "listed", targets=[TARGET])
    verdict = verify(builder, tmp / "listed")
    assert [t["name"] for t in verdict.document["targets"]] == [TARGET], verdict


@test("a target of another format gives 6")
def _(tmp):
    builder = simple(tmp)
    builder.targets[TARGET]["custom"]["targetFormat"] = "BINARY"
    builder.publish()
    builder.write_bundle(tmp / "bundle")
    refused(verify(builder, tmp / "bundle"), 6)


# ---- 8

@test("a bundle without a repository gives 8")
def _(tmp):
    builder = simple(tmp)
    shutil.rmtree(tmp / "bundle" / "ostree_repo")
    refused(verify(builder, tmp / "bundle"), 8, "ostree_repo")


@test("a repository of a kind that nobody knows gives 8")
def _(tmp):
    builder = simple(tmp)
    config = tmp / "bundle" / "ostree_repo" / "config"
    for text in ("", "[core]\n", "[core]\nrepo_version=1\nmode=odd\n", "\0\0\0", "]["):
        write(config, text)
        refused(verify(builder, tmp / "bundle"), 8, "ostree_repo/config")


@test("a missing commit gives 8")
def _(tmp):
    builder = simple(tmp)
    object_path(tmp / "bundle", commit_of(builder), "commit").unlink()
    refused(verify(builder, tmp / "bundle"), 8, TARGET)


@test("a commit that is not what its name says gives 8")
def _(tmp):
    builder = simple(tmp)
    spoil(object_path(tmp / "bundle", commit_of(builder), "commit"))
    refused(verify(builder, tmp / "bundle"), 8, TARGET)


@test("with --full a missing object gives 8")
def _(tmp):
    builder = simple(tmp)
    builder.write_bundle(tmp / "plain", with_manifest=False)
    for kind in ("filez", "dirtree", "dirmeta"):
        bundle = tmp / f"without-{kind}"
        shutil.copytree(tmp / "plain", bundle)
        victim = next(bundle.glob(f"ostree_repo/objects/*/*.{kind}"))
        victim.unlink()
        assert verify(builder, bundle).status == 0
        refused(verify(builder, bundle, "--full"), 8, victim.name)


@test("with --full a missing object of a bundle with a manifest gives 8, and is listed once")
def _(tmp):
    builder = simple(tmp)
    assert (tmp / "bundle/manifest.mtree").is_file()
    for kind in ("filez", "dirtree", "dirmeta"):
        bundle = tmp / f"without-{kind}"
        shutil.copytree(tmp / "bundle", bundle)
        victim = next(bundle.glob(f"ostree_repo/objects/*/*.{kind}"))
        victim.unlink()
        verdict = refused(verify(builder, bundle, "--full"), 8, victim.name)
        assert verdict.messages.count(victim.name) == 1, verdict


# ---- 11

@test("a role that a stranger signed gives 11")
def _(tmp):
    for role in ("timestamp", "snapshot", "targets"):
        builder = Builder(tmp / role)
        builder.add_target(TARGET, 1, builder.commit({"file": "1"}))
        own = builder.keys[role]
        builder.keys[role] = [Key("stranger")]
        builder.publish()
        builder.keys[role] = own
        builder.write_bundle(tmp / role / "bundle")
        refused(verify(builder, tmp / role / "bundle"), 11, role)


@test("a root that the trusted one did not sign gives 11")
def _(tmp):
    builder = simple(tmp)
    builder.versions["root"] = 2
    builder.keys["root"] = [Key("stranger")]
    builder.make_root()
    builder.write_bundle(tmp / "bundle")
    refused(verify(builder, tmp / "bundle"), 11, "root 2")


@test("one key that signs twice does not make two")
def _(tmp):
    builder = Builder(tmp)
    builder.thresholds["timestamp"] = 2
    builder.keys["timestamp"] = [Key("one"), Key("two")]
    builder.make_root()
    builder.add_target(TARGET, 1, builder.commit({"file": "1"}))
    builder.publish()
    both = builder.files["timestamp.json"]
    builder.keys["timestamp"] = [Key("one"), Key("one")]
    builder.publish()
    builder.write_bundle(tmp / "bundle")
    refused(verify(builder, tmp / "bundle"), 11, "timestamp")
    builder.files["timestamp.json"] = both
    builder.write_bundle(tmp / "good")
    assert verify(builder, tmp / "good").status == 0


@test("snapshot and targets that do not go together give 11")
def _(tmp):
    builder = simple(tmp)
    old = builder.files
    builder.add_target("second-2", 2, commit_of(builder))
    builder.publish()
    builder.files = {**builder.files, "targets.json": old["targets.json"]}
    builder.write_bundle(tmp / "mixed")
    refused(verify(builder, tmp / "mixed"), 11, "targets")


@test("a snapshot that goes back while the timestamp goes forth gives 11")
def _(tmp):
    builder = simple(tmp)
    builder.versions.update(timestamp=2, snapshot=2, targets=2)
    builder.publish()
    store = store_of(builder, tmp / "store")
    builder.versions.update(timestamp=3, snapshot=1, targets=1)
    builder.publish()
    builder.write_bundle(tmp / "back")
    verdict = verify(builder, tmp / "back", "--store", store, root=False)
    refused(verdict, 11)
    assert not verdict.document["used_stored_metadata"], verdict


@test("a stranger's old timestamp is no old bundle")
def _(tmp):
    builder = simple(tmp)
    builder.versions.update(timestamp=2, snapshot=2, targets=2)
    builder.publish()
    store = store_of(builder, tmp / "store")
    builder.versions.update(timestamp=1, snapshot=1, targets=1)
    builder.keys["timestamp"] = [Key("stranger")]
    builder.publish()
    write(tmp / "bundle/tuf/timestamp.json", builder.files["timestamp.json"])
    verdict = verify(builder, tmp / "bundle", "--store", store, root=False)
    refused(verdict, 11)
    assert not verdict.document["used_stored_metadata"], verdict


# ---- 12

@test("each role that has expired gives 12, and the message names clock and floor")
def _(tmp):
    for role in ("root", "timestamp", "snapshot", "targets", "bundle"):
        builder = Builder(tmp / role)
        builder.expires[role] = "2085-01-01T00:00:00Z"
        builder.make_root()
        builder.add_target(TARGET, 1, builder.commit({"file": "1"}))
        builder.publish()
        builder.write_bundle(tmp / role / "bundle")
        assert verify(builder, tmp / role / "bundle").status == 0
        verdict = verify(builder, tmp / role / "bundle", "--at", "2086-01-01T00:00:00Z")
        refused(verdict, 12, "the clock says 2086-01-01T00:00:00Z", "the time floor is 20",
                "2085-01-01T00:00:00Z")


@test("a clock that is behind revives no expired bundle")
def _(tmp):
    builder = Builder(tmp)
    builder.expires["bundle"] = "2024-06-01T00:00:00Z"
    builder.add_target(TARGET, 1, builder.commit({"file": "1"}))
    builder.publish()
    builder.write_bundle(tmp / "bundle")
    refused(verify(builder, tmp / "bundle", "--at", "2024-05-01T00:00:00Z"), 12,
            "the clock says 2024-05-01T00:00:00Z")


@test("an older bundle gives 12 where the store's metadata has expired")
def _(tmp):
    builder = simple(tmp)
    builder.versions.update(timestamp=2)
    builder.expires["targets"] = "2085-01-01T00:00:00Z"
    builder.versions.update(snapshot=2, targets=2)
    builder.publish()
    store = store_of(builder, tmp / "store")
    verdict = verify(builder, tmp / "bundle", "--store", store, "--at", "2086-01-01T00:00:00Z",
                     root=False)
    refused(verdict, 12, "targets")


# ---- 14

@test("no trusted root gives 14 and says what to give")
def _(tmp):
    builder = simple(tmp)
    refused(verify(builder, tmp / "bundle", root=False), 14, "--root", "--store")
    (tmp / "store").mkdir()
    refused(verify(builder, tmp / "bundle", "--store", tmp / "store", root=False), 14)
    refused(verify(builder, tmp / "bundle", "--root", tmp / "none.json", root=False), 14,
            "none.json")


@test("no bundle gives 14")
def _(tmp):
    builder = simple(tmp)
    refused(verify(builder, tmp / "nowhere"), 14, "nowhere")
    refused(verify(builder, tmp / "roots"), 14, "tuf")
    refused(verify(builder, builder.root_path), 14, "1.root.json")


@test("a bundle without a role gives 14")
def _(tmp):
    builder = simple(tmp)
    for role in ("timestamp", "snapshot", "targets"):
        bundle = tmp / f"without-{role}"
        shutil.copytree(tmp / "bundle", bundle)
        (bundle / "tuf" / f"{role}.json").unlink()
        refused(verify(builder, bundle), 14, f"{role}.json", "copy the bundle again")


# ---- 15

@test("a bundle without bundle metadata gives 15")
def _(tmp):
    builder = simple(tmp)
    (tmp / "bundle/tuf/bundle-targets.json").unlink()
    refused(verify(builder, tmp / "bundle"), 15, "bundle-targets.json", "copy the bundle again")


@test("a bundle that a stranger signed gives 15")
def _(tmp):
    builder = simple(tmp)
    builder.write_meta(tmp / "bundle", keys=[Key("stranger")])
    refused(verify(builder, tmp / "bundle"), 15, "bundle-targets.json")


@test("a bundle below its threshold gives 15, also when one key signed twice")
def _(tmp):
    builder = Builder(tmp)
    builder.thresholds["targets"] = 2
    builder.keys["targets"] = [Key("one"), Key("two")]
    builder.make_root()
    builder.add_target(TARGET, 1, builder.commit({"file": "1"}))
    builder.publish()
    builder.write_bundle(tmp / "bundle")
    assert verify(builder, tmp / "bundle").status == 0
    builder.write_meta(tmp / "bundle", keys=[Key("one")])
    refused(verify(builder, tmp / "bundle"), 15)
    builder.write_meta(tmp / "bundle", keys=[Key("one"), Key("one")])
    refused(verify(builder, tmp / "bundle"), 15)


@test("a bundle of another type or for another tag gives 15")
def _(tmp):
    builder = simple(tmp)
    refused(verify(builder, tmp / "bundle", "--type", "prod", device=False), 15, "prod")
    refused(verify(builder, tmp / "bundle", "--tag", "other", device=False), 15, "other")
    assert verify(builder, tmp / "bundle", "--tag", "other", "--tag", "devel",
                  device=False).status == 0


@test("bundle metadata that was altered gives 15")
def _(tmp):
    builder = simple(tmp)
    signed = builder.meta(tmp / "bundle")
    document = builder.sign(signed, builder.keys["targets"])
    altered = document.replace(b'"devel"', b'"other"')
    assert altered != document
    write(tmp / "bundle/tuf/bundle-targets.json", altered)
    refused(verify(builder, tmp / "bundle", device=False), 15)


@test("a malformed date in bundle metadata gives 15")
def _(tmp):
    builder = simple(tmp)
    signed = {**builder.meta(tmp / "bundle"), "expires": "2090-13-01T00:00:00Z"}
    write(tmp / "bundle/tuf/bundle-targets.json", builder.sign(signed, builder.keys["targets"]))
    refused(verify(builder, tmp / "bundle"), 15)


@test("a bundle issued when one of its roles has expired gives 15: it would set a floor beyond it")
def _(tmp):
    for role in ROLES:
        builder = Builder(tmp / role)
        builder.add_target(TARGET, 1, builder.commit({"file": "1"}))
        builder.expires[role] = "2080-01-01T00:00:00Z"
        builder.make_root()
        builder.publish()
        for issued, status in (("2079-12-31T23:59:59Z", 0), ("2080-01-01T00:00:00Z", 15)):
            bundle = tmp / role / issued
            builder.write_bundle(bundle)
            signed = builder.meta(bundle)
            signed["x-satchel"]["issued"] = issued
            write(bundle / "tuf/bundle-targets.json",
                  builder.sign(signed, builder.keys["targets"]))
            verdict = verify(builder, bundle)
            assert verdict.status == status, (role, verdict)
            for part in (issued, "2080-01-01T00:00:00Z", role, "clock") if status else ():
                assert part in verdict.messages, (role, verdict)


@test("a commit dated when one of the roles has expired gives 15, and is passed over beside others")
def _(tmp):
    for role in ROLES:
        builder = Builder(tmp / role)
        builder.expires[role] = "2080-01-01T00:00:00Z"
        builder.make_root()
        builder.add_target("early-1", 1, builder.commit({"file": "1"}, "2079-12-31 23:59:59Z"))
        builder.add_target("late-2", 2, builder.commit({"file": "2"}, "2080-01-01 00:00:00Z"))
        builder.publish()
        builder.write_bundle(tmp / role / "both")
        verdict = verify(builder, tmp / role / "both")
        assert verdict.status == 0, verdict
        assert [t["name"] for t in verdict.document["targets"]] == ["early-1"], verdict
        assert "late-2" in "\n".join(verdict.document["notes"]), verdict
        builder.write_bundle(tmp / role / "late", ["late-2"])
        verdict = verify(builder, tmp / role / "late")
        assert verdict.status == 15, verdict
        for part in ("late-2", "2080-01-01T00:00:00Z", role, "clock"):
            assert part in verdict.messages, (role, verdict)


@test("an older bundle's times are compared with the store's metadata, by which it is judged")
def _(tmp):
    builder = Builder(tmp)
    builder.add_target(TARGET, 1, builder.commit({"file": "1"}))
    builder.publish()
    builder.write_bundle(tmp / "bundle")
    signed = builder.meta(tmp / "bundle")
    signed["x-satchel"]["issued"] = "2080-01-01T00:00:00Z"
    write(tmp / "bundle/tuf/bundle-targets.json", builder.sign(signed, builder.keys["targets"]))
    assert verify(builder, tmp / "bundle").status == 0
    builder.expires["snapshot"] = "2079-01-01T00:00:00Z"
    builder.versions.update(timestamp=2, snapshot=2)
    builder.publish()
    store = store_of(builder, tmp / "store")
    verdict = verify(builder, tmp / "bundle", "--store", store, root=False)
    assert verdict.status == 15 and "snapshot" in verdict.messages, verdict


@test("a manifest that is altered, missing or malformed gives 15")
def _(tmp):
    builder = simple(tmp)
    manifest = tmp / "bundle" / "manifest.mtree"
    good = manifest.read_bytes()
    spoil(manifest)
    refused(verify(builder, tmp / "bundle"), 15, "manifest.mtree")
    manifest.write_bytes(good + b"\n")
    refused(verify(builder, tmp / "bundle"), 15, "manifest.mtree")
    manifest.unlink()
    refused(verify(builder, tmp / "bundle"), 15, "manifest.mtree")
    manifest.write_bytes(good + b"/set type=file\n")
    builder.write_meta(tmp / "bundle")
    refused(verify(builder, tmp / "bundle"), 15, "manifest.mtree line")


# ---- 70

@test("with --full an object that was altered gives 70")
def _(tmp):
    builder = simple(tmp)
    builder.write_bundle(tmp / "plain", with_manifest=False)
    for kind in ("filez", "dirtree", "dirmeta"):
        bundle = tmp / f"spoilt-{kind}"
        shutil.copytree(tmp / "plain", bundle)
        victim = max(bundle.glob(f"ostree_repo/objects/*/*.{kind}"),
                     key=lambda path: path.stat().st_size)
        spoil(victim)
        assert verify(builder, bundle).status == 0
        refused(verify(builder, bundle, "--full"), 70, victim.name)


@test("with --full a member that is altered, missing or not listed gives 70")
def _(tmp):
    builder = simple(tmp)
    shutil.copytree(tmp / "bundle", tmp / "altered")
    write(tmp / "altered/ostree_repo/config", "[core]\nrepo_version=1\nmode=archive\n\n")
    assert verify(builder, tmp / "altered").status == 0
    refused(verify(builder, tmp / "altered", "--full"), 70, "ostree_repo/config")
    shutil.copytree(tmp / "bundle", tmp / "missing")
    (tmp / "missing/tuf/1.root.json").unlink()
    refused(verify(builder, tmp / "missing", "--full"), 70, "tuf/1.root.json")
    shutil.copytree(tmp / "bundle", tmp / "extra")
    write(tmp / "extra/apps/extra", "x")
    refused(verify(builder, tmp / "extra", "--full"), 70, "apps/extra")


# ---- all of them

@test("every reason is found, and the first one gives the status")
def _(tmp):
    builder = simple(tmp, bundle_type="prod", tag="other")
    object_path(tmp / "bundle", commit_of(builder), "commit").unlink()
    spoil(tmp / "bundle" / "manifest.mtree")
    verdict = verify(builder, tmp / "bundle", "--at", "2089-12-31T00:00:00Z")
    assert verdict.status == 15, verdict
    assert verdict.reasons == ["bundle-invalid"] * 3 + ["no-target-content"], verdict


@test("a broken chain of roots is told before all else")
def _(tmp):
    builder = simple(tmp, tag="other")
    builder.versions["root"] = 2
    builder.keys["root"] = [Key("stranger")]
    builder.make_root()
    builder.write_bundle(tmp / "bundle")
    verdict = verify(builder, tmp / "bundle")
    assert verdict.status == 11, verdict
    assert verdict.reasons[:2] == ["metadata-invalid", "bundle-invalid"], verdict


@test("nothing is written: no call asks the kernel to")
def _(tmp):
    if shutil.which("strace") is None:
        skip("no strace")
    builder = simple(tmp)
    store = store_of(builder, tmp / "store")
    log = tmp / "log"
    from tap import program  # pylint: disable=import-outside-toplevel
    result = run(["strace", "-f", "-y", "-o", log, "-e",
                  "trace=openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,"
                  "unlinkat,link,linkat,symlink,symlinkat,truncate,ftruncate,utimensat,chmod,"
                  "fchmod,fchmodat,chown,fchown,fchownat,setxattr,fsetxattr,lsetxattr,mknodat",
                  program("satchel-verify"), "--store", store, "--full", tmp / "bundle"])
    assert result.returncode == 0, result
    for line in log.read_text().splitlines():
        # Memory that has a descriptor is no file.
        if re.search(r" ftruncate\(\d+</memfd:", line):
            continue
        if "(" not in line or line.split(" ", 1)[1].startswith(("+++", "---")):
            continue
        assert "open" in line.split("(")[0], line
        wrote = "O_WRONLY" in line or "O_RDWR" in line or "O_CREAT" in line
        assert not wrote or '"/dev/' in line or '"/proc/' in line, line


@test("unknown members and canonical bytes are of no concern to the bundle metadata")
def _(tmp):
    builder = simple(tmp)
    signed = {**builder.meta(tmp / "bundle"), "x-other": {"a": [1, "two"]}}
    document = builder.sign(signed, builder.keys["targets"])
    assert canonical(signed) in document
    write(tmp / "bundle/tuf/bundle-targets.json", document.replace(b",", b" ,\n\t"))
    assert verify(builder, tmp / "bundle").status == 0


main()
