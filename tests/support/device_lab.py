"""Devices, releases and bundles for tests of satchel-installer: real sysroots, real repositories.

    lab = Lab(tmp)                    # a factory: releases board-lmp-1, -2, -3
    device = lab.device()             # runs board-lmp-1, trusts the factory's root
    bundle = lab.bundle([2])
    device.run("check", "--src-dir", bundle)

Everything lives on a file system in memory where there is one: libostree freezes the file system
of a sysroot, and nobody else should have to wait for that.
"""
import base64
import datetime
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

import tap
from kept import kept

HARDWARE = "board"
NAME = "board-lmp"
OS = "lmp"
TAG = "devel"
FAR_DAYS = 20000
# A device owns its files as the caller does: only root can give files away.
OWNER = (f"--owner-uid={os.getuid()}", f"--owner-gid={os.getgid()}")
MEMORY = pathlib.Path("/dev/shm")
if os.access(MEMORY, os.W_OK):
    tempfile.tempdir = str(MEMORY)  # also for the folders that tap gives to tests


def sh(*argv, **kwargs):
    """Runs a tool that must work; gives its output."""
    words = [os.fspath(word) for word in argv]
    env = dict(os.environ, OSTREE_SYSROOT_DEBUG="mutable-deployments")
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          encoding="utf-8", errors="backslashreplace", env=env, **kwargs)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}"
    return done.stdout.strip()


def canonical(value):
    """Both dialects' form of printable ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def utc(days=FAR_DAYS):
    """A time as metadata writes it, that many days from now."""
    when = datetime.datetime.utcnow() + datetime.timedelta(days=days)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def load_key(path):
    return serialization.load_pem_private_key(pathlib.Path(path).read_bytes(), None)


def tree_digest(folder, without=()):
    """Everything that is below a folder, by name, kind, owner, mode and content."""
    found = {}
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(folders + files):
            path = pathlib.Path(place) / name
            key = str(path.relative_to(folder))
            if any(key == skip or key.startswith(skip + "/") for skip in without):
                continue
            info = path.lstat()
            content = ""
            if path.is_symlink():
                content = os.readlink(path)
            elif path.is_file():
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            found[key] = (info.st_mode, info.st_uid, info.st_gid, content)
    return found


class Lab:
    """A factory with releases; its folder is shared by the devices and bundles it makes."""

    def __init__(self, folder, releases=(1, 2, 3), dialect="uptane", init=()):
        """@init: further options for its TUF repository."""
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.repo = self.folder / "repo"
        self.tuf = self.folder / "tuf"
        self.commits = {}
        self.names = {}
        self.dialect = dialect
        self.count = 0
        releases = tuple(releases)
        key = (type(self), releases, dialect, tuple(map(str, init)))
        commits, names, self.count = kept.take_own(key, [self.repo, self.tuf],
                                                   lambda: self._make(releases, init))
        self.commits.update(commits)
        self.names.update(names)

    def _make(self, releases, init):
        sh("ostree", "init", "--repo", self.repo, "--mode=archive")
        expires = [f"--expires={role}={FAR_DAYS}"
                   for role in ("root", "targets", "snapshot", "timestamp")]
        sh(tap.program("satchel-bundler"), "repo", "init", "--dialect", self.dialect, *expires,
           *init, self.tuf)
        for version in releases:
            self.release(version)
        return dict(self.commits), dict(self.names), self.count

    def new_folder(self, stem):
        self.count += 1
        return self.folder / f"{stem}-{self.count}"

    def tree(self, version, change=None):
        """A small root file system that libostree can deploy."""
        top = self.new_folder("tree")
        modules = top / "usr/lib/modules/6.1.0"
        modules.mkdir(parents=True)
        (modules / "vmlinuz").write_bytes(b"kernel\n" * 100)
        (modules / "initramfs.img").write_bytes(b"initramfs\n" * 100)
        (top / "usr/etc").mkdir()
        (top / "usr/etc/hostname").write_text("board\n")
        (top / "usr/lib/os-release").write_text(f'NAME=Board\nID=board\nVERSION_ID={version}\n')
        (top / "usr/bin").mkdir()
        (top / "usr/bin/hello").write_text(f"#!/bin/sh\necho release {version}\n")
        (top / "usr/bin/hello").chmod(0o755)
        (top / "usr/bin/suid").write_text("suid\n")
        (top / "usr/bin/suid").chmod(0o4755)
        (top / "usr/bin/link").symlink_to("hello")
        (top / "usr/share").mkdir()
        for n in range(20):
            (top / f"usr/share/{n}").write_text(f"{n} in {version if n % 2 else 'all'}\n" * 50)
        (top / "usr/share/empty").touch()
        if change:
            change(top)
        return top

    def commit(self, version, change=None, time="2020-01-01 00:00:00 +0000"):
        top = self.tree(version, change)
        commit = sh("ostree", "commit", "--repo", self.repo, "--branch", f"{NAME}-{version}",
                    "--timestamp", time, *OWNER, "--no-xattrs", top)
        shutil.rmtree(top)
        return commit

    def release(self, version, commit=None, tag=TAG, hardware=HARDWARE, name=NAME, apps=(),
                lowest=None, custom=None):
        """Makes a release known; its commit is made unless it is given. @lowest: the downgrade
        floor that it names. @custom: further members."""
        self.commits[version] = commit or self.commit(version)
        self.names[version] = f"{name}-{version}"
        words = [f"--app={app}" for app in apps]
        if lowest:
            words.append(f"--lowest-version={lowest}")
        if custom:
            file = self.new_folder("custom")
            file.write_text(json.dumps(custom))
            words.append(f"--custom={file}")
        sh(tap.program("satchel-bundler"), "repo", "add", "--name", name, "--version",
           str(version), "--hardware-id", hardware, "--tag", tag, "--commit",
           self.commits[version], *words, self.tuf)
        sh(tap.program("satchel-bundler"), "repo", "publish", self.tuf)

    def edit_targets(self, change):
        """Publishes targets that satchel-bundler would not write: @change gets them by name."""
        file = self.tuf / "metadata/targets.json"
        signed = json.loads(file.read_text())["signed"]
        change(signed["targets"])
        signed["version"] += 1
        signature = self.signature(self.keyid("targets"),
                                   self.key("targets").sign(canonical(signed)))
        file.write_bytes(canonical({"signatures": [signature], "signed": signed}))
        sh(tap.program("satchel-bundler"), "repo", "publish", self.tuf)

    def withdraw(self, version):
        """Takes a release out of the targets role."""
        self.edit_targets(lambda targets: targets.pop(self.names[version]))

    def key_file(self, role):
        return next((self.tuf / "keys").glob(f"{role}-*.pem"))

    def key(self, role):
        return load_key(self.key_file(role))

    def keyid(self, role):
        return self.key_file(role).stem.split("-", 1)[1]

    def bundle(self, versions, *words, packed=False, tag=TAG, kind="ci", days=FAR_DAYS - 10, epoch=None):
        """What satchel-bundler makes of these releases, with @words as further options. @epoch:
        when, in seconds since 1970. @packed: one file instead of a folder."""
        folder = self.new_folder("bundle")
        if packed:
            folder = folder.with_suffix(".satchel")
            words += ("--format", "packed")
        targets = [f"--target={self.names[version]}" for version in versions]
        env = {"SOURCE_DATE_EPOCH": epoch} if epoch else {}
        tap.run(["satchel-bundler", "build", "--tuf", self.tuf, "--ostree", self.repo, *targets,
                 "--tag", tag, "--type", kind, "--expires-in-days", str(days), "--key",
                 self.key_file("targets"), *words, folder], env=env, check=True)
        return folder

    def odd_bundle(self, versions, *, listed=None, tag=TAG, kind="ci", days=FAR_DAYS,
                   signers=None, meta=True):
        """One that satchel-bundler would not make.

        @listed: target names in its metadata, by default those of @versions. @signers: pairs of
        keyid and key, by default the targets key. @meta: False leaves bundle-targets.json out.
        """
        folder = self.new_folder("bundle")
        (folder / "tuf").mkdir(parents=True)
        for file in (self.tuf / "metadata").iterdir():
            shutil.copy(file, folder / "tuf")
        repo = folder / "ostree_repo"
        sh("ostree", "init", "--repo", repo, "--mode=archive")
        for version in versions:
            sh("ostree", "pull-local", "--repo", repo, self.repo, self.commits[version])
        if listed is None:
            listed = [self.names[version] for version in versions]
        if meta:
            claims = self.bundle_claims(listed, tag, kind, days)
            (folder / "tuf/bundle-targets.json").write_bytes(self.signed_claims(claims, signers))
        return folder

    def bundle_claims(self, listed, tag=TAG, kind="ci", days=FAR_DAYS):
        """What bundle-targets.json signs, for targets of these names."""
        targets = json.loads((self.tuf / "metadata/targets.json").read_text())["signed"]
        kind_of_role = "Targets" if self.dialect == "uptane" else "targets"
        signed = {"_type": kind_of_role, "expires": utc(days), "version": targets["version"],
                  "x-fio-offline-bundle": {"type": kind, "tag": tag, "targets": sorted(listed)}}
        if self.dialect == "tuf":
            signed["spec_version"] = "1.0.31"
        return signed

    def signed_claims(self, signed, signers=None):
        """bundle-targets.json with these claims."""
        if signers is None:
            signers = [(self.keyid("targets"), self.key("targets"))]
        signatures = [self.signature(keyid, key.sign(canonical(signed)))
                      for keyid, key in signers]
        return canonical({"signatures": signatures, "signed": signed})

    def signature(self, keyid, raw):
        if self.dialect == "tuf":
            return {"keyid": keyid, "sig": raw.hex()}
        return {"keyid": keyid, "method": "ed25519", "sig": base64.b64encode(raw).decode()}

    @staticmethod
    def stranger():
        return ("f" * 64, ed25519.Ed25519PrivateKey.generate())

    def device(self, version=1, **kwargs):
        return Device(self, version, **kwargs)


class Device:
    """A device whose sysroot does not run ("staged"), with one deployment."""

    def __init__(self, lab, version=1, mode="bare", config="", trusted=True, kind="ci"):
        self.lab = lab
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="satchel-device-"))
        self.env = {}
        self.sysroot = self.folder / "sysroot"
        self.storage = self.folder / "sota"
        self.state_file = self.storage / "satchel/state.json"
        self.config = self.folder / "satchel.toml"
        roots = self.folder / "roots" / kind
        roots.mkdir(parents=True)
        if trusted:
            shutil.copy(lab.tuf / "metadata/1.root.json", roots)
        self.storage.mkdir()
        self.write_config(config)
        kept.take((type(self), lab.commits[version], mode), [self.sysroot],
                  lambda: self._make_sysroot(version, mode))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def write_config(self, extra="", pacman="", kind="ostree"):
        self.config.write_text(f"""\
[provision]
primary_ecu_hardware_id = "{HARDWARE}"
[storage]
path = "{self.storage}"
uptane_metadata_path = "{self.folder}/roots"
[pacman]
type = "{kind}"
sysroot = "{self.sysroot}"
os = "{OS}"
booted = "staged"
tags = "{TAG}"
{pacman}[bootloader]
reboot_sentinel_dir = "{self.folder}/session"
{extra}""")

    def _make_sysroot(self, version, mode):
        self.sysroot.mkdir()
        sh("ostree", "admin", "init-fs", "--modern", self.sysroot)
        repo = self.sysroot / "ostree/repo"
        if mode != "bare":
            shutil.rmtree(repo)
            sh("ostree", "init", "--repo", repo, f"--mode={mode}")
            sh("ostree", "config", "--repo", repo, "set", "sysroot.bootloader", "none")
        sh("ostree", "config", "--repo", repo, "set", "core.min-free-space-percent", "0")
        sh("ostree", "admin", "os-init", f"--sysroot={self.sysroot}", OS)
        commit = self.lab.commits[version]
        sh("ostree", "pull-local", "--repo", repo, self.lab.repo, commit)
        sh("ostree", "admin", "deploy", f"--sysroot={self.sysroot}", f"--os={OS}",
           "--karg=root=LABEL=root", "--karg=quiet", commit)

    @property
    def repo(self):
        return self.sysroot / "ostree/repo"

    def argv(self, *words):
        return ["satchel-installer", words[0], "-c", self.config, *words[1:]]

    def run(self, *words, **kwargs):
        env = {"OSTREE_SYSROOT_DEBUG": "mutable-deployments", **self.env, **kwargs.pop("env", {})}
        return tap.run(self.argv(*words), env=env, **kwargs)

    def expect(self, status, *words, **kwargs):
        """Runs a command that must end with that status; gives its Result."""
        result = self.run(*words, **kwargs)
        assert result.returncode == status, f"not {status}: {result}"
        return result

    def state(self):
        return json.loads(self.state_file.read_text()) if self.state_file.exists() else None

    def deployments(self):
        """Commits of the deployments in boot order."""
        text = sh("ostree", "admin", "status", f"--sysroot={self.sysroot}")
        return [word.split(".")[0] for line in text.splitlines()
                for word in line.split() if "." in word and len(word.split(".")[0]) == 64]

    def has_commit(self, version):
        commit = self.lab.commits[version]
        return (self.repo / f"objects/{commit[:2]}/{commit[2:]}.commit").exists()

    def fsck(self):
        sh("ostree", "fsck", "--repo", self.repo)

    def digest(self):
        """What must not change when a bundle is refused."""
        storage = tree_digest(self.storage, without=("satchel/lock",))
        # The lock is a file that stays, in a folder that the first command makes for it.
        storage.pop("satchel", None)
        return (storage, tree_digest(self.sysroot))

    def boot_old(self):
        """What a boot loader does that goes back: the deployment before becomes the default."""
        sh("ostree", "admin", "undeploy", f"--sysroot={self.sysroot}", "0")
