"""A real registry on a port of its own, and proxies that misbehave in front of it."""
import contextlib
import http.server
import os
import socket
import subprocess
import threading
import urllib.error
import urllib.request

USER, PASSWORD = "user", "p:ss word"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _is_up(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class Registry:
    """docker-registry on loopback, by plain http; @auth: with a password."""

    def __init__(self, folder, auth=False):
        self.folder = folder
        folder.mkdir()
        self.process = None
        self.auth = auth
        for _ in range(5):  # another process may have taken the port in between
            if self._start():
                return
        raise AssertionError((folder / "log").read_text())

    def _start(self):
        self.port = free_port()
        settings = (f"version: 0.1\nlog: {{level: warn}}\nstorage:\n"
                    f"  filesystem: {{rootdirectory: {self.folder}/data}}\n"
                    f"http: {{addr: '127.0.0.1:{self.port}'}}\n")
        if self.auth:
            line = subprocess.run(["htpasswd", "-nbB", "-C", "4", USER, PASSWORD], check=True,
                                  stdout=subprocess.PIPE, encoding="utf-8").stdout
            (self.folder / "htpasswd").write_text(line)
            settings += f"auth:\n  htpasswd: {{realm: r, path: {self.folder}/htpasswd}}\n"
        (self.folder / "config.yml").write_text(settings)
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["docker-registry", "serve", self.folder / "config.yml"], stdout=log, stderr=log,
                env={**os.environ, "OTEL_TRACES_EXPORTER": "none"})
        while not _is_up(self.port):
            if self.process.poll() is not None:
                return False
        return True

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    def push(self, layout, name, tagged):
        """Copies an image of a layout into the registry, by skopeo."""
        words = ["--dest-creds", f"{USER}:{PASSWORD}"] if self.auth else []
        subprocess.run(["skopeo", "copy", "--quiet", "--all", "--insecure-policy",
                        "--dest-tls-verify=false", "--preserve-digests", *words,
                        f"oci:{layout.path}:{name}", f"docker://{self.host}/{tagged}"],
                       check=True, stdout=subprocess.DEVNULL)

    def close(self):
        self.process.terminate()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Proxy:
    """Passes requests on to the registry, but for what @meddle(handler, path, answer) does: it may
    answer by itself and give True. @requests holds what was asked."""

    def __init__(self, registry, meddle):
        self.requests = []
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # pylint: disable=invalid-name
                proxy.requests.append((self.path, dict(self.headers)))
                if meddle(self):
                    return
                request = urllib.request.Request(f"http://{registry.host}{self.path}")
                for name in ("Accept", "Range", "Authorization"):
                    if name in self.headers:
                        request.add_header(name, self.headers[name])
                try:
                    answer = urllib.request.urlopen(request)
                except urllib.error.HTTPError as error:
                    answer = error
                self.reply(answer.status, answer.read(), dict(answer.headers))

            def reply(self, status, body, headers=None, cut=None):
                """@cut: so many bytes are sent of it, and the line is dropped."""
                self.send_response(status)
                for name, value in (headers or {}).items():
                    if name.lower() not in ("content-length", "date", "server", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body if cut is None else body[:cut])
                if cut is not None:
                    self.wfile.flush()
                    self.close_connection = True

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):  # pylint: disable=arguments-differ
                """A client that hangs up is no news here."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def host(self):
        return f"127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
