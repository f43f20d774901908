"""What aktualizr-lite leaves on a device: its database, in the forms that there have been.

    db = Database(device.storage / "sql.db")
    db.version("board-lmp-1", commit, current=True, worked=True)
    db.close()
"""
import json
import pathlib
import sqlite3

# Columns that every form has, and what later ones added to them.
OLD_VERSIONS = ("sha256 TEXT PRIMARY KEY", "name TEXT NOT NULL", "hashes TEXT NOT NULL DEFAULT ''",
                "length INTEGER NOT NULL DEFAULT 0",
                "is_current INTEGER NOT NULL CHECK (is_current IN (0,1)) DEFAULT 0")
NEW_VERSIONS = ("id INTEGER PRIMARY KEY", "ecu_serial TEXT NOT NULL", "sha256 TEXT NOT NULL",
                "name TEXT NOT NULL", "hashes TEXT NOT NULL", "length INTEGER NOT NULL DEFAULT 0",
                "correlation_id TEXT NOT NULL DEFAULT ''",
                "is_current INTEGER NOT NULL CHECK (is_current IN (0,1)) DEFAULT 0",
                "is_pending INTEGER NOT NULL CHECK (is_pending IN (0,1)) DEFAULT 0",
                "was_installed INTEGER NOT NULL CHECK (was_installed IN (0,1)) DEFAULT 0",
                "custom_meta TEXT NOT NULL DEFAULT ''")
OTHERS = ("CREATE TABLE version(version INTEGER)",
          "CREATE TABLE ecus(id INTEGER PRIMARY KEY, serial TEXT UNIQUE, "
          "hardware_id TEXT NOT NULL, is_primary INTEGER NOT NULL DEFAULT 0)",
          "CREATE TABLE meta(meta BLOB NOT NULL, repo INTEGER NOT NULL, "
          "meta_type INTEGER NOT NULL, version INTEGER NOT NULL, UNIQUE(repo, meta_type, version))",
          "CREATE TABLE need_reboot(unique_mark INTEGER PRIMARY KEY CHECK (unique_mark = 0), "
          "flag INTEGER NOT NULL DEFAULT 0)",
          "CREATE TABLE device_info(unique_mark INTEGER PRIMARY KEY, device_id TEXT)")
ROLES = {"root": 0, "snapshot": 1, "targets": 2, "timestamp": 3}


def custom_of(version, apps=()):
    """A target's custom metadata, as the database keeps them."""
    return json.dumps({"targetFormat": "OSTREE", "version": str(version), "tags": ["devel"],
                       "hardwareIds": ["board"], "name": "board-lmp",
                       "docker_compose_apps": {name: {"uri": uri} for name, uri in apps}})


class Database:
    """One that is being written; close() leaves it as aktualizr-lite does."""

    def __init__(self, path, wal=False, old=False, versions=None):
        self.path = pathlib.Path(path)
        self.connection = sqlite3.connect(self.path, isolation_level=None)
        if wal:
            self.run("PRAGMA journal_mode=WAL")
            self.run("PRAGMA wal_autocheckpoint=0")
        columns = versions or (OLD_VERSIONS if old else NEW_VERSIONS)
        self.run(f"CREATE TABLE installed_versions({', '.join(columns)})")
        for sql in OTHERS:
            self.run(sql)
        self.run("INSERT INTO version VALUES (25)")
        self.run("INSERT INTO ecus(serial, hardware_id, is_primary) VALUES ('primary', 'board', 1)")

    def run(self, sql, values=()):
        return self.connection.execute(sql, values).fetchall()

    def version(self, name, commit, current=False, pending=False, worked=False, custom="",
                ecu="primary"):
        """A row of the log."""
        self.run("INSERT INTO installed_versions(ecu_serial, sha256, name, hashes, length, "
                 "is_current, is_pending, was_installed, custom_meta) VALUES (?,?,?,?,0,?,?,?,?)",
                 (ecu, commit, name, "", int(current), int(pending), int(worked), custom))

    def metadata(self, folder, roots=None):
        """Every role of a TUF repository; @roots: these versions, by default all."""
        for path in sorted(pathlib.Path(folder).glob("*.json")):
            role = path.name.split(".")[-2]
            document = path.read_bytes()
            version = json.loads(document)["signed"]["version"]
            prefix = path.name.split(".")[0]
            if role not in ROLES or (role == "root") != prefix.isdigit():
                continue
            if role == "root" and roots is not None and version not in roots:
                continue
            self.run("INSERT OR REPLACE INTO meta VALUES (?, 0, ?, ?)",
                     (document, ROLES[role], version))

    def need_reboot(self, flag=1):
        self.run("INSERT OR REPLACE INTO need_reboot VALUES (0, ?)", (flag,))

    def close(self):
        self.connection.close()
