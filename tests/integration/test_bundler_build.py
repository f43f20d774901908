#!/usr/bin/python3
"""satchel-bundler build and show, on real OSTree repositories."""
import base64
import hashlib
import json
import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from aktualizr_model import Device, Refused, canonical  # noqa: E402
from bundle_maker import (HARDWARE_ID, NAME, NOW, NOW_S, TAG, World, add, build,  # noqa: E402
                          bundler, commit, contents, init, keys_of, leftovers, make_tree, publish,
                          rsa_repo)
import schemas  # noqa: E402
from tap import main, program, run, skip, test  # noqa: E402

from cryptography.hazmat.primitives import serialization  # noqa: E402

DAY_S = 86400


def root_1(bundle):
    return json.loads((pathlib.Path(bundle) / "tuf/1.root.json").read_text())


def meta(bundle):
    return json.loads((pathlib.Path(bundle) / "tuf/bundle-targets.json").read_text())


def objects(repo):
    """Names of all objects, as an archive repository calls them."""
    return sorted(str(path.relative_to(pathlib.Path(repo) / "objects"))
                  for path in (pathlib.Path(repo) / "objects").glob("*/*"))


def verify(bundle, world, *words, at="2090-01-02T00:00:00Z"):
    return run(["satchel-verify", "--root", world.repo / "metadata/1.root.json", "--hardware-id",
                HARDWARE_ID, "--tag", TAG, "--type", "ci", "--at", at, *words, bundle])


@test("a bundle is accepted by satchel-verify --full and by the field's client")
def _(tmp):
    world = World(tmp)
    result = world.build(check=True)
    assert result.stdout == "", result
    assert verify(tmp / "bundle", world, "--full").returncode == 0
    device = Device(NOW, HARDWARE_ID, [TAG], "ci", [root_1(tmp / "bundle")])
    assert device.check(tmp / "bundle") == [f"{NAME}-1"]


@test("the model of the field's client refuses what it must")
def _(tmp):
    world = World(tmp)
    world.build(check=True)
    bundle = tmp / "bundle"
    roots = [root_1(bundle)]

    def status(**changes):
        values = {"now": NOW, "hardware_id": HARDWARE_ID, "tags": [TAG], "kind": "ci", **changes}
        try:
            Device(roots=roots, **values).check(bundle)
        except Refused as refused:
            return refused.status
        return 0

    assert status(kind="prod") == 15 and status(tags=["x"]) == 15
    assert status(hardware_id="x") == 6 and status(now="2090-02-01T00:00:00Z") == 12
    path = bundle / "tuf/bundle-targets.json"
    path.write_text(path.read_text().replace('"ci"', '"prod"'))
    assert status() == 15
    path.unlink()
    assert status() == 0
    path = bundle / "tuf/targets.json"
    path.write_text(path.read_text().replace("OSTREE", "BINARY"))
    assert status() == 4


@test("bundles of RSA keys and of the tuf dialect are accepted")
def _(tmp):
    ostree = tmp / "ostree"
    commit_id = commit(ostree, make_tree(tmp / "tree"))
    for name, repo in (("rsa", rsa_repo(tmp / "rsa")),
                       ("tuf", init(tmp / "tuf", "--dialect", "tuf")),
                       ("ecdsa", init(tmp / "ecdsa", "--dialect", "tuf", "--key-type", "ecdsa"))):
        add(repo, commit_id, check=True)
        publish(repo, check=True)
        bundle = tmp / f"{name}-bundle"
        build(bundle, repo, ostree, check=True)
        result = run(["satchel-verify", "--root", repo / "metadata/1.root.json", "--full", "--at",
                      NOW, bundle])
        assert result.returncode == 0, result
        schemas.check((bundle / "tuf/bundle-targets.json").read_bytes(), "bundle-meta.schema.json")
    device = Device(NOW, HARDWARE_ID, [TAG], "ci", [root_1(tmp / "rsa-bundle")])
    assert device.check(tmp / "rsa-bundle") == [f"{NAME}-1"]


@test("the bundle metadata has the form of Foundries.io with x-satchel")
def _(tmp):
    world = World(tmp)
    world.build("bundle", "--expires-in-days", "7", check=True)
    document = schemas.check((tmp / "bundle/tuf/bundle-targets.json").read_bytes(), "bundle-meta.schema.json")
    manifest = (tmp / "bundle/manifest.mtree").read_bytes()
    assert document["signed"] == {
        "_type": "Targets", "expires": "2090-01-08T00:00:00Z", "version": 2,
        "x-fio-offline-bundle": {"type": "ci", "tag": TAG, "targets": [f"{NAME}-1"]},
        "x-satchel": {"issued": NOW, "manifest": {
            "length": len(manifest), "sha256": hashlib.sha256(manifest).hexdigest()}}}


@test("the manifest lists every other file with its size and hash, in the packed form's order")
def _(tmp):
    world = World(tmp)
    world.build(check=True)
    lines = (tmp / "bundle/manifest.mtree").read_text().splitlines()
    assert lines[0] == "#mtree"
    listed = {}
    for line in lines[1:]:
        name, kind, size, digest = line.split(" ")
        assert kind == "type=file"
        listed[name[2:]] = (int(size.split("=")[1]), digest.split("=")[1])
    files = {name: content for name, content in contents(tmp / "bundle").items()
             if content is not None}
    del files["manifest.mtree"], files["tuf/bundle-targets.json"]
    assert listed == {name: (len(content), hashlib.sha256(content).hexdigest())
                      for name, content in files.items()}
    kinds = [name.rsplit(".", 1)[1] for name in listed if "/objects/" in name]
    assert list(listed)[0] == "tuf/1.root.json" and kinds[0] == "commit"
    assert kinds.index("filez") > max(i for i, kind in enumerate(kinds) if kind == "dirtree")


for mode in ("archive", "bare", "bare-user", "bare-user-only"):
    @test(f"a repository of mode {mode} gives a complete archive repository")
    def _(tmp, mode=mode):
        if mode == "bare" and os.getuid() != 0:
            skip("only root can commit other people's files into a bare repository")
        world = World(tmp, mode=mode, n_files=20)
        world.build(check=True)
        repo = tmp / "bundle/ostree_repo"
        config = (repo / "config").read_text()
        assert config == "[core]\nrepo_version=1\nmode=archive-z2\n"
        copy = tmp / "copy"  # ostree makes files in a repository that it can write to
        shutil.copytree(repo, copy)
        run(["ostree", f"--repo={copy}", "fsck"], check=True)
        assert run(["ostree", f"--repo={copy}", "refs"], check=True).stdout == f"{NAME}-1\n"
        target = "bare-user-only" if mode == "bare-user-only" else "archive"
        run(["ostree", f"--repo={tmp / 'device'}", "init", f"--mode={target}"], check=True)
        run(["ostree", f"--repo={tmp / 'device'}", "pull-local", "--untrusted", copy, world.commit],
            check=True)
        checkout = run(["ostree", f"--repo={tmp / 'device'}", "ls", "-R", "-C", "-X", world.commit],
                       check=True).stdout
        source = run(["ostree", f"--repo={world.ostree}", "ls", "-R", "-C", "-X", world.commit],
                     check=True).stdout
        assert checkout == source


@test("exactly the objects of the commit are taken, none of them a link")
def _(tmp):
    world = World(tmp)
    wanted = objects(world.ostree)
    commit(world.ostree, make_tree(tmp / "other", release=2), branch="other")
    assert len(objects(world.ostree)) > len(wanted)
    world.build(check=True)
    assert objects(tmp / "bundle/ostree_repo") == wanted
    for path in (tmp / "bundle").rglob("*"):
        assert not path.is_symlink()
        assert path.is_dir() or path.stat().st_nlink == 1, path
    extra = {str(p.relative_to(tmp / "bundle")) for p in (tmp / "bundle").rglob("*")
             if p.is_file() and "objects" not in p.parts}
    assert extra == {"manifest.mtree", "ostree_repo/config", f"ostree_repo/refs/heads/{NAME}-1",
                     "tuf/1.root.json", "tuf/bundle-targets.json", "tuf/snapshot.json",
                     "tuf/targets.json", "tuf/timestamp.json"}


@test("a commit without its parent is complete")
def _(tmp):
    world = World(tmp)
    child = world.add_release(2)
    world.build(targets=[f"{NAME}-2"], check=True)
    assert f"{child[:2]}/{child[2:]}.commit" in objects(tmp / "bundle/ostree_repo")
    assert f"{world.commit[:2]}/{world.commit[2:]}.commit" not in objects(tmp / "bundle/ostree_repo")
    copy = shutil.copytree(tmp / "bundle/ostree_repo", tmp / "copy")
    run(["ostree", f"--repo={copy}", "fsck"], check=True)


@test("two targets share their objects and both are offered")
def _(tmp):
    world = World(tmp)
    world.add_release(2)
    names = [f"{NAME}-2", f"{NAME}-1"]
    world.build(targets=names, check=True)
    assert meta(tmp / "bundle")["signed"]["x-fio-offline-bundle"]["targets"] == names
    assert objects(tmp / "bundle/ostree_repo") == objects(world.ostree)
    device = Device(NOW, HARDWARE_ID, [TAG], "ci", [root_1(tmp / "bundle")])
    assert device.check(tmp / "bundle") == [f"{NAME}-1", f"{NAME}-2"]
    assert verify(tmp / "bundle", world, "--full").returncode == 0


@test("every root from 1 on is in the bundle")
def _(tmp):
    world = World(tmp)
    for name in ("root", "targets", "root"):
        bundler("repo", "rotate", world.repo, "--role", name, check=True)
    keys = [key for key in keys_of(world.repo)
            if key.stem.split("-")[1] in (world.repo / "metadata/4.root.json").read_text()]
    world.build(keys=keys, check=True)
    assert len(list((tmp / "bundle/tuf").glob("*.root.json"))) == 4
    for version in (1, 2, 3, 4):
        roots = [json.loads((tmp / f"bundle/tuf/{n}.root.json").read_text())
                 for n in range(1, version + 1)]
        assert Device(NOW, HARDWARE_ID, [TAG], "ci", roots).check(tmp / "bundle")
    assert verify(tmp / "bundle", world).returncode == 0


@test("the metadata folder of a repository does as well as the repository")
def _(tmp):
    world = World(tmp)
    world.build("one", check=True)
    build(tmp / "two", world.repo / "metadata", world.ostree, keys=keys_of(world.repo), check=True)
    assert contents(tmp / "one") == contents(tmp / "two")


for kind in ("ed25519", "rsa", "ecdsa"):
    for mode in ("archive", "bare-user"):
        @test(f"two builds with {kind} keys from a repository of mode {mode} are byte-identical")
        def _(tmp, kind=kind, mode=mode):
            ostree = tmp / "ostree"
            commit_id = commit(ostree, make_tree(tmp / "tree", n_files=30), mode=mode)
            repo = rsa_repo(tmp / "repo") if kind == "rsa" else init(
                tmp / "repo", "--key-type", kind,
                "--dialect", "tuf" if kind == "ecdsa" else "uptane", "--threshold", "targets=2")
            add(repo, commit_id, check=True)
            publish(repo, check=True)
            build(tmp / "one", repo, ostree, check=True)
            build(tmp / "two", repo, ostree, check=True)
            assert contents(tmp / "one") == contents(tmp / "two")
            assert len(meta(tmp / "one")["signatures"]) == len(keys_of(repo))


def refused(tmp, world, status, part, *words, output="bundle", **more):
    before = sorted(os.listdir(tmp))
    result = world.build(output, "--quiet", *words, **more)
    assert result.returncode == status and part in result.stderr, result
    assert result.stderr.count("\n") == 1, result
    assert sorted(os.listdir(tmp)) == before, os.listdir(tmp)


@test("a target that is not in the targets role is refused with status 20")
def _(tmp):
    refused(tmp, World(tmp), 20, f"{NAME}-9", targets=[f"{NAME}-9"])


@test("a target that is asked for twice is refused")
def _(tmp):
    refused(tmp, World(tmp), 1, "twice", targets=[f"{NAME}-1", f"{NAME}-1"])


@test("a target that was added but not published is refused with status 11 and the way out")
def _(tmp):
    world = World(tmp)
    add(world.repo, "cd" * 32, version=2, check=True)
    refused(tmp, world, 11, "repo publish", targets=[f"{NAME}-2"])


@test("a commit that is not in the OSTree repository is refused with status 8")
def _(tmp):
    world = World(tmp)
    add(world.repo, "cd" * 32, version=2, check=True)
    publish(world.repo, check=True)
    refused(tmp, world, 8, "cd" * 32, targets=[f"{NAME}-2"])


def object_of(world, suffix, index=0):
    return sorted(path for path in (world.ostree / "objects").glob("*/*")
                  if path.suffix == suffix and path.stat().st_size > 20)[index]


for suffix in (".dirtree", ".dirmeta", ".filez"):
    @test(f"a commit that lacks a {suffix} object is refused with status 8 and its name")
    def _(tmp, suffix=suffix):
        world = World(tmp)
        missing = object_of(world, suffix) if suffix != ".dirmeta" else \
            next((world.ostree / "objects").glob("*/*.dirmeta"))
        missing.unlink()
        refused(tmp, world, 8, missing.stem[2:])


def alter(path, offset=-1):
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    os.chmod(path, 0o644)
    path.unlink()
    path.write_bytes(content)


for suffix in (".commit", ".dirtree", ".filez"):
    for mode in ("archive", "bare-user"):
        if mode == "bare-user" and suffix == ".filez":
            suffix = ".file"

        @test(f"an altered {suffix} object of a repository of mode {mode} is refused, status 50")
        def _(tmp, suffix=suffix, mode=mode):
            world = World(tmp, mode=mode)
            if suffix == ".file":
                path = max((world.ostree / "objects").glob("*/*.file"),
                           key=lambda found: found.lstat().st_size)
                with open(path, "r+b") as file:  # in place: its owner and mode are attributes
                    file.seek(-1, os.SEEK_END)
                    file.write(b"\x01")
            else:
                path = max((world.ostree / "objects").glob(f"*/*{suffix}"),
                           key=lambda found: found.stat().st_size)
                alter(path, len(path.read_bytes()) // 2)
            refused(tmp, world, 50, path.stem)


@test("bytes behind a compressed object are refused, although its hash is right")
def _(tmp):
    world = World(tmp)
    path = object_of(world, ".filez")
    path.write_bytes(path.read_bytes() + b"more")
    refused(tmp, world, 50, path.stem)


@test("an object that is a symbolic link to another one is refused")
def _(tmp):
    world = World(tmp)
    one, two = object_of(world, ".filez", 0), object_of(world, ".filez", 1)
    one.unlink()
    one.symlink_to(two)
    refused(tmp, world, 50, f"{one.name}: the content does not match the object's hash")


@test("a folder that is no OSTree repository is refused")
def _(tmp):
    world = World(tmp)
    shutil.rmtree(world.ostree)
    refused(tmp, world, 1, "not an OSTree repository")


for name in ("root", "targets", "snapshot", "timestamp"):
    @test(f"a bundle that would outlive {name} is refused with both dates")
    def _(tmp, name=name):
        world = World(tmp, "--expires", f"{name}=10")
        world.build("good", "--expires-in-days", "10", check=True)
        before = sorted(os.listdir(tmp))
        result = world.build("bundle", "--expires-in-days", "11")
        assert result.returncode == 1, result
        for part in (name, "2090-01-11T00:00:00Z", "2090-01-12T00:00:00Z"):
            assert part in result.stderr, result
        assert sorted(os.listdir(tmp)) == before


@test("metadata that has expired is refused with status 12")
def _(tmp):
    refused(tmp, World(tmp), 12, "expired", now_s=NOW_S + 400 * DAY_S)


for name in ("1.root", "targets", "snapshot", "timestamp"):
    @test(f"an altered {name}.json is refused with status 11")
    def _(tmp, name=name):
        world = World(tmp)
        path = world.repo / f"metadata/{name}.json"
        path.write_text(path.read_text().replace('"version":', '"more":1,"version":'))
        refused(tmp, world, 11, name.split(".")[-1])


@test("a folder without metadata is refused with status 14")
def _(tmp):
    world = World(tmp)
    (world.repo / "metadata/1.root.json").unlink()
    refused(tmp, world, 14, "1.root.json")


@test("a key that is not a targets key is refused, and so is one given twice")
def _(tmp):
    world = World(tmp)
    refused(tmp, world, 1, "targets role", keys=keys_of(world.repo, "root"))
    refused(tmp, world, 1, "twice", keys=keys_of(world.repo) * 2)
    (tmp / "junk.pem").write_text("junk\n")
    refused(tmp, world, 1, "junk.pem", keys=[tmp / "junk.pem"])
    refused(tmp, world, 14, "absent.pem", keys=[tmp / "absent.pem"])


@test("a tag that is not printable ASCII is refused")
def _(tmp):
    refused(tmp, World(tmp), 1, "--tag", tag="d\u00e9vel")

@test("a target of another maker whose name is not ASCII is refused")
def _(tmp):
    # satchel-bundler makes none such: the document is signed here, with the repository's own key.
    world = World(tmp)
    path = world.repo / "metadata/targets.json"
    document = json.loads(path.read_text())
    targets = document["signed"]["targets"]
    targets["caf\u00e9-1"] = targets[f"{NAME}-1"]
    document["signed"]["version"] += 1
    key = serialization.load_pem_private_key(keys_of(world.repo)[0].read_bytes(), None)
    signature = key.sign(canonical(document["signed"]).encode())
    document["signatures"][0]["sig"] = base64.b64encode(signature).decode()
    path.write_text(canonical(document))
    publish(world.repo, check=True)
    world.build("good", check=True)
    shutil.rmtree(tmp / "good")
    refused(tmp, world, 1, "printable ASCII", targets=["caf\u00e9-1"])


@test("wrong options are refused with status 1")
def _(tmp):
    world = World(tmp)
    for words in (["--expires-in-days", "0"], ["--expires-in-days", "x"],
                  ["--expires-in-days", "40000"], ["--type", "dev"], ["--unknown"], ["more"]):
        before = sorted(os.listdir(tmp))
        assert world.build("bundle", *words).returncode == 1, words
        assert sorted(os.listdir(tmp)) == before
    result = bundler("build", "--tuf", world.repo, tmp / "bundle")
    assert result.returncode == 1 and "--ostree is needed" in result.stderr, result


@test("apps that stay behind are told of")
def _(tmp):
    world = World(tmp)
    add(world.repo, world.commit, "--app", "a=hub.example.org/f/a@sha256:" + "c" * 64, version=2,
        check=True)
    publish(world.repo, check=True)
    result = world.build(targets=[f"{NAME}-2"], check=True)
    assert f"{NAME}-2 has apps" in result.stderr, result


@test("a tag that the target does not have is told of")
def _(tmp):
    world = World(tmp)
    assert "does not have the tag" in world.build(tag="other", check=True).stderr
    assert "does not have the tag" not in world.build("two", check=True).stderr


@test("an OUTPUT with something in it is left alone without --force and replaced with it")
def _(tmp):
    world = World(tmp)
    (tmp / "bundle/tuf").mkdir(parents=True)
    (tmp / "bundle/tuf/mine").write_text("mine")
    before = contents(tmp / "bundle")
    refused(tmp, world, 1, "--force")
    assert contents(tmp / "bundle") == before
    world.build("bundle", "--force", check=True)
    assert not (tmp / "bundle/tuf/mine").exists()
    assert verify(tmp / "bundle", world, "--full").returncode == 0
    assert not leftovers(tmp)


@test("an OUTPUT that is an empty folder is filled, one that is a file is refused")
def _(tmp):
    world = World(tmp)
    (tmp / "bundle").mkdir()
    world.build(check=True)
    (tmp / "file").write_text("mine")
    refused(tmp, world, 1, "not a folder", output="file")
    refused(tmp, world, 1, "not a folder", "--force", output="file")
    assert (tmp / "file").read_text() == "mine"


@test("a failed build with --force leaves the old bundle as it was")
def _(tmp):
    world = World(tmp)
    world.build(check=True)
    before = contents(tmp / "bundle")
    object_of(world, ".filez").write_bytes(b"broken")
    result = world.build("bundle", "--force")
    assert result.returncode == 50, result
    assert contents(tmp / "bundle") == before and not leftovers(tmp)


@test("an OUTPUT below a folder that is not there is refused")
def _(tmp):
    world = World(tmp)
    refused(tmp, world, 1, "absent", output="absent/bundle")


@test("--quiet says nothing, and without a terminal progress is plain lines")
def _(tmp):
    world = World(tmp)
    result = world.build("one", "--quiet", check=True)
    assert (result.stdout, result.stderr) == ("", ""), result
    result = world.build("two", check=True)
    assert "\r" not in result.stderr and "\x1b" not in result.stderr, result
    assert "building" in result.stderr, result


@test("show follows its schema and counts what is there")
def _(tmp):
    world = World(tmp)
    world.build(check=True)
    result = run(["satchel-bundler", "show", "--json", tmp / "bundle"], check=True)
    shown = schemas.check(result.stdout, "bundle-show.schema.json")
    files = [c for c in contents(tmp / "bundle").values() if c is not None]
    keyid = keys_of(world.repo)[0].stem.split("-")[1]
    assert shown["size"]["files"] == len(files)
    assert shown["size"]["bytes"] == sum(map(len, files))
    assert shown["size"]["ostree_objects"] == len(objects(world.ostree))
    assert shown["signatures"] == {"threshold": 1, "allowed_keyids": [keyid],
                                   "signed_keyids": [keyid], "missing": 0, "useless": 0}
    assert (shown["type"], shown["tag"], shown["targets"]) == ("ci", TAG, [f"{NAME}-1"])
    assert (shown["expires"], shown["issued"]) == ("2090-01-31T00:00:00Z", NOW)
    text = run(["satchel-bundler", "show", tmp / "bundle"], check=True).stdout
    for part in ("ci", TAG, "2090-01-31T00:00:00Z", f"{NAME}-1", keyid, "none (threshold 1)"):
        assert part in text, text


@test("show reads a bundle as fioctl makes it: roots from 3 on, no manifest")
def _(tmp):
    world = World(tmp)
    for name in ("root", "root"):
        bundler("repo", "rotate", world.repo, "--role", name, check=True)
    world.build(check=True)
    path = tmp / "bundle/tuf/bundle-targets.json"
    document = json.loads(path.read_text())
    del document["signed"]["x-satchel"]
    path.write_text(json.dumps(document))
    for name in ("tuf/1.root.json", "tuf/2.root.json", "manifest.mtree"):
        (tmp / "bundle" / name).unlink()
    result = run(["satchel-bundler", "show", "--json", tmp / "bundle"], check=True)
    shown = schemas.check(result.stdout, "bundle-show.schema.json")
    assert shown["issued"] is None and shown["manifest"] is False
    assert shown["root"] == {"dialect": "uptane", "version": 3}
    assert shown["signatures"]["missing"] == 1 and shown["signatures"]["useless"] == 1


@test("show refuses what is no bundle with status 14 and a broken one with 15")
def _(tmp):
    assert run(["satchel-bundler", "show", tmp]).returncode == 14
    world = World(tmp)
    world.build(check=True)
    (tmp / "bundle/tuf/bundle-targets.json").write_text("{}")
    assert run(["satchel-bundler", "show", tmp / "bundle"]).returncode == 15


@test("no root rights are needed to build")
def _(tmp):
    if os.getuid() != 0:
        skip("this is no test for root: every other test shows it already")
    world = World(tmp)
    os.chmod(tmp, 0o777)
    run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program("satchel-bundler"),
         "build", "--tuf", world.repo / "metadata", "--ostree", world.ostree, "--target",
         f"{NAME}-1", "--tag", TAG, "--type", "ci", tmp / "bundle"],
        env={"SOURCE_DATE_EPOCH": NOW_S}, check=True)
    assert objects(tmp / "bundle/ostree_repo") == objects(world.ostree)


@test("a commit from the future is refused: devices take its time for the least that it can be")
def _(tmp):
    ostree, repo = tmp / "ostree", init(tmp / "repo")
    for version, offset_s in enumerate((DAY_S, DAY_S + 1, 400 * DAY_S), 1):
        tree = make_tree(tmp / f"tree-{version}", release=version)
        commit_id = commit(ostree, tree, time_s=NOW_S + offset_s)
        add(repo, commit_id, version=version, check=True)
    publish(repo, check=True)
    build(tmp / "good", repo, ostree, targets=[f"{NAME}-1"], check=True)
    for version, when, why in ((2, "2090-01-02T00:00:01Z", "clock of the machine that made"),
                               (3, "2091-02-05T00:00:00Z", "role expires at")):
        result = build(tmp / "bad", repo, ostree, targets=[f"{NAME}-1", f"{NAME}-{version}"])
        assert result.returncode == 15, result
        for part in (f"{NAME}-{version}", when, why):
            assert part in result.stderr, result
        assert not (tmp / "bad").exists() and not leftovers(tmp)


@test("--force replaces a bundle, an empty folder, and nothing else")
def _(tmp):
    world = World(tmp)
    world.build("bundle", check=True)
    (tmp / "empty").mkdir()
    for name in ("empty", "bundle"):
        world.build(name, "--force", check=True)
    for name, member in (("home", "precious"), ("more", "tuf/1.root.json"), ("bundle", ".git/x")):
        (tmp / name / member).parent.mkdir(parents=True, exist_ok=True)
        (tmp / name / member).write_text("precious")
    (tmp / "more/letters").mkdir()
    (tmp / "no-tuf/apps").mkdir(parents=True)
    for name in ("home", "more", "no-tuf", "bundle"):
        before = contents(tmp / name)
        result = world.build(name, "--force")
        assert result.returncode == 1 and "not a bundle" in result.stderr, result
        assert contents(tmp / name) == before and not leftovers(tmp)


main()
