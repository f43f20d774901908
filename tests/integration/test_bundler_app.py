#!/usr/bin/python3
"""satchel-bundler app: Compose apps out of layouts and archives into a store."""
import fcntl
import json
import os
import pathlib
import subprocess
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from app_builder import (Layout, PUBLISH_AS, blob_path, compose, sha256, tar_of)  # noqa: E402
from bundle_maker import contents  # noqa: E402
import schemas  # noqa: E402
from tap import main, program, run, test  # noqa: E402

IMAGE = "hub.example.org/library/one:1"


def app_add(store, compose_file, *words, name="app", check=True):
    return run(["satchel-bundler", "app", "add", store, "--name", name, "--compose", compose_file,
                "--publish-as", PUBLISH_AS + name, *words], check=check)


def small(tmp, **options):
    """A layout of one small image and a Compose file that wants it."""
    layout = Layout(tmp / "layout")
    layout.name(layout.image([{"one": b"1"}, {"two": b"2"}], **options), IMAGE)
    return layout, compose(tmp / "compose.yml", web=IMAGE)


def folder_of(store, uri, name="app"):
    return store / "apps" / name / uri.rsplit(":", 1)[1]


@test("an app of a layout is in the store as composectl has it")
def _(tmp):
    layout, file = small(tmp)
    result = app_add(tmp / "store", file, "--source", f"oci:{layout.path}")
    uri = result.stdout.rstrip("\n")
    assert uri.startswith(PUBLISH_AS + "app@sha256:") and "\n" not in uri, result
    store = tmp / "store"
    folder = folder_of(store, uri)
    assert (folder / "uri").read_text() == uri
    manifest_digest = uri.rsplit(":", 1)[1]
    manifest = json.loads(blob_path(store, manifest_digest).read_text())
    assert (folder / "manifest.json").read_bytes() == blob_path(store, manifest_digest).read_bytes()
    assert manifest["annotations"] == {"compose-app": "v1"}
    assert manifest["artifactType"] == "application/vnd.fio+compose-app"
    layer = manifest["layers"][0]
    archive = layer["digest"].removeprefix("sha256:")
    assert (folder / f"{archive}.tgz").read_bytes() == blob_path(store, archive).read_bytes()
    with tarfile.open(folder / f"{archive}.tgz") as tgz:
        assert tgz.getnames() == ["docker-compose.yml"]
        text = tgz.extractfile("docker-compose.yml").read()
    assert (folder / "docker-compose.yml").read_bytes() == text
    image = layout.manifests[0]
    pinned = f"hub.example.org/library/one@{image['digest']}"
    assert text.decode().startswith("# of the tests\nservices:\n") and pinned in text.decode()
    assert "io.compose-spec.config-hash" in text.decode()
    listed = json.loads((folder / "images/hub.example.org/library/one"
                         / image["digest"].removeprefix("sha256:") / "index.json").read_text())
    assert listed["manifests"][0]["digest"] == image["digest"]
    index = json.loads(blob_path(store, layer["annotations"][
        "org.foundries.app.bundle.index.digest"]).read_text())
    assert index == {"docker-compose.yml": "sha256:" + sha256(text)}
    for blob in (store / "blobs/sha256").iterdir():
        assert sha256(blob.read_bytes()) == blob.name


@test("the same input gives the same store and the same URI, byte for byte")
def _(tmp):
    layout, file = small(tmp)
    (tmp / "conf").mkdir()
    (tmp / "conf/b").write_text("b")
    (tmp / "conf/a").write_text("a")
    words = ("--source", f"oci:{layout.path}", "--file", tmp / "conf")
    first = app_add(tmp / "one", file, *words)
    os.utime(tmp / "conf/a", (1, 1))
    second = app_add(tmp / "two", file, *words)
    assert first.stdout == second.stdout
    assert contents(tmp / "one") == contents(tmp / "two")
    again = app_add(tmp / "one", file, *words)
    assert again.stdout == first.stdout


@test("files beside the Compose file go along, with their folders and links")
def _(tmp):
    layout, file = small(tmp)
    (tmp / "conf/sub").mkdir(parents=True)
    (tmp / "conf/sub/script").write_text("#!/bin/sh\n")
    (tmp / "conf/sub/script").chmod(0o700)
    (tmp / "conf/link").symlink_to("sub/script")
    result = app_add(tmp / "store", file, "--source", f"oci:{layout.path}", "--file", tmp / "conf")
    archive = next(folder_of(tmp / "store", result.stdout.strip()).glob("*.tgz"))
    with tarfile.open(archive) as tgz:
        assert tgz.getnames() == ["docker-compose.yml", "conf", "conf/link", "conf/sub",
                                  "conf/sub/script"]
        assert tgz.getmember("conf/sub/script").mode == 0o755
        assert tgz.getmember("conf/link").linkname == "sub/script"
        assert {member.mtime for member in tgz} == {0}


@test("a file from elsewhere, a link that leads out and a pipe are refused")
def _(tmp):
    layout, file = small(tmp)
    (tmp / "app").mkdir()
    file = compose(tmp / "app/compose.yml", web=IMAGE)
    words = ("--source", f"oci:{layout.path}")
    outside = app_add(tmp / "store", file, *words, "--file", layout.path, check=False)
    assert outside.returncode == 1 and "is not below" in outside.stderr, outside
    (tmp / "app/link").symlink_to("../layout")
    link = app_add(tmp / "store", file, *words, "--file", tmp / "app/link", check=False)
    assert link.returncode == 70 and "leads out of the app" in link.stderr, link
    os.mkfifo(tmp / "app/pipe")
    pipe = app_add(tmp / "store", file, *words, "--file", tmp / "app/pipe", check=False)
    assert pipe.returncode == 1 and "no file, folder or symbolic link" in pipe.stderr, pipe
    assert run(["satchel-bundler", "app", "list", tmp / "store"], check=True).stdout == ""


@test("of an image for several platforms those that are asked for are collected")
def _(tmp):
    layout = Layout(tmp / "layout")
    images = {name: layout.image([{"for": name.encode()}], architecture=name)
              for name in ("amd64", "arm64", "riscv64")}
    layout.name(layout.index(list(images.values())), IMAGE)
    file = compose(tmp / "compose.yml", web=IMAGE)
    words = ("--source", f"oci:{layout.path}")
    unchosen = app_add(tmp / "store", file, *words, check=False)
    assert unchosen.returncode == 1, unchosen
    assert "linux/amd64, linux/arm64, linux/riscv64" in unchosen.stderr, unchosen
    absent = app_add(tmp / "store", file, *words, "--platform", "linux/s390x", check=False)
    assert absent.returncode == 8 and "not for linux/s390x" in absent.stderr, absent
    app_add(tmp / "store", file, *words, "--platform", "linux/arm64", "--platform", "linux/amd64")
    for name, image in images.items():
        assert blob_path(tmp / "store", image["digest"]).exists() == (name != "riscv64")
    shown = schemas.check(run(["satchel-bundler", "app", "show", "--json", tmp / "store"],
                              check=True).stdout, "app-show.schema.json")
    assert [image["platform"] for image in shown["apps"][0]["images"]] == \
        ["linux/amd64", "linux/arm64"]


@test("an image of one platform is refused where another is asked for")
def _(tmp):
    layout, file = small(tmp, architecture="arm64")
    words = ("--source", f"oci:{layout.path}")
    wrong = app_add(tmp / "store", file, *words, "--platform", "linux/amd64", check=False)
    assert wrong.returncode == 8 and "for linux/arm64 alone" in wrong.stderr, wrong
    app_add(tmp / "store", file, *words, "--platform", "linux/arm64")


@test("a layout's blob that is altered, short, long or missing is refused by name")
def _(tmp):
    layout, file = small(tmp)
    manifest = json.loads(layout.blob(layout.manifests[0]["digest"].removeprefix("sha256:"))
                          .read_text())
    for blob in (manifest["config"], manifest["layers"][1]):
        path = layout.blob(blob["digest"].removeprefix("sha256:"))
        good = path.read_bytes()
        for bad, status in ((bytes([good[0] ^ 1]) + good[1:], 50), (good[:-1], 50),
                            (good + b"x", 50), (None, 8)):
            path.unlink()
            if bad is not None:
                path.write_bytes(bad)
            result = app_add(tmp / "store", file, "--source", f"oci:{layout.path}", check=False)
            assert result.returncode == status and path.name in result.stderr, result
            assert not blob_path(tmp / "store", path.name).exists()
            path.write_bytes(good)
    app_add(tmp / "store", file, "--source", f"oci:{layout.path}")


@test("a manifest that has not the digest of its name is refused")
def _(tmp):
    layout, _ = small(tmp)
    digest = layout.manifests[0]["digest"]
    path = layout.blob(digest.removeprefix("sha256:"))
    path.write_bytes(path.read_bytes() + b" ")
    file = compose(tmp / "compose.yml", web=f"hub.example.org/library/one@{digest}")
    result = app_add(tmp / "store", file, "--source", f"oci:{layout.path}", check=False)
    assert result.returncode == 50 and "has the hash" in result.stderr, result


@test("sources are asked one after the other")
def _(tmp):
    first, _ = small(tmp)
    second = Layout(tmp / "second")
    second.name(second.image([{"other": b"o"}]), "hub.example.org/library/two:2")
    file = compose(tmp / "compose.yml", a=IMAGE, b="hub.example.org/library/two:2")
    alone = app_add(tmp / "store", file, "--source", f"oci:{first.path}", check=False)
    assert alone.returncode == 8 and "library/two:2" in alone.stderr, alone
    app_add(tmp / "store", file, "--source", f"oci:{first.path}", "--source", f"oci:{second.path}")


@test("a layout's only image without a name serves one name and no second")
def _(tmp):
    layout = Layout(tmp / "layout")
    layout.name(layout.image([{"a": b"a"}]))
    words = ("--source", f"oci:{layout.path}")
    app_add(tmp / "store", compose(tmp / "one.yml", a="busybox"), *words)
    two = app_add(tmp / "store", compose(tmp / "two.yml", a="busybox", b="other"), *words,
                  check=False)
    assert two.returncode == 8 and "image other" in two.stderr, two


def docker_archive(tmp, layout, name):
    """What `docker save` would write, by skopeo."""
    subprocess.run(["skopeo", "copy", "--quiet", "--insecure-policy", f"oci:{layout.path}:{name}",
                    f"docker-archive:{tmp}/saved.tar:{name}"], check=True,
                   stdout=subprocess.DEVNULL)
    return tmp / "saved.tar"


@test("an archive of docker save gives the layers that its configuration lists")
def _(tmp):
    layout = Layout(tmp / "layout")
    layers = [tar_of({"one": b"1"}), tar_of({"two": b"2"})]
    layout.name(layout.image(layers, compressed=True), "busybox:9")
    saved = docker_archive(tmp, layout, "busybox:9")
    file = compose(tmp / "compose.yml", web="busybox:9")
    words = ("--source", f"docker-archive:{saved}")
    first = app_add(tmp / "store", file, *words)
    for layer in layers:
        assert blob_path(tmp / "store", sha256(layer)).read_bytes() == layer
    assert app_add(tmp / "again", file, *words).stdout == first.stdout
    run(["satchel-bundler", "app", "check", tmp / "store"], check=True)
    other = app_add(tmp / "store", compose(tmp / "other.yml", web="busybox:10"), *words,
                    check=False)
    assert other.returncode == 8, other


@test("an archive of docker save with an altered layer, or cut off, is refused")
def _(tmp):
    layout = Layout(tmp / "layout")
    layer = tar_of({"one": b"1" * 4096})
    layout.name(layout.image([layer]), "busybox:9")
    saved = docker_archive(tmp, layout, "busybox:9")
    good = saved.read_bytes()
    at = good.index(b"1" * 4096)
    saved.write_bytes(good[:at] + b"2" + good[at + 1:])
    file = compose(tmp / "compose.yml", web="busybox:9")
    words = ("--source", f"docker-archive:{saved}")
    altered = app_add(tmp / "store", file, *words, check=False)
    assert altered.returncode == 50 and sha256(layer) in altered.stderr, altered
    saved.write_bytes(good[:at])
    assert app_add(tmp / "store", file, *words, check=False).returncode == 50
    saved.write_text("no tar")
    assert app_add(tmp / "store", file, *words, check=False).returncode == 50


@test("Compose files that cannot be collected are refused, and nothing is known")
def _(tmp):
    layout, file = small(tmp)
    cases = {"services:\n  a:\n    build: .\n": "has 'build'",
             "services:\n  a:\n    image: \"${X}/y\"\n": "variables cannot be used",
             "services: {}\n": "no services",
             "a: &a [*a]\n": "anchor",
             "services: [": "line"}
    for text, message in cases.items():
        file.write_text(text)
        result = app_add(tmp / "store", file, "--source", f"oci:{layout.path}", check=False)
        assert result.returncode == 70 and message in result.stderr, result
    assert run(["satchel-bundler", "app", "list", tmp / "store"], check=True).stdout == ""


@test("wrong options are named")
def _(tmp):
    layout, file = small(tmp)
    base = ["satchel-bundler", "app", "add", tmp / "store", "--compose", file,
            "--source", f"oci:{layout.path}"]
    for words, message in ((["--name", "app"], "--publish-as"),
                           (["--name", "app", "--publish-as", "h.io/f/other"], "--name app"),
                           (["--name", "app", "--publish-as", "f/app"], "HOST/FACTORY/APP"),
                           (["--name", "app", "--publish-as", "h.io/f/app", "--platform", "arm"],
                            "platform 'arm'"),
                           (["--name", "app", "--publish-as", "h.io/f/app", "--source", "tar:x"],
                            "--source is not")):
        result = run([*base, *words])
        assert result.returncode == 1 and message in result.stderr, result


@test("check finds an altered layer, and list and show tell what is there")
def _(tmp):
    layout, file = small(tmp)
    store = tmp / "store"
    uri = app_add(store, file, "--source", f"oci:{layout.path}").stdout
    other = app_add(store, file, "--source", f"oci:{layout.path}", name="other").stdout
    assert run(["satchel-bundler", "app", "list", store], check=True).stdout == uri + other
    shown = run(["satchel-bundler", "app", "show", store], check=True).stdout
    assert uri.strip() in shown and "service web:" in shown
    run(["satchel-bundler", "app", "check", store], check=True)
    layer = blob_path(store, sha256(tar_of({"two": b"2"})))
    data = layer.read_bytes()
    layer.write_bytes(data[:-1] + b"\1")
    result = run(["satchel-bundler", "app", "check", store])
    assert result.returncode == 70 and layer.name in result.stderr, result
    layer.unlink()
    result = run(["satchel-bundler", "app", "check", store])
    assert result.returncode == 8 and layer.name in result.stderr, result
    assert run(["satchel-bundler", "app", "check", tmp / "layout/none"]).returncode == 1


@test("what a killed run left of a blob is taken up, and trusted no more than anything")
def _(tmp):
    layout, file = small(tmp)
    layer = tar_of({"two": b"2"})
    parts = tmp / "store/blobs/sha256"
    parts.mkdir(parents=True)
    (parts / f".part-{sha256(layer)}").write_bytes(layer[:1000])
    app_add(tmp / "store", file, "--source", f"oci:{layout.path}")
    assert not list(parts.glob(".part-*"))
    other = tmp / "other/blobs/sha256"
    other.mkdir(parents=True)
    (other / f".part-{sha256(layer)}").write_bytes(b"x" * 1000)
    bad = app_add(tmp / "other", file, "--source", f"oci:{layout.path}", check=False)
    assert bad.returncode == 50 and "has the hash" in bad.stderr, bad
    app_add(tmp / "other", file, "--source", f"oci:{layout.path}")


@test("a store where there are no hard links, as on FAT, has copies in their place")
def _(tmp):
    layout, file = small(tmp)
    app_add(tmp / "linked", file, "--source", f"oci:{layout.path}")
    run(["strace", "-f", "-o", tmp / "trace", "-e", "inject=linkat:error=EPERM",
         program("satchel-bundler"), "app", "add", tmp / "copied", "--name", "app", "--compose",
         file, "--publish-as", PUBLISH_AS + "app", "--source", f"oci:{layout.path}"], check=True)
    assert "linkat" in (tmp / "trace").read_text()
    assert contents(tmp / "copied") == contents(tmp / "linked")
    assert {path.stat().st_nlink for path in (tmp / "copied").rglob("*") if path.is_file()} == {1}


@test("two that write into one store at once do not")
def _(tmp):
    layout, file = small(tmp)
    (tmp / "store").mkdir()
    lock = os.open(tmp / "store", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    result = app_add(tmp / "store", file, "--source", f"oci:{layout.path}", check=False)
    os.close(lock)
    assert result.returncode == 1 and "another satchel-bundler" in result.stderr, result


main()
