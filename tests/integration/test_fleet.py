#!/usr/bin/python3
"""One bundle for a mixed fleet: shared objects once, and each device reads only its own."""
import pathlib
import re
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from device_lab import HARDWARE, Lab, sh  # noqa: E402
import tap  # noqa: E402
from tap import main, run, skip, test  # noqa: E402

OTHER = "other-board"
LARGE_BYTES = 400_000


class Fleet(Lab):
    """Release 2 is for the one hardware, release 3 for another; they share release 1's files."""

    def __init__(self, folder):
        super().__init__(folder, releases=(1,))
        self.release(2, commit=self.commit(2, self.with_own(2)))
        self.release(3, commit=self.commit(3, self.with_own(3)), hardware=OTHER)

    @staticmethod
    def with_own(version):
        def make(top):
            # Of another content in each hundred bytes, so that deflate leaves it large.
            (top / "usr/lib/own").write_bytes(
                b"".join((version * 7919 + n * 104729).to_bytes(8, "big") * 2
                         for n in range(LARGE_BYTES // 16)))
        return make

    def own(self, version):
        """Name below objects/ of the file that only this release has."""
        checksum = next(word for word in
                        sh("ostree", "ls", "--repo", self.repo, "-C", self.commits[version],
                           "/usr/lib/own").split() if len(word) == 64)
        return f"{checksum[:2]}/{checksum[2:]}.filez"

    def device_of(self, hardware):
        device = self.device()
        device.config.write_text(device.config.read_text().replace(f'"{HARDWARE}"',
                                                                   f'"{hardware}"'))
        return device


def files(bundle):
    return [path for path in (bundle / "ostree_repo/objects").glob("??/*")]


@test("a bundle of two targets holds each object once")
def _(tmp):
    lab = Fleet(tmp)
    alone = [{path.name for path in files(lab.bundle([version]))} for version in (2, 3)]
    both = files(lab.bundle([2, 3]))
    assert {path.name for path in both} == alone[0] | alone[1]
    assert len(both) == len(alone[0] | alone[1])
    assert len(alone[0] & alone[1]) > 5


for thin in (False, True):
    @test(f"each device opens only its own objects of a {'thin' if thin else 'full'} bundle")
    def _(tmp, thin=thin):
        if shutil.which("strace") is None:
            skip("no strace")
        lab = Fleet(tmp)
        bundle = lab.bundle([2, 3], *(["--from", lab.commits[1]] if thin else []))
        for hardware, version, foreign in ((HARDWARE, 2, 3), (OTHER, 3, 2)):
            with lab.device_of(hardware) as device:
                log = tmp / "strace"
                run(["strace", "-f", "-e", "trace=openat,open", "-o", log,
                     tap.program("satchel-installer"), "pull", "-c", device.config, "--src-dir",
                     bundle], env={"OSTREE_SYSROOT_DEBUG": "mutable-deployments"}, check=True)
                opened = set(re.findall(r'"([^"]*\.filez)"', log.read_text()))
                names = {pathlib.Path(path).name for path in opened}
                assert pathlib.Path(lab.own(version)).name in names
                assert pathlib.Path(lab.own(foreign)).name not in names
                assert device.has_commit(version) and not device.has_commit(foreign)
                # Neither what it has nor what is the other's: its own file, and a few small ones.
                lacking = {path.name for path in files(lab.bundle([version], "--from",
                                                                  lab.commits[1]))}
                assert names <= lacking, names - lacking


def bytes_read(device, bundle):
    """Those that the pull asked the kernel for from the bundle's one file."""
    # A log for each thread: in one for all of them a call may stand in two pieces.
    log = device.folder / "strace"
    run(["strace", "-ff", "-y", "-e", "trace=read,pread64,preadv,mmap", "-o", log,
         tap.program("satchel-installer"), "pull", "-c", device.config, "--src-dir", bundle],
        env={"OSTREE_SYSROOT_DEBUG": "mutable-deployments"}, check=True)
    total = 0
    lines = [line for part in device.folder.glob("strace.*")
             for line in part.read_text().splitlines()]
    for line in lines:
        if str(bundle) in line and (found := re.search(r"= (\d+)$", line)):
            assert "mmap" not in line, line
            total += int(found.group(1))
    return total


@test("a device reads of a packed bundle for many what it reads of one for itself")
def _(tmp):
    if shutil.which("strace") is None:
        skip("no strace")
    lab = Fleet(tmp)
    both = lab.bundle([2, 3], packed=True)
    own = (lab.bundle([3]) / "ostree_repo/objects" / lab.own(3)).stat().st_size
    for hardware, version in ((HARDWARE, 2), (OTHER, 3)):
        alone = lab.bundle([version], packed=True)
        with lab.device_of(hardware) as device:
            little = bytes_read(device, alone)
        with lab.device_of(hardware) as device:
            much = bytes_read(device, both)
        # The manifest and the metadata are a little longer.
        assert 0 < little <= much < little + own / 4, (little, much, own)


main()
