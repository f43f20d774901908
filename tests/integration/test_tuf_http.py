#!/usr/bin/python3
"""satchel-verify tuf against a real HTTP server that behaves, and one that does not."""
import json
import os
import pathlib
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from schemas import check  # noqa: E402
from tap import Result, main, program, run, test  # noqa: E402
from tuf_server import (  # noqa: E402
    Repo, Server, content_of, cut_short, cut_short_chunked, endless, long_headers, redirect, sha256,
    stall, status, stored_version)

ROLES = ("root", "timestamp", "snapshot", "targets")


class Client:
    """One metadata folder, and the commands that work on it."""

    def __init__(self, tmp, server, options=()):
        self.metadata = tmp / "metadata"
        self.targets = tmp / "targets"
        self.targets.mkdir()
        self.server = server
        self.options = list(options)
        result = self.tuf("init", server.repo.root(tmp))
        assert result.returncode == 0, result

    def tuf(self, *words, **how):
        return run(["satchel-verify", "tuf", "--metadata-dir", self.metadata, *words], **how)

    def argv(self):
        return ["--metadata-url", self.server.url + "/metadata", "--stall-timeout", "1",
                *self.options]

    def refresh(self, *options, **how):
        return self.tuf(*self.argv(), *options, "refresh", **how)

    def refresh_measured(self):
        """A refresh, and the most memory that it took, in KiB."""
        argv = [str(word) for word in (program("satchel-verify"), "tuf", "--metadata-dir",
                                       self.metadata, *self.argv(), "refresh")]
        with subprocess.Popen(argv, stderr=subprocess.PIPE, encoding="utf-8") as process:
            stderr = process.stderr.read()
            _, status_word, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status_word)
        return Result(argv, process.returncode, "", stderr), usage.ru_maxrss

    def download(self, *names):
        words = [word for name in names for word in ("--target-name", name)]
        return self.tuf(*self.argv(), "--target-base-url", self.server.url + "/targets",
                        "--target-dir", self.targets, *words, "download")

    def versions(self):
        return tuple(stored_version(self.metadata, role) for role in ROLES)

    def files(self):
        return {path.name: path.read_bytes() for path in self.metadata.rglob("*") if path.is_file()}


def expect(result, code, *words):
    assert result.returncode == code, result
    assert result.stderr.count("\n") == 1, result
    for word in words:
        assert word in result.stderr, result


# ---- what is asked for


@test("a fresh refresh asks for four files in their order")
def _(tmp):
    with Server(Repo()) as server:
        client = Client(tmp, server)
        assert server.take_log() == []
        assert client.refresh().returncode == 0
        assert server.take_log() == ["2.root.json", "timestamp.json", "1.snapshot.json",
                                     "1.targets.json"]
        assert client.versions() == (1, 1, 1, 1)


@test("a refresh without news asks for the next root and the timestamp")
def _(tmp):
    with Server(Repo()) as server:
        client = Client(tmp, server)
        client.refresh()
        server.take_log()
        assert client.refresh().returncode == 0
        assert server.take_log() == ["2.root.json", "timestamp.json"]


@test("without consistent snapshots only roots are asked for by version")
def _(tmp):
    repo = Repo(consistent=False)
    repo.add_target("a/one", "hello")
    repo.publish("targets", "snapshot", "timestamp")
    with Server(repo) as server:
        client = Client(tmp, server)
        assert client.download("a/one").returncode == 0
        assert server.take_log() == ["2.root.json", "timestamp.json", "snapshot.json",
                                     "targets.json", "/targets/a/one"]


@test("the uptane dialect has versions for roots only, and no hashes in names")
def _(tmp):
    repo = Repo(dialect="uptane")
    repo.add_target("one", "hello")
    repo.publish("targets", "snapshot", "timestamp")
    with Server(repo) as server:
        client = Client(tmp, server)
        assert client.download("one").returncode == 0
        assert server.take_log() == ["2.root.json", "timestamp.json", "snapshot.json",
                                     "targets.json", "/targets/one"]
        assert client.versions() == (1, 2, 2, 2)


@test("one connection serves a whole run")
def _(tmp):
    repo = Repo()
    repo.add_target("one", "hello")
    repo.publish("root", "targets", "snapshot", "timestamp")
    with Server(repo) as server:
        client = Client(tmp, server)
        assert client.download("one").returncode == 0
        assert len(server.log) == 6, server.log
        assert len(server.connections) == 1, server.connections


@test("the program says who it is and sends no password of ~/.netrc")
def _(tmp):
    (tmp / ".netrc").write_text("machine 127.0.0.1 login user password secret\n")
    with Server(Repo()) as server:
        client = Client(tmp, server)
        assert client.refresh(env={"HOME": tmp}).returncode == 0
        assert server.headers[0]["User-Agent"].startswith("satchel/")
        assert all("Authorization" not in headers for headers in server.headers)


@test("the path of a URL is sent as it was given")
def _(tmp):
    with Server(Repo()) as server:
        client = Client(tmp, server)
        result = client.tuf("--metadata-url", server.url + "/a/../%7Eb/./c//", "refresh")
        assert result.returncode == 14, result
        assert server.log == ["/a/../%7Eb/./c/2.root.json", "/a/../%7Eb/./c/timestamp.json"]


@test("names of delegated roles are encoded in the request and in the store")
def _(tmp):
    for name, encoded in (("?", "%3F"), ("#", "%23"), ("../x", "..%2Fx"), ("/x", "%2Fx"),
                          ("r\u00f6le &", "r%C3%B6le%20%26"), ("%2e", "%252e")):
        repo = Repo()
        repo.delegate(name, ["*"])
        repo.publish(name, "targets", "snapshot", "timestamp")
        folder = tmp / encoded
        folder.mkdir()
        with Server(repo) as server:
            client = Client(folder, server)
            before = sorted(path.name for path in folder.iterdir())
            expect(client.download("none"), 20, "none")
            assert server.take_log()[4:] == [f"1.{encoded}.json"]
            assert len(list(client.metadata.glob("*.json"))) == 5
            assert sorted(path.name for path in folder.iterdir()) == before


# ---- answers that are none


@test("403 says that there is no newer root, as 404 does")
def _(tmp):
    with Server(Repo()) as server:
        server.misbehave["/metadata/2.root.json"] = status(403)
        assert Client(tmp, server).refresh().returncode == 0


@test("the long page of a 404 is no long root")
def _(tmp):
    with Server(Repo()) as server:
        server.misbehave["/metadata/2.root.json"] = lambda handler: handler.send(404, b" " * (1 << 20))
        assert Client(tmp, server).refresh().returncode == 0


@test("no other answer is taken for a missing root")
def _(tmp):
    for code in (204, 301, 400, 401, 410, 429, 500, 503):
        folder = tmp / str(code)
        folder.mkdir()
        with Server(Repo()) as server:
            server.misbehave["/metadata/2.root.json"] = status(code)
            client = Client(folder, server)
            expect(client.refresh(), 13, "2.root.json", str(code))
            assert server.take_log() == ["2.root.json"]
            assert client.versions() == (1, 0, 0, 0)


@test("a server that nobody answers at is an error of its own")
def _(tmp):
    with Server(Repo()) as server:
        client = Client(tmp, server)
    expect(client.refresh(), 13, "2.root.json")


@test("a missing timestamp, snapshot or targets file is named")
def _(tmp):
    for role in ("timestamp", "1.snapshot", "1.targets"):
        folder = tmp / role
        folder.mkdir()
        with Server(Repo()) as server:
            server.misbehave[f"/metadata/{role}.json"] = status(404)
            expect(Client(folder, server).refresh(), 14, f"{role}.json")


@test("an answer that is cut short is an error, whatever announced its end")
def _(tmp):
    for how, answer in (("length", cut_short), ("chunks", cut_short_chunked)):
        for role in ("2.root", "timestamp", "1.snapshot", "1.targets"):
            folder = tmp / f"{how}-{role}"
            folder.mkdir()
            repo = Repo()
            repo.publish("root")
            with Server(repo) as server:
                path = f"/metadata/{role}.json"
                server.misbehave[path] = answer(repo.files[path])
                client = Client(folder, server)
                expect(client.refresh(), 13, f"{role}.json")
                assert client.versions()[ROLES.index(role.split(".")[-1])] in (0, 1)
                server.misbehave.clear()
                assert client.refresh().returncode == 0


@test("a server that stalls before or within an answer is left")
def _(tmp):
    for name, content in (("before", None), ("within", b"x" * 1000)):
        folder = tmp / name
        folder.mkdir()
        with Server(Repo()) as server:
            server.misbehave["/metadata/timestamp.json"] = stall(server, content)
            # The client waits for a second, as it was told, and not for its usual thirty.
            expect(Client(folder, server).refresh(timeout_s=25), 13, "timestamp.json")


@test("an endless answer is left at the limit of its role")
def _(tmp):
    for role, limit in (("2.root", 512 << 10), ("timestamp", 64 << 10), ("1.snapshot", 2 << 20),
                        ("1.targets", 16 << 20)):
        folder = tmp / role
        folder.mkdir()
        sent = []
        with Server(Repo()) as server:
            server.misbehave[f"/metadata/{role}.json"] = endless(sent)
            expect(Client(folder, server).refresh(), 11, f"{role}.json", str(limit))
        # What the sockets on both sides hold was sent, too.
        assert limit <= sent[0] < limit + (32 << 20), sent


@test("headers without an end are left early, before the content and behind it")
def _(tmp):
    for name, code, line, trailers in (("before", 200, b"X-A: " + b"a" * 1000 + b"\r\n", False),
                                       ("behind", 404, b"X-A: b\r\n", True),
                                       ("behind-success", 200, b"X-A: b\r\n", True)):
        for role in ("2.root", "timestamp"):
            folder = tmp / f"{name}-{role}"
            folder.mkdir()
            with Server(Repo()) as server:
                answer = long_headers(code, line, 16 << 20, trailers)
                server.misbehave[f"/metadata/{role}.json"] = answer
                result, peak_kib = Client(folder, server).refresh_measured()
                expect(result, 13, f"{role}.json", "header")
                # 16 MiB of short lines are ten times that where they are kept.
                assert peak_kib < 64 << 10, (name, role, peak_kib)


@test("trailers of some length are nothing bad")
def _(tmp):
    with Server(Repo()) as server:
        answer = long_headers(404, b"X-A: b\r\n", 128 << 10, True)
        server.misbehave["/metadata/2.root.json"] = answer
        assert Client(tmp, server).refresh().returncode == 0


@test("a length that is announced beyond the limit is refused before the content comes")
def _(tmp):
    repo = Repo()
    with Server(repo) as server:
        server.misbehave["/metadata/timestamp.json"] = stall(server, b" " * ((64 << 10) + 1))
        expect(Client(tmp, server).refresh(), 11, "timestamp.json", "65536")


@test("a file longer than its role says is refused")
def _(tmp):
    repo = Repo()
    repo.pinned = True
    repo.publish("targets", "snapshot", "timestamp")
    with Server(repo) as server:
        path = "/metadata/2.snapshot.json"
        server.misbehave[path] = content_of(repo.files[path] + b" ")
        expect(Client(tmp, server).refresh(), 11, "2.snapshot.json", str(len(repo.files[path])))


@test("the page of a captive portal is no metadata")
def _(tmp):
    with Server(Repo()) as server:
        client = Client(tmp, server)
        for path in ("2.root.json", "timestamp.json"):
            server.misbehave["/metadata/" + path] = content_of(b"<html>Log in</html>")
            before = client.files()
            expect(client.refresh(), 11)
            assert client.files() == before
            server.misbehave["/metadata/" + path] = status(404)


# ---- redirects


@test("a redirect is not followed unless so many are allowed")
def _(tmp):
    with Server(Repo()) as server:
        server.misbehave["/metadata/timestamp.json"] = redirect("/elsewhere/timestamp.json")
        server.repo.files["/elsewhere/timestamp.json"] = server.repo.files["/metadata/timestamp.json"]
        client = Client(tmp, server)
        expect(client.refresh(), 13, "timestamp.json", "302")
        assert "/elsewhere/timestamp.json" not in server.log
        assert client.refresh("--max-redirects", "1").returncode == 0


@test("a redirect to another host is followed only when allowed")
def _(tmp):
    with Server(Repo()) as server, Server(server.repo, address="127.0.0.2") as other:
        path = "/metadata/timestamp.json"
        server.misbehave[path] = redirect(other.url + path)
        client = Client(tmp, server)
        expect(client.refresh(), 13, "timestamp.json")
        assert other.log == []
        assert client.refresh("--max-redirects", "1").returncode == 0
        assert other.log == [path]


@test("a redirect to a file or to another scheme is never followed")
def _(tmp):
    secret = tmp / "timestamp.json"
    with Server(Repo()) as server:
        secret.write_bytes(server.repo.files["/metadata/timestamp.json"])
        client = Client(tmp, server)
        for url in (f"file://{secret}", "ftp://127.0.0.1/timestamp.json", "gopher://127.0.0.1/"):
            server.misbehave["/metadata/timestamp.json"] = redirect(url)
            expect(client.refresh("--max-redirects", "9"), 13, "timestamp.json")
        assert client.versions() == (1, 0, 0, 0)


@test("redirects that go round end")
def _(tmp):
    with Server(Repo()) as server:
        server.misbehave["/metadata/2.root.json"] = redirect("/metadata/2.root.json")
        expect(Client(tmp, server).refresh("--max-redirects", "5"), 13, "2.root.json")
        assert len(server.log) == 6, server.log


# ---- proxy


@test("a proxy is asked when one is given, by option or by environment, and only then")
def _(tmp):
    with Server(Repo()) as server, Server(Repo()) as proxy:
        proxy.repo.files = {server.url + path: content
                            for path, content in server.repo.files.items()}
        client = Client(tmp, server)
        plain = {"http_proxy": None, "all_proxy": None, "no_proxy": None}
        assert client.refresh("--proxy", proxy.url, env=plain).returncode == 0
        assert server.log == [] and len(proxy.log) == 4, proxy.log
        proxy.log.clear()
        assert client.refresh(env={**plain, "http_proxy": proxy.url}).returncode == 0
        assert server.log == [] and len(proxy.log) == 2, proxy.log
        proxy.log.clear()
        assert client.refresh("--proxy", "", env={**plain, "http_proxy": proxy.url}).returncode == 0
        assert len(server.log) == 2 and proxy.log == [], proxy.log


# ---- artifacts


@test("an artifact is fetched once, by a name with its hash, and placed under its path")
def _(tmp):
    repo = Repo()
    repo.add_target("a/b/one", "hello")
    repo.publish("targets", "snapshot", "timestamp")
    with Server(repo) as server:
        client = Client(tmp, server)
        result = client.download("a/b/one")
        assert result.returncode == 0, result
        placed = client.targets / "a%2Fb%2Fone"
        assert result.stdout == f"{placed}\n", result
        assert placed.read_text() == "hello"
        assert server.take_log()[4:] == [f"/targets/a/b/{sha256('hello')}.one"]
        assert client.download("a/b/one").returncode == 0
        assert server.take_log() == ["2.root.json", "timestamp.json"]


@test("targets are downloaded in their order, and the first failure ends it")
def _(tmp):
    repo = Repo(consistent=False)
    for name in ("one", "two", "three"):
        repo.add_target(name, name)
    repo.publish("targets", "snapshot", "timestamp")
    with Server(repo) as server:
        server.misbehave["/targets/two"] = status(404)
        client = Client(tmp, server)
        result = client.download("one", "two", "three")
        assert result.returncode == 50 and "two" in result.stderr, result
        assert server.take_log()[4:] == ["/targets/one", "/targets/two"]
        assert [path.name for path in client.targets.iterdir()] == ["one"]


@test("a bad artifact leaves nothing, and a copy of before stays")
def _(tmp):
    repo = Repo(consistent=False)
    repo.add_target("one", "hello")
    repo.publish("targets", "snapshot", "timestamp")
    with Server(repo) as server:
        client = Client(tmp, server)
        sent = []
        for answer in (content_of(b"jello"), content_of(b"hello, and more"), content_of(b"hell"),
                       cut_short(b"hello"), cut_short_chunked(b"hell"),
                       cut_short_chunked(b"hello"), stall(server, b"hello"),
                       endless(sent), status(403), status(500), redirect("/targets/two")):
            server.misbehave["/targets/one"] = answer
            result = client.download("one")
            assert result.returncode == 50 and "one" in result.stderr, result
            assert list(client.targets.iterdir()) == []
        server.misbehave.clear()
        assert client.download("one").returncode == 0
        repo.add_target("one", "a newer one")
        repo.publish("targets", "snapshot", "timestamp")
        server.misbehave["/targets/one"] = content_of(b"jello")
        assert client.download("one").returncode == 50
        assert [path.read_text() for path in client.targets.iterdir()] == ["hello"]


@test("a target that no role lists is named")
def _(tmp):
    with Server(Repo()) as server:
        expect(Client(tmp, server).download("none"), 20, "none")


@test("a large artifact comes whole")
def _(tmp):
    repo = Repo()
    content = "0123456789abcdef" * (1 << 19)
    repo.add_target("large", content)
    repo.publish("targets", "snapshot", "timestamp")
    with Server(repo) as server:
        client = Client(tmp, server)
        assert client.download("large").returncode == 0
        assert (client.targets / "large").read_text() == content


# ---- rules that the command line shows


@test("an expired role is refused, and clock and floor are named")
def _(tmp):
    repo = Repo()
    repo.expires["timestamp"] = "2020-01-01T00:00:00Z"
    repo.publish("timestamp")
    with Server(repo) as server:
        expect(Client(tmp, server).refresh(), 12, "timestamp 2", "2020-01-01T00:00:00Z", "clock",
               "floor")


@test("the stored time floor counts where the clock is behind it")
def _(tmp):
    with Server(Repo()) as server:
        client = Client(tmp, server)
        (client.metadata / "time-floor").write_text("2091-01-01T00:00:00Z\n")
        expect(client.refresh(), 12, "root 1", "2091-01-01T00:00:00Z")
        (client.metadata / "time-floor").write_text("2000-01-01T00:00:00Z\n")
        assert client.refresh().returncode == 0
        (client.metadata / "time-floor").write_text("soon")
        expect(client.refresh(), 4, "time-floor")


@test("a rollback is refused, and what was trusted stays")
def _(tmp):
    repo = Repo()
    with Server(repo) as server:
        old = repo.files["/metadata/timestamp.json"]
        repo.publish("timestamp")
        client = Client(tmp, server)
        assert client.refresh().returncode == 0
        before = client.files()
        repo.files["/metadata/timestamp.json"] = old
        expect(client.refresh(), 11, "timestamp 1", "2")
        assert client.files() == before


@test("what is stored is shown, also when it has expired or is damaged")
def _(tmp):
    repo = Repo()
    repo.add_target("one", "hello")
    repo.expires["targets"] = "2089-01-01T00:00:00Z"
    repo.publish("targets", "snapshot", "timestamp")
    with Server(repo) as server:
        client = Client(tmp, server)
        shown = json.loads(client.tuf("--json", "show").stdout)
        check(shown, "tuf-show.schema.json")
        assert shown["roles"]["timestamp"] is None and "timestamp" in shown["problem"]
        client.refresh()
        (client.metadata / "time-floor").write_text("2089-06-01T00:00:00Z\n")
        shown = json.loads(client.tuf("show", "--json").stdout)
        check(shown, "tuf-show.schema.json")
        assert shown["problem"] is None and shown["dialect"] == "tuf"
        assert [role for role in ROLES if shown["roles"][role]["expired"]] == ["targets"]
        assert shown["targets"] == [{"name": "one", "length": 5,
                                     "hashes": {"sha256": sha256("hello")}}]
        text = client.tuf("show")
        assert text.returncode == 0 and "expired at 2089-01-01T00:00:00Z" in text.stdout, text
        (client.metadata / "snapshot.json").write_text("{")
        before = client.files()
        shown = json.loads(client.tuf("show", "--json").stdout)
        check(shown, "tuf-show.schema.json")
        assert shown["roles"]["targets"] is None and "snapshot" in shown["problem"]
        assert client.files() == before


@test("init asks nothing, works twice, and refuses another root")
def _(tmp):
    repo = Repo()
    with Server(repo) as server:
        client = Client(tmp, server)
        assert client.tuf("init", repo.root(tmp)).returncode == 0
        repo.publish("root")
        assert client.refresh().returncode == 0
        assert client.tuf("init", repo.root(tmp)).returncode == 0
        assert client.versions()[0] == 2
        other = tmp / "other.json"
        other.write_bytes(Repo(consistent=False).files["/metadata/1.root.json"])
        expect(client.tuf("init", other), 4)
        other.write_bytes(b"{}")
        expect(client.tuf("init", other), 11)
        expect(client.tuf("init", tmp / "none"), 14)


@test("a command line that lacks something says what, and asks nothing")
def _(tmp):
    with Server(Repo()) as server:
        client = Client(tmp, server)
        url = ["--metadata-url", server.url]
        for words, missing in (([], "verb"), (["refresh"], "--metadata-url"), (["init"], "file"),
                               (["sing"], "sing"), ([*url, "refresh", "now"], "refresh"),
                               ([*url, "download"], "--target-dir"),
                               ([*url, "--target-dir", tmp, "download"], "--target-name"),
                               ([*url, "--target-dir", tmp, "--target-name", "a", "download"],
                                "--target-base-url"),
                               ([*url, "--target-dir", tmp / "td", "--target-name", "a",
                                 "--target-base-url", server.url, "download"],
                                f"--target-dir {tmp / 'td'}: no such folder"),
                               (["--metadata-url", "file:///tmp", "refresh"], "http"),
                               ([*url, "--https-only", "refresh"], "https"),
                               ([*url, "--stall-timeout", "-1", "refresh"], "negative")):
            result = client.tuf(*words)
            assert result.returncode == 1 and missing in result.stderr, result
        result = run(["satchel-verify", "tuf", "show"])
        assert result.returncode == 1 and "--metadata-dir" in result.stderr, result
        expect(run(["satchel-verify", "tuf", "--metadata-dir", tmp / "none", "show"]), 14)
        assert server.log == []
        assert not (tmp / "none").exists()


@test("a folder without a trusted root is 14 and says how to give it one")
def _(tmp):
    folder = tmp / "metadata"
    result = run(["satchel-verify", "tuf", "--metadata-dir", folder, "--metadata-url",
                  "http://127.0.0.1:9/", "refresh"])
    expect(result, 14, f"satchel-verify tuf --metadata-dir {folder} init ROOT.json")


@test("a repository on a disk serves as one on a server does")
def _(tmp):
    repo = Repo()
    repo.add_target("a/one", "hello")
    repo.publish("root", "targets", "snapshot", "timestamp")
    repo.write(tmp / "disk")
    with Server(repo) as server:
        client = Client(tmp, server)
        result = client.tuf("--metadata-source", tmp / "disk/metadata", "--target-source",
                            tmp / "disk/targets", "--target-dir", client.targets, "--target-name",
                            "a/one", "download")
        assert result.returncode == 0, result
        assert client.versions() == (2, 2, 2, 2)
        assert (client.targets / "a%2Fone").read_text() == "hello"
        assert server.log == []


# ---- killed


def kill_when_asked(client, server, path, *words):
    """Starts a command and kills it when it waits for @path, which never comes."""
    arrived = threading.Event()
    server.misbehave[path] = stall(server, server.repo.files[path], arrived)
    child = subprocess.Popen(
        [program("satchel-verify"), "tuf", "--metadata-dir", client.metadata, "--metadata-url",
         server.url + "/metadata", *words], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert arrived.wait(60)
    child.kill()
    child.wait()
    del server.misbehave[path]


@test("a refresh that is killed anywhere is finished by the next one")
def _(tmp):
    for role, stored in (("3.root", (2, 1, 1, 1)), ("timestamp", (3, 1, 1, 1)),
                         ("2.snapshot", (3, 2, 1, 1)), ("2.targets", (3, 2, 2, 1))):
        folder = tmp / role
        folder.mkdir()
        repo = Repo()
        with Server(repo) as server:
            client = Client(folder, server)
            assert client.refresh().returncode == 0
            repo.publish("root", "root", "targets", "snapshot", "timestamp")
            kill_when_asked(client, server, f"/metadata/{role}.json", "refresh")
            assert client.versions() == stored, (role, client.versions())
            assert client.refresh().returncode == 0
            assert client.versions() == (3, 2, 2, 2)


@test("a download that is killed leaves nothing behind after the next one")
def _(tmp):
    repo = Repo(consistent=False)
    repo.add_target("one", "hello" * 1000)
    repo.publish("targets", "snapshot", "timestamp")
    with Server(repo) as server:
        client = Client(tmp, server)
        kill_when_asked(client, server, "/targets/one", "--target-base-url",
                        server.url + "/targets", "--target-dir", client.targets, "--target-name",
                        "one", "download")
        assert not (client.targets / "one").exists()
        assert client.download("one").returncode == 0
        assert [path.name for path in client.targets.iterdir()] == ["one"]


@test("who comes second to a metadata folder is told so and changes nothing")
def _(tmp):
    arrived = threading.Event()
    with Server(Repo()) as server:
        client = Client(tmp, server)
        server.misbehave["/metadata/timestamp.json"] = stall(server, None, arrived)
        argv = [program("satchel-verify"), "tuf", "--metadata-dir", client.metadata,
                *client.argv(), "--stall-timeout", "300", "refresh"]
        with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as first:
            try:
                assert arrived.wait(60)
                before = client.files()
                server.misbehave.clear()
                for result in (client.refresh(), client.tuf("init", server.repo.root(tmp))):
                    expect(result, 1, "another process is using this folder", "metadata")
                assert client.files() == before
                assert client.tuf("show").returncode == 0
            finally:
                first.kill()
        assert client.refresh().returncode == 0


main()
