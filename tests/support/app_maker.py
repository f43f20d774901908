"""App stores as composectl writes them, made by hand: also such as no honest tool would make.

    apps = AppMaker(tmp / "apps")
    web = apps.app("web", {"web": Service()})
    lab.release(2, apps=[web.pair])
    apps.put_into(bundle)
"""
import gzip
import hashlib
import io
import json
import pathlib
import platform
import shutil
import tarfile

import tap

HOST = "hub.example.com"
FACTORY = "factory"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
SLEEP = ("sleep", "100000")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def busybox():
    for place in ("/bin/busybox", "/usr/bin/busybox"):
        if pathlib.Path(place).exists():
            return pathlib.Path(place).read_bytes()
    return tap.skip("busybox-static is not installed")


def tar(entries):
    """Of (name, bytes, mode), and of whole TarInfo for what is odd."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
                continue
            name, data, mode = entry
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), mode
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def zipped(data):
    # What is large is random: it takes its time to find that nothing can be saved.
    return gzip.compress(data, compresslevel=1 if len(data) < 16 << 20 else 0, mtime=0)


class Service:
    """One service: an image of its own with a marker layer, and what it runs.

    @more: further members in its part of the Compose file."""

    def __init__(self, command=SLEEP, marker="", layers=(), more=None, image=None, index=False):
        self.command = list(command)
        self.marker = marker
        self.layers = layers
        self.more = more or {}
        self.image = image
        self.index = index


class App:
    """An app in a store. pair: as satchel-bundler wants it."""

    def __init__(self, name, uri, blobs, archive):
        self.name = name
        self.uri = uri
        self.sha256 = uri.rsplit(":", 1)[1]
        self.blobs = blobs  # of its images: "config", "layer", "manifest" to digests
        self.archive = archive
        self.pair = f"{name}={uri}"


class AppMaker:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        (self.folder / "blobs/sha256").mkdir(parents=True)
        self.base = None

    def blob_path(self, digest):
        return self.folder / "blobs/sha256" / digest

    def put(self, data):
        digest = sha256(data)
        self.blob_path(digest).write_bytes(data)
        return {"digest": f"sha256:{digest}", "size": len(data)}

    def image(self, command=SLEEP, marker="", layers=(), architecture=ARCHITECTURE):
        """(descriptor of the manifest, digests by kind). @layers: further ones, as tars."""
        if self.base is None:
            binary = busybox()
            links = []
            for name in ("sh", "sleep", "true", "false"):
                link = tarfile.TarInfo(f"bin/{name}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                links.append(link)
            self.base = tar([("bin/busybox", binary, 0o755), *links])
        plain = [self.base, tar([("etc/marker", marker.encode(), 0o644)]), *layers]
        stored = [dict(self.put(zipped(layer)), mediaType=LAYER_TYPE) for layer in plain]
        config = self.put(json.dumps({
            "architecture": architecture, "os": "linux",
            "config": {"Cmd": command, "Env": ["PATH=/bin"], "Labels": {"marker": marker}},
            "rootfs": {"type": "layers",
                       "diff_ids": [f"sha256:{sha256(layer)}" for layer in plain]},
            "history": [{"created_by": "test"} for _ in plain]}).encode())
        manifest = self.put(json.dumps({
            "schemaVersion": 2, "mediaType": MANIFEST_TYPE,
            "config": dict(config, mediaType=CONFIG_TYPE), "layers": stored}).encode())
        digests = {"config": config["digest"].split(":")[1],
                   "manifest": manifest["digest"].split(":")[1],
                   "layer": stored[-1]["digest"].split(":")[1]}
        return dict(manifest, mediaType=MANIFEST_TYPE), digests

    def index(self, descriptors):
        """@descriptors: of manifests by architecture."""
        return self.put(json.dumps({
            "schemaVersion": 2, "mediaType": INDEX_TYPE,
            "manifests": [dict(value, platform={"os": "linux", "architecture": key})
                          for key, value in descriptors.items()]}).encode())

    def app(self, name, services, files=(), compose=None):
        """@services: Service by name. @files: further entries of the archive. @compose: the text
        instead of the one that is made."""
        parts, digests = {}, {}
        for service, what in services.items():
            image, found = self.image(what.command, what.marker, what.layers)
            if what.index:
                # For another machine, and not in the store.
                other = {"digest": f"sha256:{sha256(b'other')}", "size": 7,
                         "mediaType": MANIFEST_TYPE}
                image = self.index({"s390x": other, ARCHITECTURE: image})
            digests[service] = found
            parts[service] = {"image": f"{HOST}/{FACTORY}/{name}-{service}@{image['digest']}",
                              "network_mode": "none", "stop_signal": "SIGKILL",
                              "labels": {"io.compose-spec.config-hash": "0" * 64}, **what.more}
        if compose is None:
            # JSON is YAML.
            compose = json.dumps({"version": "3.7", "services": parts}, indent=1)
        archive = zipped(tar([("docker-compose.yml", compose.encode(), 0o644), *files]))
        stored = self.put(archive)
        empty = self.put(b"{}")
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": MANIFEST_TYPE,
            "artifactType": "application/vnd.fio+compose-app",
            "annotations": {"compose-app": "v1"},
            "config": dict(empty, mediaType="application/vnd.oci.empty.v1+json"),
            "layers": [dict(stored, mediaType="application/octet-stream")]}).encode()
        digest = self.put(manifest)["digest"]
        uri = f"{HOST}/{FACTORY}/{name}@{digest}"
        folder = self.folder / "apps" / name / digest.split(":")[1]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "uri").write_text(uri)
        (folder / "manifest.json").write_bytes(manifest)
        return App(name, uri, digests, stored["digest"].split(":")[1])

    def put_into(self, bundle):
        """Copies the store into a bundle that is a folder."""
        shutil.copytree(self.folder, pathlib.Path(bundle) / "apps", dirs_exist_ok=True)
        return bundle
