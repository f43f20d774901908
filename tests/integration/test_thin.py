#!/usr/bin/python3
"""Thin bundles: they leave out what the device has, and serve nobody else."""
import json
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from bundle_maker import contents  # noqa: E402
from device_lab import Lab, sh  # noqa: E402
import schemas  # noqa: E402
from tap import main, run, test  # noqa: E402

FIXED = {"epoch": 1800000000, "days": 100}


def objects(folder):
    """Names of the objects below a repository, without what tells its mode."""
    return {path.parent.name + path.name.replace(".filez", ".file")
            for path in (folder / "objects").glob("??/*")}


def closure(lab, version):
    """The same of all that a release needs, by the field's tool."""
    folder = lab.new_folder("closure")
    sh("ostree", "init", "--repo", folder, "--mode=archive")
    sh("ostree", "pull-local", "--repo", folder, lab.repo, lab.commits[version])
    found = objects(folder)
    shutil.rmtree(folder)
    return found


def in_bundle(bundle):
    return objects(bundle / "ostree_repo")


def addition(bundle):
    document = schemas.check((bundle / "tuf/bundle-targets.json").read_bytes(),
                             "bundle-meta.schema.json")
    return document["signed"]["x-satchel"]


def verify(lab, bundle, *words):
    return run(["satchel-verify", "--quiet", "--root", lab.tuf / "metadata/1.root.json", *words,
                bundle])


def assert_deployed(device, version):
    device.fsck()
    commit = device.lab.commits[version]
    root = device.sysroot / f"ostree/deploy/lmp/deploy/{commit}.0"
    assert f"release {version}" in (root / "usr/bin/hello").read_text()


def held(device, kind, not_in):
    """An object of the device that release 2 needs and the bundle does not carry."""
    needed = closure(device.lab, 2) - in_bundle(not_in)
    return next(path for path in sorted((device.repo / "objects").glob(f"??/*.{kind}"))
                if path.parent.name + path.name in needed and not path.is_symlink() and
                path.stat().st_size > 0)


@test("a thin bundle holds just what each of its bases lacks, and its commit")
def _(tmp):
    lab = Lab(tmp)
    one, two, three = (closure(lab, version) for version in (1, 2, 3))
    assert in_bundle(lab.bundle([3], "--from", lab.commits[1])) == three - one
    assert in_bundle(lab.bundle([3], "--from", lab.names[2])) == three - two
    both = lab.bundle([3], "--from", lab.names[1], "--from", lab.names[2])
    assert in_bundle(both) == (three - one) | (three - two)
    same = lab.bundle([3], "--from", lab.commits[3])
    assert in_bundle(same) == {lab.commits[3] + ".commit"}
    several = lab.bundle([2, 3], "--from", lab.commits[1])
    assert in_bundle(several) == (two | three) - one


@test("bases are commits, targets or branches; each once, with the names that it has")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    sh("ostree", "refs", "--repo", lab.repo, "--create=old", lab.commits[1])
    lab.release(9, commit=lab.commits[1], tag="other")
    bundle = lab.bundle([2], "--from", "old", "--from", lab.names[1], "--from", lab.commits[1])
    base, = addition(bundle)["from"]
    assert base["commit"] == lab.commits[1]
    assert sorted(base["targets"]) == [lab.names[1], lab.names[9]]


@test("what stands for no commit is a usage error, and an ambiguous word another")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))

    def build(*words):
        return run(["satchel-bundler", "build", "--tuf", lab.tuf, "--ostree", lab.repo, "--target",
                    lab.names[2], "--tag", "devel", "--type", "ci", *words, tmp / "out"])
    result = build("--from", "nothing")
    assert result.returncode == 1 and "'nothing' is neither" in result.stderr, result
    result = build("--from", "0" * 64)
    assert result.returncode == 8 and "0" * 62 in result.stderr, result
    sh("ostree", "refs", "--repo", lab.repo, "--delete", lab.names[1])
    sh("ostree", "refs", "--repo", lab.repo, f"--create={lab.names[1]}", lab.commits[2])
    result = build("--from", lab.names[1])
    assert result.returncode == 1 and "give the commit" in result.stderr, result
    result = build("--delta")
    assert result.returncode == 1 and "--delta needs --from" in result.stderr, result
    assert not (tmp / "out").exists()


@test("weights are those of the files, also from a repository that stores them otherwise")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    archive = lab.repo
    lab.repo = tmp / "bare"
    sh("ostree", "init", "--repo", lab.repo, "--mode=bare-user")
    for version in (1, 2):
        sh("ostree", "pull-local", "--repo", lab.repo, archive, lab.commits[version])
    full, thin = lab.bundle([2]), lab.bundle([2], "--from", lab.commits[1])

    def weight(bundle):
        files = [path for path in (bundle / "ostree_repo/objects").glob("??/*")]
        return {"objects": len(files), "bytes": sum(path.stat().st_size for path in files)}
    assert addition(thin)["full"] == weight(full)
    assert addition(thin)["from"][0]["lacks"] == weight(thin)
    assert "deltas" not in addition(thin)
    assert [path.name for path in thin.iterdir() if path.name.startswith("weighed")] == []


@test("the same thin build gives the same bytes")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    first, second = (contents(lab.bundle([2], "--from", lab.names[1], **FIXED))
                     for _ in range(2))
    assert first == second


@test("satchel-verify tells whom a thin bundle serves, and judges by --from-commit")
def _(tmp):
    lab = Lab(tmp)
    bundle = lab.bundle([3], "--from", lab.commits[1])
    result = verify(lab, bundle)
    assert result.returncode == 0, result
    assert f"thin: serves only devices on {lab.names[1]} (commit {lab.commits[1][:12]})" in \
        result.stdout, result
    for served in (1, 3):
        result = verify(lab, bundle, "--from-commit", lab.commits[served])
        assert result.returncode == 0 and "serves only" not in result.stdout, result
    result = verify(lab, bundle, "--from-commit", lab.commits[2])
    assert result.returncode == 8 and lab.names[1] in result.stdout, result
    assert verify(lab, bundle, "--from-commit", lab.commits[2], "--from-commit",
                  lab.commits[1]).returncode == 0
    assert verify(lab, bundle, "--from-commit", "123").returncode == 1


@test("satchel-verify --full checks what a thin bundle lists, and counts what it leaves out")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2], "--from", lab.commits[1])
    said = addition(bundle)
    result = verify(lab, bundle, "--full")
    assert result.returncode == 0, result
    assert f"{len(in_bundle(bundle))} of {said['full']['objects']} objects" in result.stdout, result
    victim = next((bundle / "ostree_repo/objects").glob("??/*.filez"))
    good = victim.read_bytes()
    victim.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert verify(lab, bundle, "--full").returncode == 70
    victim.unlink()
    result = verify(lab, bundle, "--full")
    assert result.returncode == 8 and victim.stem in result.stdout, result


@test("a device on a base installs from a thin bundle, in any mode of its repository")
def _(tmp):
    lab = Lab(tmp)
    bundle = lab.bundle([3], "--from", lab.commits[1], "--from", lab.commits[2])
    for version, mode in ((1, "bare"), (2, "bare"), (1, "bare-user"), (1, "archive")):
        with lab.device(version, mode=mode) as device:
            device.expect(16, "check", "--src-dir", bundle)
            device.expect(0, "pull", "--src-dir", bundle)
            device.fsck()
            if mode == "bare":
                device.expect(100, "install", "--src-dir", bundle)
                assert_deployed(device, 3)


@test("a device on another commit gets 8, is told whom the bundle serves, and stays as it is")
def _(tmp):
    lab = Lab(tmp)
    bundle = lab.bundle([3], "--from", lab.commits[1])
    with lab.device(2) as device:
        before = device.digest()
        for command in ("check", "pull", "update"):
            result = device.expect(8, command, "--src-dir", bundle)
            assert lab.names[1] in result.stderr and lab.commits[2][:12] in result.stderr, result
        assert device.digest() == before


@test("a device that runs the target has all of it, whatever the bundle builds on")
def _(tmp):
    lab = Lab(tmp)
    bundle = lab.bundle([3], "--from", lab.commits[1])
    with lab.device(3) as device:
        device.expect(0, "check", "--src-dir", bundle)


for kind in ("file", "dirtree", "dirmeta"):
    @test(f"a device on a base that has lost a {kind} gets 8 and stays as it is")
    def _(tmp, kind=kind):
        lab = Lab(tmp, releases=(1, 2))
        bundle = lab.bundle([2], "--from", lab.commits[1])
        with lab.device() as device:
            device.expect(16, "check", "--src-dir", bundle)
            lost = held(device, kind, bundle)
            lost.unlink()
            before = device.digest()
            result = device.expect(8, "pull", "--src-dir", bundle)
            assert lost.stem in result.stderr and "does not have it undamaged" in result.stderr, \
                result
            assert device.digest() == before


@test("a folder that is damaged on the device is not even parsed")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2], "--from", lab.commits[1])
    with lab.device() as device:
        damaged = held(device, "dirtree", bundle)
        damaged.unlink()
        damaged.write_bytes(b"no folder at all")
        result = device.expect(8, "pull", "--src-dir", bundle)
        assert damaged.stem in result.stderr, result
        assert not device.has_commit(2)


@test("a packed thin bundle serves as its folder does")
def _(tmp):
    lab = Lab(tmp)
    bundle = lab.bundle([3], "--from", lab.commits[1], packed=True)
    assert verify(lab, bundle, "--full").returncode == 0
    with lab.device() as device:
        device.expect(100, "update", "--src-dir", bundle)
        assert_deployed(device, 3)
    with lab.device(2) as device:
        device.expect(8, "check", "--src-dir", bundle)


@test("the field's ostree pulls from a thin bundle what a device on the base lacks")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    bundle = lab.bundle([2], "--from", lab.commits[1])
    with lab.device() as device:
        sh("ostree", "pull-local", "--repo", device.repo, bundle / "ostree_repo", lab.commits[2])
        device.fsck()


@test("what is signed of a thin bundle follows its schema, and show too")
def _(tmp):
    lab = Lab(tmp)
    bundle = lab.bundle([3], "--from", lab.commits[1], "--from", lab.commits[2])
    said = addition(bundle)
    assert [base["commit"] for base in said["from"]] == [lab.commits[1], lab.commits[2]]
    shown = run(["satchel-bundler", "show", "--json", bundle], check=True).stdout
    document = json.loads(shown)
    schemas.check(shown.encode(), "bundle-show.schema.json")
    assert document["thin"]["from"] == said["from"]
    assert document["thin"]["full"] == said["full"]
    text = run(["satchel-bundler", "show", bundle], check=True).stdout
    assert lab.names[1] in text and lab.names[2] in text, text


main()
