"""A TUF repository and a loopback server for it, for integration tests.

The repository is authored by fixtures/tuf_author.py, independently of Satchel's own code. The
server keeps account of what it is asked for, and misbehaves where a test tells it to.
"""
import hashlib
import http.server
import json
import pathlib
import ssl
import sys
import threading
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "fixtures"))
from tuf_author import FAR, Author, target  # noqa: E402  pylint: disable=wrong-import-position


class Repo:
    """Version 1 of the four roles, each with one key that is called like it."""

    def __init__(self, dialect="tuf", consistent=True):
        self.author = Author(dialect)
        self.consistent = consistent
        self.versions = dict.fromkeys(("root", "timestamp", "snapshot", "targets"), 0)
        self.expires = {}
        self.targets = {"targets": {}}
        self.delegations = {}
        self.pinned = dialect == "uptane"
        self.meta = {}
        self.snapshot_entry = None
        self.files = {}
        for role in ("root", "targets", "snapshot", "timestamp"):
            self.publish(role)

    def _members(self, role):
        if role == "snapshot":
            return {"meta": dict(self.meta)}
        if role == "timestamp":
            return {"meta": {"snapshot.json": self.snapshot_entry}}
        members = {"targets": self.targets[role]}
        if role in self.delegations:
            members["delegations"] = self.delegations[role]
        return members

    def _document(self, role):
        version, expires = self.versions[role], self.expires.get(role, FAR)
        if role == "root":
            def edit(signed):
                signed["consistent_snapshot"] = self.consistent
            return self.author.root(version, expires, edit)
        kind = role if role in ("timestamp", "snapshot") else "targets"
        signed = self.author.body(kind, version, expires, **self._members(role))
        return self.author.sign(signed, self.author.roles.get(role, ([role],))[0])

    def publish(self, *roles):
        """Serves the next version of each, in this order, under both of its names."""
        for role in roles:
            self.versions[role] = self.versions.get(role, 0) + 1
            document = self._document(role)
            pins = {} if self.pinned else {"hashes": (), "length": False}
            if role == "snapshot":
                self.snapshot_entry = self.author.entry(document, **pins)
            elif role not in ("root", "timestamp"):
                self.meta[role + ".json"] = self.author.entry(document, **pins)
            name = urllib.parse.quote(role, safe="")
            self.files[f"/metadata/{self.versions[role]}.{name}.json"] = document
            self.files[f"/metadata/{name}.json"] = document

    def add_target(self, path, content, role="targets"):
        """Into the role, and to be downloaded, with and without its hash before the name."""
        entry = target(content)
        self.targets[role][path] = entry
        folder, _, name = path.rpartition("/")
        prefixed = f"{entry['hashes']['sha256']}.{name}"
        for one in (path, f"{folder}/{prefixed}" if folder else prefixed):
            self.files["/targets/" + urllib.parse.quote(one)] = content.encode()

    def delegate(self, role, paths, delegator="targets"):
        """To a new role whose key is called like it."""
        names = [r["name"] for r in self.delegations.get(delegator, {}).get("roles", ())] + [role]
        roles = self.delegations.get(delegator, {}).get("roles", [])
        self.delegations[delegator] = {
            "keys": self.author.keys_json(names),
            "roles": [*roles, {"name": role, **self.author.role_json([role]), "paths": paths,
                               "terminating": False}],
        }
        self.targets[role] = {}

    def root(self, folder):
        """The first root as a file."""
        path = pathlib.Path(folder) / "first-root.json"
        path.write_bytes(self.files["/metadata/1.root.json"])
        return path

    def write(self, folder):
        """All that is served, as files."""
        for name, content in self.files.items():
            path = pathlib.Path(folder) / urllib.parse.unquote(name.lstrip("/"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def stored_version(folder, role):
    """The version of a role in a trust store, 0 for none."""
    path = pathlib.Path(folder) / f"{role}.json"
    return json.loads(path.read_bytes())["signed"]["version"] if path.exists() else 0


def sha256(content):
    return hashlib.sha256(content.encode()).hexdigest()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):  # pylint: disable=invalid-name
        self.server.owner.answer(self)

    def send(self, status, content, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass


class _HttpServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that hangs up is what many tests want."""


class Server:
    """Serves Repo.files on loopback until closed; a context manager.

    @misbehave maps a path to function(handler), which answers in place of the repository. @release
    is set when the server closes: what stalls waits for it.
    """

    def __init__(self, repo, context=None, address="127.0.0.1"):
        self.repo = repo
        self.misbehave = {}
        self.log = []
        self.headers = []
        self.connections = set()
        self.release = threading.Event()
        self._scheme = "https" if context else "http"
        self._http = _HttpServer((address, 0), _Handler)
        self._http.owner = self
        if context:
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True,
                                                    do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._http.serve_forever,
                                        kwargs={"poll_interval": 0.02})

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self.release.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def url(self):
        host, port = self._http.server_address[:2]
        return f"{self._scheme}://{host}:{port}"

    def answer(self, handler):
        self.log.append(handler.path)
        self.headers.append(dict(handler.headers))
        self.connections.add(handler.client_address)
        if handler.path in self.misbehave:
            self.misbehave[handler.path](handler)
            return
        content = self.repo.files.get(handler.path)
        if content is None:
            handler.send(404, b"not here\n")
        else:
            handler.send(200, content)

    def take_log(self):
        """What was asked for since the last time, without the folder's name."""
        log = [path.removeprefix("/metadata/") for path in self.log]
        self.log.clear()
        return log


# ---- ways to misbehave

def status(code, headers=()):
    return lambda handler: handler.send(code, b"no\n", headers)


def redirect(url, code=302):
    return status(code, [("Location", url)])


def content_of(content):
    return lambda handler: handler.send(200, content)


def cut_short(content, missing=10):
    """Announces more than it sends, and hangs up."""
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content) + missing))
        handler.end_headers()
        handler.wfile.write(content)
        handler.close_connection = True
    return answer


def cut_short_chunked(content):
    """Chunks without the last one that says that they are all."""
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
        handler.close_connection = True
    return answer


def endless(sent):
    """Chunks until the client has enough; @sent, a list, gets the number of bytes."""
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        sent.append(0)
        piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
        try:
            while sent[0] < 1 << 30:
                handler.wfile.write(piece)
                sent[0] += 65536
        except OSError:
            pass
        handler.close_connection = True
    return answer


def long_headers(code, line, n_bytes, trailers=False):
    """That much of one header line, before the content or, as a trailer of chunks, behind it."""
    def answer(handler):
        handler.send_response(code)
        if trailers:
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            handler.wfile.write(b"0\r\n")
        handler.close_connection = True
        piece = line * (65536 // len(line))
        try:
            handler.flush_headers()
            for _ in range(n_bytes // len(piece)):
                handler.wfile.write(piece)
            handler.wfile.write(b"\r\n" if trailers else b"Content-Length: 0\r\n\r\n")
        except OSError:
            pass
    return answer


def stall(server, content=None, arrived=None):
    """Says nothing, or half of @content, and then nothing for as long as the server lives."""
    def answer(handler):
        if content is not None:
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content[:len(content) // 2])
            handler.wfile.flush()
        if arrived is not None:
            arrived.set()
        server.release.wait()
        handler.close_connection = True
    return answer


def tls_context(certificate, key, client_ca=None):
    """A server's; with @client_ca it wants a certificate from its clients."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    return context
