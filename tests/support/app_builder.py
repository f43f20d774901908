"""Images in OCI's layout and Compose apps, made without a container engine."""
import gzip
import hashlib
import io
import json
import os
import tarfile

PUBLISH_AS = "hub.example.org/factory/"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
REF_NAME = "org.opencontainers.image.ref.name"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def tar_of(files):
    """A tar of {name: bytes}, always the same."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            info.mode = 0o755
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


class Layout:
    """A folder in OCI's layout, to which images are added."""

    def __init__(self, path):
        self.path = path
        (path / "blobs/sha256").mkdir(parents=True)
        (path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        self.manifests = []

    def put(self, data):
        """Writes a blob; its digest."""
        digest = sha256(data)
        (self.path / "blobs/sha256" / digest).write_bytes(data)
        return digest

    def blob(self, digest):
        return self.path / "blobs/sha256" / digest

    def descriptor(self, media_type, data, **more):
        return {"mediaType": media_type, "digest": "sha256:" + self.put(data), "size": len(data),
                **more}

    def image(self, layers, architecture="amd64", compressed=False, config=None):
        """An image's manifest: its descriptor. @layers: of {name: bytes} or of finished tars."""
        tars = [layer if isinstance(layer, bytes) else tar_of(layer) for layer in layers]
        settings = {"architecture": architecture, "os": "linux", "config": config or {},
                    "rootfs": {"type": "layers",
                               "diff_ids": ["sha256:" + sha256(tar) for tar in tars]}}
        stored = [gzip.compress(tar, 1, mtime=0) for tar in tars] if compressed else tars
        kind = LAYER + "+gzip" if compressed else LAYER
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST,
                    "config": self.descriptor(CONFIG, json.dumps(settings).encode()),
                    "layers": [self.descriptor(kind, data) for data in stored]}
        return self.descriptor(MANIFEST, json.dumps(manifest).encode(),
                               platform={"os": "linux", "architecture": architecture})

    def index(self, images):
        """An index of several images: its descriptor."""
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": images}
        return self.descriptor(INDEX, json.dumps(document).encode())

    def name(self, descriptor, name=None):
        """Lists a descriptor in the layout's index, by that name."""
        entry = dict(descriptor)
        if name is not None:
            entry["annotations"] = {REF_NAME: name}
        self.manifests.append(entry)
        (self.path / "index.json").write_text(
            json.dumps({"schemaVersion": 2, "manifests": self.manifests}))
        return descriptor["digest"]


def random_layer(size):
    """A layer of that many bytes that nothing can compress."""
    return tar_of({"random": os.urandom(size)})


def compose(path, **images):
    """A Compose file with a service for each image."""
    services = "".join(f"  {name}:\n    image: {image}\n" for name, image in images.items())
    path.write_text("# of the tests\nservices:\n" + services)
    return path


def blob_path(store, digest):
    return store / "blobs/sha256" / digest.removeprefix("sha256:")
