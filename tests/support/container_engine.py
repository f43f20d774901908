"""Container engines of the tests' own: Docker's and Podman's, each on a private socket and store.

    with DockerEngine() as engine:
        device.run("update", env=engine.env)
        engine.get("/containers/json?all=1")

Nothing of the machine's network is touched; services use network_mode "none" or "host". Where no
engine starts (no root, no package) the test is skipped.
"""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import tap

START_LIMIT_S = 60
END_LIMIT_S = 60


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("engine", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class _Engine:
    """What both have in common: an API on a socket, and a process."""

    def __init__(self, folder=None):
        if os.geteuid() != 0:
            tap.skip("a container engine needs root")
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="satchel-engine-"))
        self.socket = self.folder / "s"
        self.env = {"DOCKER_HOST": f"unix://{self.socket}"}
        self.process = None
        self.start()

    def argv(self):
        raise NotImplementedError

    def environment(self):
        return {}

    def start(self, again=False):
        argv = [str(word) for word in self.argv()]
        if not shutil.which(argv[0]):
            tap.skip(f"{argv[0]} is not installed")
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True,
                                            env={**os.environ, **self.environment()})
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.request("GET", "/_ping")[0] == 200:
                    return
            except OSError:
                time.sleep(0.05)
        text = (self.folder / "log").read_text(errors="replace")
        assert not again, text
        self.end()
        tap.skip(f"{argv[0]} does not start here: {text[-300:]}")

    def request(self, method, path, body=None):
        connection = _SocketConnection(str(self.socket), 60)
        try:
            connection.request(method, path, body=body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def get(self, path):
        status, body = self.request("GET", path)
        assert status == 200, (path, status, body)
        return json.loads(body)

    def containers(self):
        """By name: state and the version of the app that it is of."""
        return {entry["Names"][0].strip("/"): (entry["State"], entry["Labels"].get("satchel.app"))
                for entry in self.get("/containers/json?all=1")}

    def running(self):
        """The versions of apps that run, one for each container."""
        return sorted(label for state, label in self.containers().values() if state == "running")

    def images(self):
        return sorted(name for entry in self.get("/images/json")
                      for name in entry.get("RepoTags") or [])

    def clear(self):
        """Nothing that a test has left is there for the next one."""
        for entry in self.get("/containers/json?all=1"):
            self.request("DELETE", f"/containers/{entry['Id']}?force=1&v=1")
        for entry in self.get("/images/json"):
            self.request("DELETE", f"/images/{entry['Id']}?force=1")

    def kill(self):
        """As a power cut does it."""
        self.process.kill()
        self.process.wait(END_LIMIT_S)
        for file in self.folder.glob("exec/containerd/containerd.pid"):
            os.kill(int(file.read_text()), signal.SIGKILL)
            file.unlink()  # nobody may reap it, and its number counts as alive

    def end(self):
        if self.process is not None and self.process.poll() is None:
            try:
                self.clear()
            except (OSError, AssertionError):
                pass
            self.process.terminate()
            try:
                self.process.wait(END_LIMIT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        # What a killed engine has left mounted.
        for line in pathlib.Path("/proc/mounts").read_text().splitlines():
            place = line.split()[1]
            if place.startswith(str(self.folder) + "/"):
                subprocess.run(["umount", "-l", place], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class DockerEngine(_Engine):
    driver = "vfs"  # works on any file system, and copies each layer whole

    def argv(self):
        top = self.folder
        return ["dockerd", "--iptables=false", "--bridge=none", f"--storage-driver={self.driver}",
                "--shutdown-timeout=1", "-H", f"unix://{self.socket}", "--data-root",
                top / "data", "--exec-root", top / "exec", "--pidfile", top / "pid"]


class PodmanEngine(_Engine):
    def argv(self):
        top = self.folder
        return ["podman", "--root", top / "root", "--runroot", top / "run", "--tmpdir",
                top / "tmp", "--storage-driver=vfs", "--cgroup-manager=cgroupfs",
                "--events-backend=file", "system", "service", "--time=0",
                f"unix://{self.socket}"]


    def environment(self):
        # Its own limits are higher than a machine's may be.
        file = self.folder / "containers.conf"
        file.write_text('[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n')
        return {"CONTAINERS_CONF": file}


class EngineCutter:
    """A socket that leads to an engine, which is killed once, when that many bytes have passed in
    one direction of a connection. cut: is set then."""

    def __init__(self, engine, path, after_bytes):
        self.engine = engine
        self.after_bytes = after_bytes
        self.env = {"DOCKER_HOST": f"unix://{path}"}
        self.cut = threading.Event()
        self.lock = threading.Lock()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self.engine.socket))
            except OSError:
                client.close()
                continue
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=pair, daemon=True).start()

    def _copy(self, source, target):
        n_bytes = 0
        try:
            while piece := source.recv(65536):
                n_bytes += len(piece)
                if n_bytes > self.after_bytes:
                    with self.lock:
                        if not self.cut.is_set():
                            self.engine.kill()
                            self.cut.set()
                target.sendall(piece)
        except OSError:
            pass
        for end in (source, target):
            end.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
