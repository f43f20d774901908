#!/usr/bin/python3
"""Apps in bundles: built in, shown, verified."""
import json
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from app_builder import Layout, PUBLISH_AS, compose, sha256, tar_of  # noqa: E402
from bundle_maker import (NAME, NOW, World, add, bundler, contents, publish)  # noqa: E402
import schemas  # noqa: E402
from tap import main, run, test  # noqa: E402

SHARED = tar_of({"shared": b"s" * 3000})


class AppWorld(World):
    """A target with three apps, whose images share a layer; `three` is for two platforms."""

    def __init__(self, folder, custom=None):
        super().__init__(folder)
        self.store = self.folder / "store"
        layout = Layout(self.folder / "layout")
        self.uris = {}
        self.own = {}
        for name in ("one", "two", "three"):
            self.own[name] = tar_of({name: name.encode() * 500})
            images = [layout.image([SHARED, self.own[name]], architecture=architecture)
                      for architecture in ("amd64", "arm64")]
            layout.name(layout.index(images) if name == "three" else images[0],
                        f"hub.example.org/f/{name}:1")
            file = compose(self.folder / f"{name}.yml", web=f"hub.example.org/f/{name}:1")
            words = ("--platform", "linux/amd64", "--platform", "linux/arm64") \
                if name == "three" else ()
            self.uris[name] = run(
                ["satchel-bundler", "app", "add", self.store, "--name", name, "--compose", file,
                 "--source", f"oci:{layout.path}", "--publish-as", PUBLISH_AS + name, *words],
                check=True).stdout.strip()
        words = [word for name, uri in self.uris.items() for word in ("--app", f"{name}={uri}")]
        if custom is not None:
            (self.folder / "custom.json").write_text(json.dumps(custom))
            words += ["--custom", self.folder / "custom.json"]
        add(self.repo, self.commit, *words, version=2, check=True)
        publish(self.repo, check=True)

    def bundle(self, output="bundle", *words, apps=True, **more):
        return self.build(output, *(("--apps", self.store) if apps else ()), *words,
                          targets=[f"{NAME}-2"], **more)

    def verify(self, bundle, *words):
        return run(["satchel-verify", "--root", self.repo / "metadata/1.root.json", "--at", NOW,
                    *words, bundle])

    def blob(self, bundle, data):
        return bundle / "apps/blobs/sha256" / sha256(data)


@test("a bundle holds the apps of its targets, each blob once, and is accepted")
def _(tmp):
    world = AppWorld(tmp)
    world.bundle(check=True)
    bundle = tmp / "bundle"
    assert {(bundle / "apps/apps" / name / uri.rsplit(":", 1)[1] / "uri").read_text()
            for name, uri in world.uris.items()} == set(world.uris.values())
    blobs = list((bundle / "apps/blobs/sha256").iterdir())
    assert all(sha256(blob.read_bytes()) == blob.name for blob in blobs)
    assert world.blob(bundle, SHARED).exists()
    listed = (bundle / "manifest.mtree").read_text()
    assert all(blob.name in listed for blob in blobs)
    assert world.verify(bundle).returncode == 0
    full = world.verify(bundle, "--full", "--platform", "linux/arm64")
    assert full.returncode == 0, full
    shown = schemas.check(bundler("show", "--json", bundle, check=True).stdout,
                          "bundle-show.schema.json")
    assert shown["apps"] == sorted(world.uris.values(), key=lambda uri: uri.rsplit("/", 1)[1])
    assert shown["size"]["app_bytes"] == sum(
        path.stat().st_size for path in (bundle / "apps").rglob("*") if path.is_file())
    assert world.uris["one"] in bundler("show", bundle, check=True).stdout


@test("the same input gives the same bundle, packed it unpacks to the same, apps last")
def _(tmp):
    world = AppWorld(tmp)
    world.bundle("one", check=True)
    world.bundle("two", check=True)
    assert contents(tmp / "one") == contents(tmp / "two")
    world.bundle("p.satchel", check=True)
    names = run(["tar", "-tf", tmp / "p.satchel"], check=True).stdout.split()
    first = next(i for i, name in enumerate(names) if name.startswith("apps/"))
    assert all(name.startswith("apps/") for name in names[first:])
    bundler("unpack", tmp / "p.satchel", tmp / "unpacked", check=True)
    assert contents(tmp / "unpacked") == contents(tmp / "one")
    assert world.verify(tmp / "p.satchel", "--full").returncode == 0


@test("an app that the store lacks, or has not whole, is refused by name")
def _(tmp):
    world = AppWorld(tmp)
    layer = world.store / "blobs/sha256" / sha256(world.own["two"])
    data = layer.read_bytes()
    for bad, status in ((None, 8), (data[:-1], 50), (bytes([data[0] ^ 1]) + data[1:], 50)):
        layer.unlink()
        if bad is not None:
            layer.write_bytes(bad)
        result = world.bundle()
        assert result.returncode == status and layer.name in result.stderr, result
        assert not (tmp / "bundle").exists()
        layer.write_bytes(data)
    shutil.rmtree(world.store / "blobs/sha256")
    (world.store / "blobs/sha256").mkdir()
    result = world.bundle()
    assert result.returncode == 8 and f"{NAME}-2" in result.stderr, result
    assert "app one" in result.stderr, result
    assert world.build("bundle", "--apps", tmp / "nowhere").returncode == 1


@test("verify finds an app that is gone, and with --full one that is altered")
def _(tmp):
    world = AppWorld(tmp)
    world.bundle("good", check=True)
    digest = world.uris["two"].rsplit(":", 1)[1]
    victims = {"layer": sha256(world.own["two"]), "manifest": digest}
    for name in victims.values():
        shutil.copytree(tmp / "good", tmp / "bundle")
        path = tmp / "bundle/apps/blobs/sha256" / name
        data = path.read_bytes()
        path.unlink()
        result = world.verify(tmp / "bundle")
        assert result.returncode == 8 and name in result.stdout, result
        path.write_bytes(data[:-1])
        assert world.verify(tmp / "bundle").returncode == 8
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        result = world.verify(tmp / "bundle", "--full")
        assert result.returncode == 70 and name in result.stdout, result
        shutil.rmtree(tmp / "bundle")
    shutil.copytree(tmp / "good", tmp / "bundle")
    (tmp / "bundle/apps/apps/two" / digest / "uri").unlink()
    result = world.verify(tmp / "bundle")
    assert result.returncode == 8 and "app two is not in the bundle" in result.stdout, result


@test("without a manifest every blob is hashed by the digest that leads to it")
def _(tmp):
    world = AppWorld(tmp)
    world.bundle(check=True)
    layer = world.blob(tmp / "bundle", world.own["three"])
    # fioctl's bundles have none; what a signed one would say is then not known.
    (tmp / "bundle/manifest.mtree").unlink()
    (tmp / "bundle/tuf/bundle-targets.json").unlink()
    layer.write_bytes(layer.read_bytes()[:-1] + b"\1")
    result = world.verify(tmp / "bundle", "--full")
    assert f"app three: apps/blobs/sha256/{layer.name}" in result.stdout, result


@test("only the apps that the device runs, on its platform, must be there")
def _(tmp):
    world = AppWorld(tmp)
    world.bundle(check=True)
    world.blob(tmp / "bundle", world.own["two"]).unlink()
    assert world.verify(tmp / "bundle").returncode == 8
    assert world.verify(tmp / "bundle", "--app", "one", "--app", "three").returncode == 0
    assert world.verify(tmp / "bundle", "--app", "two").returncode == 8
    assert world.verify(tmp / "bundle", "--no-apps").returncode == 0
    result = world.verify(tmp / "bundle", "--app", "three", "--platform", "linux/s390x")
    assert result.returncode == 8 and "linux/s390x" in result.stdout, result
    assert world.verify(tmp / "bundle", "--no-apps", "--app", "one").returncode == 1
    assert world.verify(tmp / "bundle", "--platform", "arm").returncode == 1


@test("a bundle of the system alone is refused for a device with the target's apps")
def _(tmp):
    world = AppWorld(tmp)
    world.bundle(check=True, apps=False)
    result = world.verify(tmp / "bundle")
    assert result.returncode == 8 and "app one is not in the bundle" in result.stdout, result
    assert world.verify(tmp / "bundle", "--no-apps", "--full").returncode == 0


@test("a shortlist leaves apps out, of the bundle and of what is wanted")
def _(tmp):
    for i, (fetched, held) in enumerate((
            ({"uri": "https://example.org/x", "shortlist": "one, three"}, {"one", "three"}),
            ({"uri": "https://example.org/x", "shortlist": ""}, {"one", "two", "three"}),
            ({"uri": "https://example.org/x", "shortlist": "none"}, set()),
            ({"uri": None}, set()))):
        folder = tmp / str(i)
        folder.mkdir()
        world = AppWorld(folder, {"fetched-apps": fetched})
        world.bundle(check=True)
        apps = folder / "bundle/apps/apps"
        assert {path.name for path in apps.glob("*")} == held
        assert world.verify(folder / "bundle", "--full").returncode == 0


@test("a thin bundle, with a delta too, holds its apps whole")
def _(tmp):
    world = AppWorld(tmp)
    commit = world.add_release(3, n_files=2)
    words = [word for name, uri in world.uris.items() for word in ("--app", f"{name}={uri}")]
    add(world.repo, commit, *words, version=4, check=True)
    publish(world.repo, check=True)
    for name, more in (("thin", ()), ("delta", ("--delta",))):
        world.build(name, "--apps", world.store, "--from", f"{NAME}-1", *more,
                    targets=[f"{NAME}-4"], check=True)
        result = world.verify(tmp / name, "--full", "--from-commit", world.commit)
        assert result.returncode == 0, result
        world.blob(tmp / name, SHARED).unlink()
        result = world.verify(tmp / name, "--from-commit", world.commit)
        assert result.returncode == 8 and sha256(SHARED) in result.stdout, result


main()
