#!/usr/bin/python3
"""What does not fit into a file of FAT, packed and copied. Not part of `make check`: these are many GB."""
import os
import pathlib
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import bundle_builder  # noqa: E402
from bundle_maker import bundler  # noqa: E402
from tap import main, program, run, test  # noqa: E402


def unlike_fat(folder):
    """Whatever file system that is, satchel-bundler takes it for FAT (statfs says so)."""
    return ["strace", "-f", "--seccomp-bpf", "-qqq", "-o", folder / "trace", "-e", "trace=fstatfs",
            "-e", "inject=fstatfs:poke_exit=@arg2=444d00000000000000100000", program("satchel-bundler")]


@test("onto FAT parts are below 4 GiB, a 5 GB member is packed, and its holes stay holes")
def _(tmp):
    bundle = tmp / "bundle"
    blob = bundle / "apps/blobs/sha256" / ("ab" * 32)
    blob.parent.mkdir(parents=True)
    with open(blob, "wb") as file:
        file.truncate(5_000_000_000)
        file.seek(4_500_000_000)
        file.write(b"mark")
    bundle_builder.write(bundle / "tuf/targets.json", "{}")
    run([*unlike_fat(tmp), "pack", bundle, tmp / "b"], check=True)
    first, second = tmp / "b.000", tmp / "b.001"
    assert first.stat().st_size == (4 << 30) - 4096
    assert first.stat().st_size + second.stat().st_size > 5_000_000_000
    assert (first.stat().st_blocks + second.stat().st_blocks) * 512 < 64 << 20
    with open(second, "rb") as file:
        begin = tarfile_offset(tmp, first) + 4_500_000_000 - first.stat().st_size
        file.seek(begin)
        assert file.read(4) == b"mark"
    result = run([*unlike_fat(tmp), "pack", "--split", "4G", bundle, tmp / "c"])
    assert result.returncode == 1 and "FAT" in result.stderr, result
    assert not [name for name in os.listdir(tmp) if name.startswith(("c", ".c"))], os.listdir(tmp)


def tarfile_offset(tmp, first):
    """Where the content of the blob begins: its headers are in the first part."""
    with tarfile.open(first) as tar:
        for member in tar:
            if member.name.startswith("apps/"):
                return member.offset_data
    raise AssertionError(f"{tmp}: no blob")


@test("onto FAT a packed bundle above 4 GiB gets parts; such a file in a folder is refused")
def _(tmp):
    bundle = tmp / "bundle"
    blob = bundle / "apps/blobs/sha256" / ("ab" * 32)
    bundle_builder.write(blob, "")
    os.truncate(blob, 4_400_000_000)
    bundle_builder.write(bundle / "tuf/targets.json", "{}")
    (tmp / "stick").mkdir()
    bundler("pack", bundle, tmp / "b.satchel", check=True)
    result = run([*unlike_fat(tmp), "copy", tmp / "b.satchel", tmp / "stick"])
    assert result.returncode == 0 and "FAT" in result.stderr, result
    parts = sorted((tmp / "stick").iterdir())
    assert [part.name for part in parts] == ["b.satchel.000", "b.satchel.001"]
    assert parts[0].stat().st_size == (4 << 30) - 4096
    assert sum(part.stat().st_size for part in parts) == (tmp / "b.satchel").stat().st_size
    (tmp / "bundle/manifest.mtree").write_text(
        "#mtree\n" f"./{blob.relative_to(bundle)} type=file size=4400000000 sha256digest={'0' * 64}\n")
    result = run([*unlike_fat(tmp), "copy", bundle, tmp / "stick"])
    assert result.returncode == 60 and "pack" in result.stderr, result


main()
