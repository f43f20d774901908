#!/usr/bin/python3
"""satchel-bundler copy of more than fits into a file of FAT. Not part of `make check`: it writes 9 GB."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import bundle_builder  # noqa: E402
from bundle_maker import bundler  # noqa: E402
from tap import main, program, run, test  # noqa: E402

FAT = "inject=fstatfs:poke_exit=@arg2=444d00000000000000100000"


def copied_onto_fat(tmp, bundle, stick):
    return run(["strace", "-f", "-qqq", "-o", tmp / "trace", "-e", "trace=fstatfs", "-e", FAT,
                program("satchel-bundler"), "copy", bundle, stick])


@test("onto FAT a packed bundle above 4 GiB gets parts; such a file in a folder is refused")
def _(tmp):
    bundle = tmp / "bundle"
    blob = bundle / "apps/blobs/sha256" / ("ab" * 32)
    bundle_builder.write(blob, "")
    os.truncate(blob, 4_400_000_000)
    bundle_builder.write(bundle / "tuf/targets.json", "{}")
    (tmp / "stick").mkdir()
    bundler("pack", bundle, tmp / "b.satchel", check=True)
    result = copied_onto_fat(tmp, tmp / "b.satchel", tmp / "stick")
    assert result.returncode == 0 and "FAT" in result.stderr, result
    parts = sorted((tmp / "stick").iterdir())
    assert [part.name for part in parts] == ["b.satchel.000", "b.satchel.001"]
    assert parts[0].stat().st_size == (4 << 30) - 4096
    assert sum(part.stat().st_size for part in parts) == (tmp / "b.satchel").stat().st_size
    (tmp / "bundle/manifest.mtree").write_text(
        "#mtree\n" f"./{blob.relative_to(bundle)} type=file size=4400000000 sha256digest={'0' * 64}\n")
    result = copied_onto_fat(tmp, bundle, tmp / "stick")
    assert result.returncode == 60 and "pack" in result.stderr, result


main()
