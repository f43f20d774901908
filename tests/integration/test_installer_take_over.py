#!/usr/bin/python3
"""A device that aktualizr-lite has updated until now: what is taken over, and what is not believed."""
import json
import os
import pathlib
import resource
import shutil
import sqlite3
import subprocess
import sys

import jsonschema

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from aktualizr_sql import Database, NEW_VERSIONS, custom_of  # noqa: E402
from device_lab import Lab, NAME, sh  # noqa: E402
from tap import ROOT, main, program, run, skip, test  # noqa: E402

SCHEMA = json.loads((ROOT / "schemas/installer-state.schema.json").read_text())
HERE = "aktualizr-lite was here before"
STRANGER = "5" * 64


def state_of(device):
    state = device.state()
    jsonschema.Draft202012Validator(SCHEMA).validate(state)
    return state


def names(targets):
    return [target["name"] for target in targets]


def foreign_files(device):
    """All that is aktualizr-lite's, with the moments at which it was written."""
    return {path.name: (path.stat().st_mtime_ns, path.stat().st_ino, path.read_bytes())
            for path in device.storage.glob("sql.db*") if path.is_file()}


def database(device, **kwargs):
    return Database(device.storage / "sql.db", **kwargs)


def deploy(device, version):
    """As aktualizr-lite would."""
    sh("ostree", "pull-local", "--repo", device.repo, device.lab.repo, device.lab.commits[version])
    sh("ostree", "admin", "deploy", f"--sysroot={device.sysroot}", "--os=lmp",
       device.lab.commits[version])


def release(db, lab, version, name=None, apps=(), **flags):
    db.version(name or lab.names[version], lab.commits[version], custom=custom_of(version, apps),
               **flags)


@test("what runs is known by name, version and apps, and is told once")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    uri = "host/factory/app@sha256:" + "a" * 64
    with lab.device() as device:
        db = database(device)
        release(db, lab, 1, current=True, worked=True, apps=[("app", uri)])
        db.close()
        before = foreign_files(device)
        # Who only looks sees it, and writes nothing.
        result = device.expect(0, "status", "--json", "1")
        assert json.loads(result.stdout)["applied_target"]["apps"][0]["uri"] == uri, result
        assert not device.state_file.exists()
        result = device.expect(40, "run")
        assert f"{HERE}; running: {NAME}-1" in result.stderr, result
        state = state_of(device)
        assert state["current"] == {"name": f"{NAME}-1", "version": 1, "commit": lab.commits[1],
                                    "apps": [{"name": "app", "uri": uri}]}
        assert state["events"][0]["reason"] == "taken over from aktualizr-lite"
        assert state["failing"] == [] and "rollback" not in state
        result = device.expect(40, "run")
        assert HERE not in result.stderr, result
        assert foreign_files(device) == before and set(before) == {"sql.db"}


@test("a pending installation is finished by run, and what ran before it is for rollback")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    with lab.device() as device:
        deploy(device, 2)
        db = database(device)
        release(db, lab, 1, current=True, worked=True)
        release(db, lab, 2, pending=True)
        db.need_reboot()
        db.close()
        before = foreign_files(device)
        assert "Pending Target: 2" in device.expect(0, "status").stdout
        result = device.expect(0, "run")
        assert f"waiting for 'run': {NAME}-2" in result.stderr, result
        state = state_of(device)
        assert state["current"]["name"] == f"{NAME}-2"
        assert state["rollback"]["name"] == f"{NAME}-1" and state["failing"] == []
        assert foreign_files(device) == before


@test("a pending installation that the sysroot no longer boots was rolled back: run is 110")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    with lab.device() as device:
        db = database(device)
        release(db, lab, 1, current=True, worked=True)
        release(db, lab, 2, pending=True)
        db.close()
        device.expect(110, "run")
        state = state_of(device)
        assert state["current"]["name"] == f"{NAME}-1"
        assert names(state["failing"]) == [f"{NAME}-2"] and "pending" not in state


@test("what ran before a pending installation is what the sysroot has, whatever is called current")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    with lab.device() as device:
        deploy(device, 2)
        db = database(device)
        db.version(f"{NAME}-7", STRANGER, current=True, worked=True)
        release(db, lab, 2, pending=True)
        db.close()
        device.expect(0, "run")
        state = state_of(device)
        assert state["current"]["name"] == f"{NAME}-2"
        assert state["rollback"]["commit"] == lab.commits[1], state


@test("a target that never ran is failing and not chosen again; one that ran once is not failing")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2, 3))
    bundle = lab.bundle([1, 2, 3])
    with lab.device() as device:
        db = database(device)
        release(db, lab, 2, worked=True)
        release(db, lab, 3)
        release(db, lab, 3)
        release(db, lab, 1, current=True, worked=True)
        release(db, lab, 2)
        db.close()
        device.expect(0, "check", "--src-dir", bundle)
        assert names(state_of(device)["failing"]) == [f"{NAME}-3"]


@test("the rollback is the newest before the current one that ran and is on the device")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2, 3))
    with lab.device(version=2) as device:
        deploy(device, 3)
        db = database(device)
        release(db, lab, 2, worked=True)
        release(db, lab, 1, worked=True)  # newer in the log, but its commit is not here
        db.version(f"{NAME}-9", STRANGER, worked=False)
        release(db, lab, 3, current=True, worked=True)
        db.version(f"{NAME}-8", lab.commits[2], worked=True)  # after the current one
        db.close()
        device.expect(40, "run")
        state = state_of(device)
        assert state["current"]["name"] == f"{NAME}-3"
        assert state["rollback"]["name"] == f"{NAME}-2", state
        assert names(state["failing"]) == [f"{NAME}-9"]


@test("the sysroot says what runs, whatever the database calls current")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    with lab.device() as device:
        db = database(device)
        release(db, lab, 1, worked=True)
        release(db, lab, 2, current=True, worked=True)
        db.close()
        device.expect(40, "run")
        state = state_of(device)
        assert state["current"]["name"] == f"{NAME}-1" and "rollback" not in state
    with lab.device() as device:
        db = database(device)
        db.version(f"{NAME}-2", STRANGER, current=True, worked=True)
        db.close()
        result = device.expect(40, "run")
        assert "running: unknown to it" in result.stderr, result
        assert "current" not in state_of(device)


@test("targets of another ECU are not this device's")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    with lab.device() as device:
        db = database(device)
        db.run("INSERT INTO ecus(serial, hardware_id) VALUES ('second', 'other')")
        release(db, lab, 1, current=True, worked=True)
        db.version("other-9", STRANGER, pending=True, ecu="second")
        db.version("other-8", STRANGER, ecu="second")
        db.close()
        device.expect(40, "run")
        state = state_of(device)
        assert state["current"]["name"] == f"{NAME}-1" and state["failing"] == []


@test("the older form without a history is read as far as it goes")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    with lab.device() as device:
        db = database(device, old=True)
        for version, current in ((1, 1), (2, 0)):
            db.run("INSERT INTO installed_versions(sha256, name, is_current) VALUES (?,?,?)",
                   (lab.commits[version], lab.names[version], current))
        db.close()
        device.expect(40, "run")
        state = state_of(device)
        assert state["current"]["name"] == f"{NAME}-1" and state["current"]["version"] == -1
        assert state["failing"] == []
        # The version is learnt from the metadata.
        device.expect(16, "check", "--src-dir", lab.bundle([1, 2]))
        assert state_of(device)["current"]["version"] == 1


# ---- journals

def crash_copy(device, source, names_of):
    """The files of a database as a power cut leaves them."""
    for name in names_of:
        shutil.copy(source / name, device.storage)


@test("what stands in a write-ahead log only is read, and nothing is written beside it")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    with lab.device() as device:
        db = Database(tmp / "sql.db", wal=True)
        release(db, lab, 2, worked=True)
        db.run("PRAGMA wal_checkpoint(TRUNCATE)")
        release(db, lab, 1, current=True, worked=True)
        crash_copy(device, tmp, ("sql.db", "sql.db-wal"))
        db.close()
        before = foreign_files(device)
        places = tmp / "tmp"
        places.mkdir()
        env = {"TMPDIR": places}
        assert "Active image is: 1" in device.expect(0, "status", env=env).stdout
        device.expect(40, "run", env=env)
        assert state_of(device)["current"]["version"] == 1
        assert foreign_files(device) == before and len(before) == 2
        assert list(places.iterdir()) == []


@test("a database that was in write-ahead mode and closed is read")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        db = database(device, wal=True)
        release(db, lab, 1, current=True, worked=True)
        db.close()
        before = foreign_files(device)
        device.expect(40, "run")
        assert state_of(device)["current"]["version"] == 1
        assert foreign_files(device) == before and set(before) == {"sql.db"}


def half_written(tmp, lab):
    """A database, its journal and a transaction that never ended."""
    db = Database(tmp / "sql.db")
    release(db, lab, 1, current=True, worked=True)
    db.run("BEGIN")
    for n in range(2000):
        db.version(f"x-{n}", STRANGER, worked=True)
    db.run("COMMIT")
    # Pages reach the file before the end only where the cache holds few.
    db.run("PRAGMA cache_size=1")
    db.run("BEGIN")
    db.run("UPDATE installed_versions SET name = 'half-written'")
    return db


@test("a transaction that was cut off is undone in a copy")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        db = half_written(tmp, lab)
        crash_copy(device, tmp, ("sql.db", "sql.db-journal"))
        db.close()
        before = foreign_files(device)
        assert b"half-written" in before["sql.db"][2] and len(before) == 2
        device.expect(40, "run")
        state = state_of(device)
        assert state["current"]["name"] == f"{NAME}-1" and state["failing"] == []
        assert foreign_files(device) == before


@test("a journal that names another file for removal is not played back")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    victim = tmp / "victim"
    victim.write_text("of somebody else")
    with lab.device() as device:
        db = half_written(tmp, lab)
        crash_copy(device, tmp, ("sql.db", "sql.db-journal"))
        db.close()
        name = os.fsencode(victim)
        checksum = sum(byte - 256 if byte > 127 else byte for byte in name) & 0xffffffff
        with open(device.storage / "sql.db-journal", "ab") as journal:
            page = (device.storage / "sql.db").stat().st_size // 4096 + 1000
            journal.write(page.to_bytes(4, "big") + name + len(name).to_bytes(4, "big") +
                          checksum.to_bytes(4, "big") + bytes.fromhex("d9d505f920a163d7"))
        result = device.expect(40, "run")
        assert "journal names a file" in result.stderr, result
        assert victim.exists() and "current" not in state_of(device)


@test("without room for the copy nothing is given up: 60, and the next run takes over")
def _(tmp):
    if run(["unshare", "-m", "true"]).returncode != 0:
        skip("no right to mount")
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        db = Database(tmp / "sql.db", wal=True)
        release(db, lab, 1, current=True, worked=True)
        crash_copy(device, tmp, ("sql.db", "sql.db-wal"))
        db.close()
        script = (f"mount -t tmpfs -o size=8k none /mnt && "
                  f"TMPDIR=/mnt {program('satchel-installer')} run -c {device.config}")
        result = run(["unshare", "-m", "sh", "-c", script])
        assert result.returncode == 60 and "taken over" in result.stderr, result
        assert not device.state_file.exists()
        device.expect(40, "run")
        assert state_of(device)["current"]["name"] == f"{NAME}-1"


# ---- what is no database, or a hostile one

def processor_s():
    """What the programs that were run have taken so far: it depends on nobody else's."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def refused(device, *words):
    """Said once, nothing taken, and the device goes on."""
    result = device.expect(40, "run", timeout_s=1200)
    assert HERE in result.stderr, result
    for word in words:
        assert word in result.stderr, result
    state = state_of(device)
    assert state["failing"] == [] and "current" not in state and "pending" not in state, state
    assert HERE not in device.expect(40, "run").stderr


@test("files that are no database are reported and do not stop the device")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    good = Database(tmp / "good.db")
    release(good, lab, 1, current=True, worked=True)
    good.close()
    whole = (tmp / "good.db").read_bytes()
    no_table = "the database has no table installed_versions"
    for content, word in ((b"no database at all" * 100, "not a database"), (b"", no_table),
                          (whole[:5000], "malformed"), (whole[:100], "malformed"),
                          (whole[:4096] + os.urandom(len(whole) - 4096), "malformed")):
        with lab.device() as device:
            (device.storage / "sql.db").write_bytes(content)
            refused(device, word)
            assert (device.storage / "sql.db").read_bytes() == content
            device.expect(16, "check", "--src-dir", lab.bundle([1, 2]))


@test("what is no regular file is reported and does not hold the device up")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    for make in (lambda path: path.mkdir(), os.mkfifo, lambda path: path.symlink_to("/etc/passwd")):
        with lab.device() as device:
            make(device.storage / "sql.db")
            refused(device, "sql.db")


def other_schema(device, *statements):
    connection = sqlite3.connect(device.storage / "sql.db", isolation_level=None)
    for sql in statements:
        connection.execute(sql)
    connection.close()


@test("tables of another form, views and virtual tables are not read")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    row = f"SELECT 1 AS id, '{lab.commits[1]}' AS sha256, 'board-lmp-1' AS name, 1 AS is_current"
    endless = ("CREATE VIEW installed_versions AS WITH RECURSIVE n(id) AS "
               "(SELECT 1 UNION ALL SELECT id + 1 FROM n) "
               "SELECT id, '' AS sha256, '' AS name, 1 AS is_current FROM n")
    for statements, word in (
            (("CREATE TABLE songs(title TEXT)",), "no table installed_versions"),
            (("CREATE TABLE installed_versions(colour TEXT)",), "no such column"),
            ((f"CREATE VIEW installed_versions AS {row}",), "no table installed_versions"),
            ((endless,), "no table installed_versions"),
            (("CREATE VIRTUAL TABLE installed_versions USING fts4(id, sha256, name, is_current)",),
             "no table installed_versions")):
        with lab.device() as device:
            other_schema(device, *statements)
            refused(device, word)


@test("a column that computes without end is stopped")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        work = "+".join(["length(hex(zeroblob(8000000 + (id & 1))))"] * 8)
        table = "CREATE TABLE installed_versions(id INTEGER PRIMARY KEY, sha256, name"
        other_schema(device, table + ")",
                     "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 100000) "
                     "INSERT INTO installed_versions(sha256, name) SELECT 1, x FROM n",
                     # Behind SQLite's back, which would compute it here.
                     "PRAGMA writable_schema=ON",
                     f"UPDATE sqlite_schema SET sql = '{table}, is_current AS ({work}))'")
        started_s = processor_s()
        refused(device, "interrupted")
        took_s = processor_s() - started_s
        print(f"# {took_s:.1f} s")
        assert took_s < 60


@test("a schema that is longer than any of aktualizr-lite is not read")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        db = database(device)
        release(db, lab, 1, current=True, worked=True)
        db.run(f"CREATE TABLE long(x DEFAULT '{'x' * 9000}')")
        db.close()
        refused(device, "no targets taken")


@test("values of another type, size or alphabet are passed over, and counted")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    loose = [column.split(" ")[0] for column in NEW_VERSIONS]
    loose[0] = NEW_VERSIONS[0]
    commit = lab.commits[1]
    bad = [(STRANGER, b"blob"), (STRANGER, None), (STRANGER, 7), (STRANGER, "n" * 256),
           (STRANGER, "a\0b"), (STRANGER, "a\nb"), (STRANGER, ""), (STRANGER, "../../etc"),
           (STRANGER, "a\x1b[2J"), ("5" * 63, "short"), ("5" * 65, "long"), ("Z" * 64, "no hex"),
           ("A" * 64, "upper"), (b"5" * 64, "blob"), (None, "null"), ("5" * 63 + "\0", "nul")]
    with lab.device() as device:
        db = database(device, versions=loose)
        for sha256, name in bad:
            db.version(name, sha256)
        # Not UTF-8. It counts instead of the one without a commit, which no question finds.
        db.run("INSERT INTO installed_versions(ecu_serial, sha256, name, was_installed) "
               f"VALUES ('', '{STRANGER}', CAST(x'ff6162' AS TEXT), 0)")
        db.version(lab.names[1], commit, current=True, worked=True,
                   custom='{"version": "99999999999999999999", "docker_compose_apps": '
                          '{"../up": {"uri": "x"}, "a/b": {"uri": "x"}, "n": {"uri": 1}, '
                          '"none": 1, "c": {"uri": "x\\ny"}, "ok": {"uri": "h/f/ok"}}}')
        db.close()
        result = device.expect(40, "run")
        assert f"passed over: {len(bad)} rows" in result.stderr, result
        state = state_of(device)
        assert state["current"] == {"name": lab.names[1], "version": -1, "commit": commit,
                                    "apps": [{"name": "ok", "uri": "h/f/ok"}]}
        assert state["failing"] == []


@test("custom metadata that are no JSON, or too much of it, cost the version and no more")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    many = json.dumps({"version": "1", "docker_compose_apps":
                       {f"app-{n}": {"uri": "h/f/a"} for n in range(1000)}})
    for custom, version, n_apps in (("", -1, 0), ("{", -1, 0), ("[" * 100000, -1, 0), ("[]", -1, 0),
                                    ("{" + " " * 2000000 + "}", -1, 0), (many, 1, 256),
                                    ('{"version": -5}', -1, 0), ('{"version": 5}', 5, 0)):
        with lab.device() as device:
            db = database(device)
            db.version(lab.names[1], lab.commits[1], current=True, worked=True, custom=custom)
            db.close()
            device.expect(40, "run")
            current = state_of(device)["current"]
            assert (current["version"], len(current["apps"])) == (version, n_apps), custom[:40]


@test("a log of 100,000 rows is read in good time, and no old row decides")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    with lab.device(version=1) as device:
        deploy(device, 2)
        db = database(device)
        db.run("BEGIN")
        release(db, lab, 1, worked=True)
        release(db, lab, 2, current=True, worked=True)
        db.version("tried-once", STRANGER, worked=True)
        db.connection.executemany(
            "INSERT INTO installed_versions(ecu_serial, sha256, name, hashes) VALUES ('', ?, ?, '')",
            ((f"{n:064x}", "tried-once" if n % 2 else f"failing-{n}") for n in range(100000)))
        db.run("COMMIT")
        db.close()
        started_s = processor_s()
        result = device.expect(40, "run")
        took_s = processor_s() - started_s
        state = state_of(device)
        assert state["current"]["name"] == f"{NAME}-2" and state["rollback"]["name"] == f"{NAME}-1"
        assert len(state["failing"]) == 256 and names(state["failing"])[-1] == "failing-99998"
        assert "tried-once" not in names(state["failing"]) and "252 more" in result.stderr, result
        print(f"# {took_s:.1f} s")
        assert took_s < 20


@test("a file that is too long is not read")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    with lab.device() as device:
        with open(device.storage / "sql.db", "wb") as file:
            file.truncate((256 << 20) + 1)
        refused(device, "too long")


# ---- metadata

def rotate(lab):
    run(["satchel-bundler", "repo", "rotate", "--role", "root", lab.tuf], check=True)


def stored(device, role):
    path = device.storage / f"satchel/tuf/{role}.json"
    return json.loads(path.read_text())["signed"]["version"] if path.exists() else None


@test("roots are followed from the device's own, and other roles forbid older ones")
def _(tmp):
    for dialect in ("uptane", "tuf"):
        lab = Lab(tmp / dialect, releases=(1, 2), dialect=dialect)
        old = lab.bundle([1, 2])
        rotate(lab)
        rotate(lab)
        lab.release(3)
        newest = json.loads((lab.tuf / "metadata/timestamp.json").read_text())["signed"]["version"]
        with lab.device() as device:
            db = database(device)
            release(db, lab, 1, current=True, worked=True)
            db.metadata(lab.tuf / "metadata")
            db.close()
            result = device.expect(40, "run")
            assert f"trusted: root 3, timestamp {newest}" in result.stderr, result
            assert stored(device, "root") == 3 and stored(device, "timestamp") == newest
            assert stored(device, "targets") is not None
            assert (device.storage / "satchel/tuf/roots/2.root.json").exists()
            # The older bundle is judged by what is newer.
            device.expect(16, "check", "--src-dir", old)
            assert stored(device, "timestamp") == newest


@test("a chain that breaks is followed as far as it holds, and a stranger's is not begun")
def _(tmp):
    lab = Lab(tmp / "one", releases=(1,))
    rotate(lab)
    rotate(lab)
    other = Lab(tmp / "other", releases=(1,))
    rotate(other)
    with lab.device() as device:
        db = database(device)
        release(db, lab, 1, current=True, worked=True)
        db.metadata(lab.tuf / "metadata", roots=(1, 2))
        db.run("UPDATE meta SET version = 3 WHERE version = 1 AND meta_type = 0")
        db.close()
        result = device.expect(40, "run")
        assert "trusted: root 2; metadata not taken: " in result.stderr, result
        assert stored(device, "root") == 2 and stored(device, "timestamp") is None
        assert state_of(device)["current"]["name"] == f"{NAME}-1"
    with lab.device() as device:
        db = database(device)
        release(db, lab, 1, current=True, worked=True)
        db.metadata(other.tuf / "metadata")
        db.close()
        result = device.expect(40, "run")
        assert "trusted: root 1; metadata not taken: " in result.stderr, result
        mine = (lab.tuf / "metadata/1.root.json").read_bytes()
        assert (device.storage / "satchel/tuf/root.json").read_bytes() == mine
        device.expect(0, "check", "--src-dir", lab.bundle([1]))


@test("on a device without a root of its own the database's counts only where that is allowed")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    rotate(lab)
    bundle = lab.bundle([1, 2])
    for allowed in (False, True):
        config = "[satchel]\ntrust_on_first_use = true\n" if allowed else ""
        with lab.device(trusted=False, config=config) as device:
            db = database(device)
            release(db, lab, 1, current=True, worked=True)
            db.metadata(lab.tuf / "metadata")
            db.close()
            result = device.expect(40, "run")
            assert ("trusted: root 2" in result.stderr) == allowed, result
            assert ("no metadata taken: " in result.stderr) != allowed, result
            assert stored(device, "root") == (2 if allowed else None)
            device.expect(16 if allowed else 14, "check", "--src-dir", bundle)


@test("roles that are too long or no metadata at all leave the rest in order")
def _(tmp):
    lab = Lab(tmp, releases=(1,))
    for role, junk in ((0, b"x" * 600000), (3, b"x" * 70000), (3, b"{}"), (3, b""), (1, None)):
        with lab.device() as device:
            db = database(device)
            release(db, lab, 1, current=True, worked=True)
            db.metadata(lab.tuf / "metadata")
            if junk is None:
                db.run("DELETE FROM meta WHERE meta_type = ?", (role,))
            elif role == 0:
                db.run("INSERT INTO meta VALUES (?, 0, 0, 2)", (junk,))
            else:
                db.run("UPDATE meta SET meta = ? WHERE meta_type = ?", (junk, role))
            db.close()
            result = device.expect(40, "run")
            assert "metadata not taken: " in result.stderr, result
            assert stored(device, "targets") is None and stored(device, "root") == 1
            assert state_of(device)["current"]["name"] == f"{NAME}-1"


# ---- what an image brings, and the whole way

@test("what an image says that it brought is taken where there is no log")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2))
    entry = {"hashes": {"sha256": lab.commits[1]}, "length": 0, "is_current": True,
             "custom": json.loads(custom_of(1))}
    for document, name in (({lab.names[1]: entry}, lab.names[1]),
                           ({lab.names[2]: {**entry, "hashes": {"sha256": lab.commits[2]}}}, None),
                           ({lab.names[1]: {**entry, "is_current": False}}, None),
                           ({"a\nb": entry}, None), ({lab.names[1]: 7}, None), ([], None)):
        with lab.device() as device:
            (device.storage / "import").mkdir()
            (device.storage / "import/installed_versions").write_text(json.dumps(document))
            result = device.expect(40, "run")
            assert HERE in result.stderr, result
            assert state_of(device).get("current", {}).get("name") == name
            assert (device.storage / "import/installed_versions").exists()
    with lab.device() as device:
        (device.storage / "import").mkdir()
        (device.storage / "import/installed_versions").write_text(
            json.dumps({"of-the-image": entry}))
        database(device).close()
        device.expect(40, "run")
        assert state_of(device)["current"]["name"] == "of-the-image"


@test("a device that was taken over checks, updates, runs, and forgets nothing of its past")
def _(tmp):
    lab = Lab(tmp, releases=(1, 2, 3))
    bundle = lab.bundle([1, 2, 3])
    with lab.device() as device:
        db = database(device)
        release(db, lab, 1, current=True, worked=True)
        release(db, lab, 3)
        db.metadata(lab.tuf / "metadata")
        db.close()
        before = foreign_files(device)
        device.expect(0, "update", "--src-dir", bundle)  # the newest is failing
        device.expect(100, "update", "2", "--src-dir", bundle)
        device.expect(0, "run")
        state = state_of(device)
        assert state["current"]["name"] == f"{NAME}-2" and state["rollback"]["name"] == f"{NAME}-1"
        assert names(state["failing"]) == [f"{NAME}-3"]
        assert foreign_files(device) == before


@test("killed at any write of the take-over, the next command takes over")
def _(tmp):
    if subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False,
                      stderr=subprocess.DEVNULL).returncode != 0:
        skip("no right to trace")
    lab = Lab(tmp, releases=(1, 2))
    rotate(lab)
    calls = ("rename", "renameat", "renameat2", "fsync", "mkdir", "mkdirat")
    with lab.device() as device:
        db = database(device)
        release(db, lab, 1, current=True, worked=True)
        release(db, lab, 2)
        db.metadata(lab.tuf / "metadata")
        db.close()
        killed = 0
        for call in calls:
            for when in range(1, 100):
                shutil.rmtree(device.storage / "satchel", ignore_errors=True)
                result = run(["strace", "-qq", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                              f"inject={call}:signal=SIGKILL:when={when}",
                              program("satchel-installer"), *device.argv("run")[1:]])
                if result.returncode not in (-9, 137):
                    break
                killed += 1
                device.expect(40, "run")
                state = state_of(device)
                assert state["current"]["name"] == f"{NAME}-1", (call, when)
                assert names(state["failing"]) == [f"{NAME}-2"]
                assert stored(device, "root") == 2 and stored(device, "targets") is not None
        print(f"# {killed} kills")
        assert killed > 10


main()
