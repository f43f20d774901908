#!/usr/bin/python3
"""Apps that are refused, each with its status, and nothing has changed."""
import errno
import pathlib
import sys
import contextlib
import random
import shutil
import subprocess
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from app_lab import AppLab  # noqa: E402
from app_maker import Service, tar  # noqa: E402
from container_engine import DockerEngine  # noqa: E402
from tap import main, test  # noqa: E402


@contextlib.contextmanager
def small_disk(folder, megabytes):
    """A file system of its own, in memory."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False, stderr=subprocess.DEVNULL)


@test("a Compose file that the program refuses changes nothing: 70")
def _(tmp):
    lab = AppLab(tmp)
    first = lab.apps.app("web", {"web": Service()})
    lab.add_release(1, [first])
    lab.add_release(2, [lab.apps.app("web", {"web": Service(more={"network_mode": ["x"]})})])
    with lab.device(ENGINE) as device:
        bundle = lab.bundle_of([1, 2])
        device.expect(0, "update", "1", "--src-dir", bundle)
        device.expect(70, "update", "--src-dir", bundle)
        assert ENGINE.running() == [first.sha256]
        assert device.state()["failing"] == [] and "pending" not in device.state()


def hostile_entries():
    """What is in no honest archive, by a word of the refusal."""
    def odd(name, kind, target=""):
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.mode = kind, target, 0o777
        return info
    yield "no safe name", ("../../escaped", b"x", 0o644)
    yield "no safe name", ("/tmp/satchel-escaped", b"x", 0o644)
    yield "leads out", odd("link", tarfile.SYMTYPE, "/etc/passwd")
    yield "leads out", odd("a/link", tarfile.SYMTYPE, "../../../etc")
    yield "hard link", odd("hard", tarfile.LNKTYPE, "docker-compose.yml")
    yield "no file, folder or symbolic link", odd("device", tarfile.CHRTYPE)
    yield "stands there twice", ("docker-compose.yml", b"services: {}", 0o644)


@test("an archive with anything that leaves its folder, or is no file, is refused: 70")
def _(tmp):
    lab = AppLab(tmp)
    cases = list(hostile_entries())
    lab.add_release(1)
    for number, (_, entry) in enumerate(cases, 2):
        lab.add_release(number, [lab.apps.app("web", {"web": Service()}, files=[entry])])
    with lab.device(ENGINE) as device:
        for number, (word, _) in enumerate(cases, 2):
            result = device.expect(70, "pull", str(number), "--src-dir",
                                   lab.bundle_of(range(1, len(cases) + 2)))
            assert word in result.stderr and "app web" in result.stderr, (word, result)
        assert not (device.folder / "compose-apps/web").exists()
        assert ENGINE.containers() == {}


@test("a blob that was altered on the medium gets no name in the store; one that is lacking is 8")
def _(tmp):
    lab = AppLab(tmp)
    web = lab.apps.app("web", {"web": Service()})
    lab.add_release(1, [web])
    good = lab.bundle_of([1])
    for kind in ("layer", "config", "manifest"):
        bundle = tmp / f"bad-{kind}"
        shutil.copytree(good, bundle)
        blob = bundle / "apps/blobs/sha256" / web.blobs["web"][kind]
        content = bytearray(blob.read_bytes())
        content[len(content) // 2] ^= 1
        blob.write_bytes(content)
        with lab.device(ENGINE) as device:
            device.expect(17, "check", "--src-dir", good)
            result = device.expect(50, "pull", "1", "--src-dir", bundle)
            assert web.blobs["web"][kind] in result.stderr, result
            assert not (device.folder / "reset-apps/blobs/sha256" / blob.name).exists()
            blob.write_bytes(content + b"x")
            device.expect(50, "pull", "1", "--src-dir", bundle)
            blob.unlink()
            device.expect(8, "check", "--src-dir", bundle)
            device.expect(8, "update", "1", "--src-dir", bundle)
            device.expect(50, "install", "1")


@test("an engine that is not there is 80, and nothing has changed; a damaged store is pulled anew")
def _(tmp):
    lab = AppLab(tmp)
    web = lab.apps.app("web", {"web": Service()})
    lab.add_release(1, [web])
    with lab.device(ENGINE) as device:
        bundle = lab.bundle_of([1])
        nowhere = {"DOCKER_HOST": f"unix://{tmp}/nowhere"}
        result = device.expect(80, "update", "--src-dir", bundle, env=nowhere)
        assert "nowhere" in result.stderr, result
        device.expect(80, "install", env=nowhere)
        assert "pending" not in device.state()
        device.expect(1, "install", env={"DOCKER_HOST": "tcp://127.0.0.1:1"})
        # A failing disk: the length is right, the content is not.
        blob = device.folder / "reset-apps/blobs/sha256" / web.blobs["web"]["layer"]
        blob.write_bytes(bytes(len(blob.read_bytes())))
        result = device.expect(50, "install")
        assert blob.name in result.stderr, result
        assert ENGINE.images() == []
        device.expect(0, "update", "--src-dir", bundle)
        assert ENGINE.running() == [web.sha256]


@test("a store without space is told before anything is written: 60; a full engine is 80")
def _(tmp):
    lab = AppLab(tmp)
    large = tar([("large", random.Random(1).randbytes(8 << 20), 0o644)])
    lab.add_release(1, [lab.apps.app("web", {"web": Service(layers=[large])})])
    with lab.device(ENGINE) as device:
        bundle = lab.bundle_of([1])
        with small_disk(device.folder / "reset-apps", 9) as store:
            result = device.expect(60, "pull", "--src-dir", bundle)
            assert "storage_watermark 80" in result.stderr, result
            assert not any(store.glob("blobs/sha256/*"))
        (tmp / "engine").mkdir()
        with small_disk(tmp / "engine/data", 16), DockerEngine(tmp / "engine") as full:
            device.env = full.env
            result = device.expect(80, "update", "--src-dir", bundle)
            assert "no space left" in result.stderr, result
            assert full.images() == []


@test("a disk that is full keeps nothing down that lies on it already")
def _(tmp):
    lab = AppLab(tmp)
    web = lab.apps.app("web", {"web": Service()})
    lab.add_release(1, [web])
    with lab.device(ENGINE) as device, small_disk(device.folder / "compose-apps", 1) as folder:
        device.expect(0, "update", "--src-dir", lab.bundle_of([1]))
        with open(folder / "rest", "wb", buffering=0) as rest:
            try:
                while rest.write(bytes(4096)):
                    pass
            except OSError as problem:
                assert problem.errno == errno.ENOSPC, problem
        for entry in ENGINE.get("/containers/json"):
            ENGINE.request("POST", f"/containers/{entry['Id']}/stop")
        device.expect(40, "run")
        assert ENGINE.running() == [web.sha256]


if __name__ == "__main__":
    with DockerEngine() as ENGINE:
        main()
