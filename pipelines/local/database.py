"""The state of the local SageMaker: JSON documents, by kind and key, in one SQLite file."""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.local.errors import DiskFull, LocalError, StateError, StateLost

Document = dict[str, Any]

STATE = "state.sqlite"
SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, key TEXT NOT NULL, created REAL NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID
"""
LOCK_TIMEOUT_SECONDS = 30.0
# The codes of SQLite with which a write fails that the disk has no room for.
NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
# Those with which anything fails after somebody has written into the file, or taken the right to do so away.
UNUSABLE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_READONLY)


class AlreadyExists(LocalError):
    """An insert under a key that is taken."""


class Database:
    """A store of documents that threads and processes may share.

    Every single write is a transaction; `transaction` makes one of several. Documents are JSON objects; times in
    them are seconds since the epoch. What cannot be written because the disk is full raises DiskFull. Once the file
    was deleted, moved or replaced, everything raises StateLost: nobody else would ever see what is written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            path, timeout=LOCK_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._depth = 0
        self._identity = identity(path)
        try:
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._migrate(path)
        except (sqlite3.DatabaseError, StateError) as error:
            self._connection.close()
            raise LocalError(f"{path} cannot be used as this machine's state: {error}") from error

    def _migrate(self, path: Path) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            self._connection.close()
            raise LocalError(f"{path} was written by a newer version of this project; use that, or another root folder")
        if not version and self._connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            self._connection.close()
            raise LocalError(f"{path} is the database of another program; choose another root folder")
        if version < SCHEMA_VERSION:
            with self.transaction():
                self._connection.execute(SCHEMA)
                self._connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    def close(self) -> None:
        """Close the file; the database is not usable afterwards."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything inside one atomic write; nested transactions join the outermost."""
        with self._lock:
            if not self._depth:
                self._write("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
                if self._depth == 1:
                    self._write("COMMIT")
            finally:
                self._depth -= 1
                # Where SQLite could not commit, or could not go on, it may have rolled back by itself.
                if not self._depth and self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def insert(self, kind: str, key: str, body: Document) -> None:
        """Add a document.

        Raises:
            AlreadyExists: the key is taken.
        """
        statement = "INSERT INTO documents VALUES (?, ?, ?, ?)"
        with self._lock:
            try:
                self._write(statement, (kind, key, time.time(), json.dumps(body)))
            except sqlite3.IntegrityError as error:
                raise AlreadyExists(f"{kind} {key} already exists") from error

    def put(self, kind: str, key: str, body: Document) -> None:
        """Add a document, or replace the one under its key; the time of creation stays."""
        statement = (
            "INSERT INTO documents VALUES (?, ?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body"
        )
        with self._lock:
            self._write(statement, (kind, key, time.time(), json.dumps(body)))

    def update(self, kind: str, key: str, **changes: Any) -> Document:
        """Change some members of a document and return all of it.

        Raises:
            KeyError: there is no such document.
        """
        with self.transaction():
            body = self.get(kind, key)
            if body is None:
                raise KeyError(f"{kind} {key}")
            body.update(changes)
            self.put(kind, key, body)
            return body

    def get(self, kind: str, key: str) -> Document | None:
        """Return a document, or None."""
        with self._lock:
            rows = self._read("SELECT body FROM documents WHERE kind = ? AND key = ?", (kind, key))
        return json.loads(rows[0][0]) if rows else None

    def newest(self, kind: str, prefix: str, count: int, *, skip: int = 0) -> list[Document]:
        """Return some of the documents of a kind whose keys begin with a prefix, the latest first."""
        # Bodies are read of those alone that are asked for.
        statement = (
            "SELECT body FROM documents WHERE kind = ? AND key IN (SELECT key FROM documents WHERE kind = ? "
            "AND key >= ? AND substr(key, 1, ?) = ? ORDER BY created DESC, key DESC LIMIT ? OFFSET ?) "
            "ORDER BY created DESC, key DESC"
        )
        with self._lock:
            rows = self._read(statement, (kind, kind, prefix, len(prefix), prefix, count, skip))
        return [json.loads(row[0]) for row in rows]

    def list(self, kind: str, prefix: str = "") -> list[Document]:
        """Return the documents of a kind whose keys begin with a prefix, oldest first."""
        statement = (
            "SELECT body FROM documents WHERE kind = ? AND key >= ? AND substr(key, 1, ?) = ? ORDER BY created, key"
        )
        with self._lock:
            rows = self._read(statement, (kind, prefix, len(prefix), prefix))
        return [json.loads(row[0]) for row in rows]

    def delete(self, kind: str, key: str) -> None:
        """Remove a document, if there is one."""
        with self._lock:
            self._write("DELETE FROM documents WHERE kind = ? AND key = ?", (kind, key))

    def delete_all(self, kind: str, prefix: str) -> None:
        """Remove the documents of a kind whose keys begin with a prefix."""
        with self._lock:
            self._write("DELETE FROM documents WHERE kind = ? AND substr(key, 1, ?) = ?", (kind, len(prefix), prefix))

    def _read(self, statement: str, values: tuple[Any, ...]) -> Sequence[tuple[str]]:
        with self._sound():
            return self._connection.execute(statement, values).fetchall()

    def _write(self, statement: str, values: tuple[Any, ...] = ()) -> None:
        with self._sound():
            try:
                self._connection.execute(statement, values)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in NO_ROOM:
                    raise
                raise DiskFull(f"cannot write {self._path}: {error}; free some space on its disk") from error

    @contextmanager
    def _sound(self) -> Iterator[None]:
        """Do something with the file as long as it is the one that was opened, and can be used."""
        if identity(self._path) != self._identity:
            raise StateLost(f"{self._path} was deleted, moved or replaced since it was opened; nothing was changed")
        try:
            yield
        except sqlite3.DatabaseError as error:
            # Errors of Python's own have no code.
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in UNUSABLE:
                raise
            raise StateLost(f"{self._path} cannot be used any more ({error}); nothing was changed") from error


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from every other one; none where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
