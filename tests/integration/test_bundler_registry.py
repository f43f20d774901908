#!/usr/bin/python3
"""satchel-bundler app add out of a registry: a real one, and one behind a line that fails."""
import base64
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from app_builder import (Layout, PUBLISH_AS, blob_path, compose, random_layer, sha256,  # noqa: E402
                         tar_of)
from registry_lab import PASSWORD, Proxy, Registry, USER  # noqa: E402
from tap import main, run, test  # noqa: E402

LAYER = tar_of({"one": b"1" * 300000})


def app_add(tmp, image, *words, store="store", check=True):
    file = compose(tmp / "compose.yml", web=image)
    return run(["satchel-bundler", "app", "add", tmp / store, "--name", "app", "--compose", file,
                "--publish-as", PUBLISH_AS + "app", *words], check=check,
               env={"HOME": str(tmp), "http_proxy": None, "https_proxy": None, "all_proxy": None,
                    "HTTPS_PROXY": None, "ALL_PROXY": None})


def credentials(path, host, password=PASSWORD):
    auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"auths": {host: {"auth": auth}}}))
    return path


def small_layout(tmp):
    layout = Layout(tmp / "layout")
    layout.name(layout.image([LAYER, tar_of({"two": b"2"})]), "one")
    return layout


@test("an image by tag and one by digest come out of a registry, all layers hashed")
def _(tmp):
    with Registry(tmp / "registry") as registry:
        layout = small_layout(tmp)
        registry.push(layout, "one", "lib/one:1")
        app_add(tmp, f"{registry.host}/lib/one:1")
        assert blob_path(tmp / "store", sha256(LAYER)).read_bytes() == LAYER
        run(["satchel-bundler", "app", "check", tmp / "store"], check=True)
        digest = layout.manifests[0]["digest"]
        app_add(tmp, f"{registry.host}/lib/one@{digest}", store="by-digest")
        missing = app_add(tmp, f"{registry.host}/lib/one:2", check=False)
        assert missing.returncode == 8 and "manifests/2" in missing.stderr, missing


@test("of an index in a registry the platforms that are asked for are fetched")
def _(tmp):
    with Registry(tmp / "registry") as registry:
        layout = Layout(tmp / "layout")
        images = [layout.image([{"for": name.encode()}], architecture=name)
                  for name in ("amd64", "arm64")]
        layout.name(layout.index(images), "many")
        registry.push(layout, "many", "lib/many:1")
        app_add(tmp, f"{registry.host}/lib/many:1", "--platform", "linux/arm64")
        assert blob_path(tmp / "store", images[1]["digest"]).exists()
        assert not blob_path(tmp / "store", images[0]["digest"]).exists()


@test("a registry with passwords gives nothing without, and all with the right one")
def _(tmp):
    with Registry(tmp / "registry", auth=True) as registry:
        registry.push(small_layout(tmp), "one", "lib/one:1")
        image = f"{registry.host}/lib/one:1"
        none = app_add(tmp, image, check=False)
        assert none.returncode == 50 and "--registry-auth" in none.stderr, none
        wrong = credentials(tmp / "wrong.json", registry.host, "other")
        refused = app_add(tmp, image, "--registry-auth", wrong, check=False)
        assert refused.returncode == 50 and "status 401" in refused.stderr, refused
        app_add(tmp, image, "--registry-auth", credentials(tmp / "right.json", registry.host))
        credentials(tmp / ".docker/config.json", registry.host)
        app_add(tmp, image, store="by-home")
        (tmp / "bad.json").write_text("{")
        bad = app_add(tmp, image, "--registry-auth", tmp / "bad.json", check=False)
        assert bad.returncode == 1 and "file of credentials" in bad.stderr, bad


@test("a token is asked for where the registry says so, with the password, and then shown")
def _(tmp):
    with Registry(tmp / "registry") as registry:
        registry.push(small_layout(tmp), "one", "lib/one:1")

        def meddle(handler):
            if handler.path.startswith("/token"):
                wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
                good = handler.headers.get("Authorization") == wanted and \
                    "scope=repository%3Alib%2Fone%3Apull" in handler.path
                handler.reply(200 if good else 401, b'{"token":"abc"}')
                return True
            if handler.headers.get("Authorization") != "Bearer abc":
                realm = f"http://{handler.headers['Host']}/token"
                handler.reply(401, b"{}", {"WWW-Authenticate": f'Bearer realm="{realm}",service="s"'})
                return True
            handler.headers.replace_header("Authorization", "")
            return False

        with Proxy(registry, meddle) as proxy:
            image = f"{proxy.host}/lib/one:1"
            none = app_add(tmp, image, check=False)
            assert none.returncode == 50 and "no token" in none.stderr, none
            credentials(tmp / ".docker/config.json", proxy.host)
            app_add(tmp, image)


@test("a blob whose line breaks goes on where it was, also in the next run")
def _(tmp):
    with Registry(tmp / "registry") as registry:
        registry.push(small_layout(tmp), "one", "lib/one:1")
        breaks = []
        dead = []
        path = f"/v2/lib/one/blobs/sha256:{sha256(LAYER)}"

        def meddle(handler):
            if handler.path != path:
                return False
            if dead and len(breaks) >= 1:
                handler.reply(404, b"gone")
                return True
            if len(breaks) >= 3:
                return False
            begin = int(handler.headers.get("Range", "bytes=0-")[6:-1])
            breaks.append(begin)
            status = 206 if begin else 200
            headers = {"Content-Range": f"bytes {begin}-{len(LAYER) - 1}/{len(LAYER)}"} \
                if begin else {}
            handler.reply(status, LAYER[begin:], headers, cut=50000)
            return True

        with Proxy(registry, meddle) as proxy:
            app_add(tmp, f"{proxy.host}/lib/one:1")
            assert breaks == [0, 50000, 100000], breaks
            ranges = [headers.get("Range") for asked, headers in proxy.requests if asked == path]
            assert ranges == [None, "bytes=50000-", "bytes=100000-", "bytes=150000-"], ranges
            # The next run takes up what this one, which gives up, has left.
            breaks.clear()
            dead.append(True)
            stopped = app_add(tmp, f"{proxy.host}/lib/one:1", store="other", check=False)
            assert stopped.returncode == 8, stopped
            dead.clear()
            breaks[:] = [0, 0, 0]
            app_add(tmp, f"{proxy.host}/lib/one:1", store="other")
            last = [headers.get("Range") for asked, headers in proxy.requests if asked == path][-1]
            assert last == "bytes=50000-", last


@test("a server that knows no ranges is read from the beginning again")
def _(tmp):
    with Registry(tmp / "registry") as registry:
        registry.push(small_layout(tmp), "one", "lib/one:1")
        tries = []

        def meddle(handler):
            if sha256(LAYER) not in handler.path:
                return False
            tries.append(handler.path)
            handler.reply(200, LAYER, cut=50000 if len(tries) == 1 else None)
            return True

        with Proxy(registry, meddle) as proxy:
            app_add(tmp, f"{proxy.host}/lib/one:1")
            assert len(tries) == 2


@test("a busy server is asked again, and not for ever")
def _(tmp):
    with Registry(tmp / "registry") as registry:
        registry.push(small_layout(tmp), "one", "lib/one:1")
        answers = [503, 429, 500]

        def meddle(handler):
            if "manifests" not in handler.path or not answers:
                return False
            handler.reply(answers.pop(), b"busy")
            return True

        with Proxy(registry, meddle) as proxy:
            app_add(tmp, f"{proxy.host}/lib/one:1")
            assert not answers
            answers.extend([503] * 20)
            result = app_add(tmp, f"{proxy.host}/lib/one:1", check=False)
            assert result.returncode == 50 and "503" in result.stderr, result
            assert len(answers) == 14


@test("what a registry gives in the place of a blob or a manifest is refused")
def _(tmp):
    with Registry(tmp / "registry") as registry:
        layout = small_layout(tmp)
        registry.push(layout, "one", "lib/one:1")
        other = b"x" + LAYER[1:]
        bodies = {}

        def meddle(handler):
            for part, body in bodies.items():
                if part in handler.path:
                    handler.reply(200, body)
                    return True
            return False

        with Proxy(registry, meddle) as proxy:
            for body in (other, LAYER[:-1], LAYER + b"x"):
                bodies[sha256(LAYER)] = body
                result = app_add(tmp, f"{proxy.host}/lib/one:1", check=False)
                assert result.returncode == 50 and sha256(LAYER) in result.stderr, result
                assert not blob_path(tmp / "store", sha256(LAYER)).exists()
            bodies.clear()
            digest = layout.manifests[0]["digest"]
            bodies["manifests"] = b"{}"
            result = app_add(tmp, f"{proxy.host}/lib/one@{digest}", check=False)
            assert result.returncode == 50 and "has the hash" in result.stderr, result
            bodies["manifests"] = b" " * (1 << 21)
            result = app_add(tmp, f"{proxy.host}/lib/one:1", check=False)
            assert result.returncode == 50 and "longer than" in result.stderr, result


@test("an image of several layers and more than 200 MB comes whole, and no blob twice")
def _(tmp):
    with Registry(tmp / "registry") as registry:
        layout = Layout(tmp / "layout")
        layers = [random_layer(size << 20) for size in (120, 60, 24, 1)]
        layout.name(layout.image(layers), "large")
        registry.push(layout, "large", "lib/large:1")
        app_add(tmp, f"{registry.host}/lib/large:1")
        for layer in layers:
            assert blob_path(tmp / "store", sha256(layer)).stat().st_size == len(layer)
        run(["satchel-bundler", "app", "check", tmp / "store"], check=True)
        with Proxy(registry, lambda handler: False) as proxy:
            app_add(tmp, f"{proxy.host}/lib/large:1")
            assert not [path for path, _ in proxy.requests if "/blobs/" in path]


main()
