"""Real repositories and bundles for integration tests, by the real programs."""
import os
import pathlib
import re

from kept import kept
from tap import run

# The tests author everything at this time and judge it soon after: no real clock is asked.
NOW_S = 3786912000  # 2090-01-01T00:00:00Z
NOW = "2090-01-01T00:00:00Z"
HARDWARE_ID = "intel-corei7-64"
NAME = "intel-corei7-64-lmp"
TAG = "devel"


def make_tree(folder, *, release=1, n_files=0):
    """A small system with what OSTree must carry: links of both kinds, setuid, empty, xattrs."""
    folder = pathlib.Path(folder)
    (folder / "usr/bin").mkdir(parents=True)
    (folder / "usr/lib/empty-folder").mkdir(parents=True)
    (folder / "usr/bin/tool").write_bytes(b"#!/bin/sh\n" + b"echo tool\n" * 500)
    os.chmod(folder / "usr/bin/tool", 0o4755)
    os.link(folder / "usr/bin/tool", folder / "usr/bin/same-tool")
    os.symlink("tool", folder / "usr/bin/alias")
    (folder / "usr/lib/empty").write_bytes(b"")
    (folder / "usr/lib/release").write_text(f"release {release}\n")
    (folder / "usr/lib/blob").write_bytes(bytes(range(256)) * 1200)
    for i in range(n_files):
        (folder / f"usr/lib/file-{release}-{i}").write_bytes(f"{release} {i}\n".encode() * 300)
    try:
        os.setxattr(folder / "usr/lib/release", "user.satchel", b"\x00value\xff")
    except OSError:
        pass  # this file system has none; the other parts still count
    return folder


def commit(ostree, tree, *, branch="main", mode="archive", time_s=1700000000):
    """Commits @tree into the repository @ostree, which is made where it is not there yet."""
    if not (pathlib.Path(ostree) / "config").exists():
        run(["ostree", f"--repo={ostree}", "init", f"--mode={mode}"], check=True)
    return run(["ostree", f"--repo={ostree}", "commit", "--fsync=false", "-b", branch,
                f"--timestamp=@{time_s}",
                "--canonical-permissions" if mode == "bare-user-only"
                else f"--owner-uid={os.getuid()}",  # only root can give files away
                tree], check=True).stdout.strip()


def bundler(*words, now_s=NOW_S, **more):
    """Runs satchel-bundler with its clock at @now_s."""
    env = dict(more.pop("env", {}), SOURCE_DATE_EPOCH=str(now_s))
    return run(["satchel-bundler", *words], env=env, **more)


def init(repo, *words, **more):
    bundler("repo", "init", repo, *words, check=True, **more)
    return pathlib.Path(repo)


def rsa_repo(repo, dialect="uptane"):
    """As init with RSA keys, which take seconds to make."""
    repo = pathlib.Path(repo)
    kept.take(("rsa", dialect), [repo],
              lambda: init(repo, "--key-type", "rsa", "--dialect", dialect))
    return repo


def add(repo, commit_id, *words, version=1, tag=TAG, **more):
    return bundler("repo", "add", repo, "--name", NAME, "--version", version, "--hardware-id",
                   HARDWARE_ID, "--tag", tag, "--commit", commit_id, *words, **more)


def publish(repo, **more):
    return bundler("repo", "publish", repo, **more)


def keys_of(repo, role="targets"):
    """Private key files of @role, oldest first by root."""
    return sorted((pathlib.Path(repo) / "keys").glob(f"{role}-*.pem"))


def build(output, repo, ostree, *words, targets=(f"{NAME}-1",), tag=TAG, kind="ci", keys=None,
          **more):
    keys = keys_of(repo) if keys is None else keys
    return bundler("build", "--tuf", repo, "--ostree", ostree,
                   *(word for name in targets for word in ("--target", name)), "--tag", tag,
                   "--type", kind, *(word for key in keys for word in ("--key", key)), *words,
                   output, **more)


class World:
    """A repository with one published target, and the OSTree repository of its commit."""

    def __init__(self, folder, *init_words, mode="archive", n_files=0):
        self.folder = pathlib.Path(folder)
        self.ostree = self.folder / "ostree"
        self.tree = self.folder / "tree"
        self.repo = self.folder / "repo"
        self.commit = kept.take_own((type(self), init_words, mode, n_files), [self.ostree, self.tree, self.repo],
                                    lambda: self._make(init_words, mode, n_files))

    def _make(self, init_words, mode, n_files):
        make_tree(self.tree, n_files=n_files)
        commit_id = commit(self.ostree, self.tree, mode=mode)
        init(self.repo, *init_words)
        add(self.repo, commit_id, check=True)
        publish(self.repo, check=True)
        return commit_id

    def add_release(self, version, *, n_files=0):
        """A second tree, committed and published as @version; gives its commit."""
        tree = make_tree(self.folder / f"tree-{version}", release=version, n_files=n_files)
        commit_id = commit(self.ostree, tree)
        add(self.repo, commit_id, version=version, check=True)
        publish(self.repo, check=True)
        return commit_id

    def build(self, output="bundle", *words, **more):
        return build(self.folder / output, self.repo, self.ostree, *words, **more)


def contents(folder):
    """Every file below @folder with its bytes (links with their target): for comparing bundles."""
    folder = pathlib.Path(folder)
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = "-> " + os.readlink(path)
        elif path.is_file():
            found[name] = path.read_bytes()
        else:
            found[name] = None
    return found


def leftovers(folder):
    """Work folders that a build has left beside its output."""
    return [name for name in os.listdir(folder) if re.search(r"\.satchel-(work|old)$", name)]
