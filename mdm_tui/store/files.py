"""The three files as files: where they may lie, who may read them, how they are opened, upgraded and refused."""

from __future__ import annotations

import os
import sqlite3
import stat
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from mdm_tui.fleet.errors import FleetError, Kind, Sent

__all__ = ["BROKEN", "MOVE_AWAY", "Damaged", "Source", "migrate", "on_network", "open_kept", "prepare", "trouble"]

# File systems on which the shared memory of WAL does not work between machines.
# fmt: off
_NETWORK = frozenset((
    "nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "gpfs",
    "beegfs", "glusterfs", "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone",
    "davfs", "fuse.davfs2", "ncpfs", "ocfs2", "gfs2",
))
# fmt: on
_BUSY_SECONDS = 10.0
MOVE_AWAY = "Move it away to begin anew and start again."


# What a damaged file may end in: SQLite's errors, and values that are not what was written.
BROKEN = (sqlite3.Error, UnicodeDecodeError, zlib.error)


class Damaged(FleetError):
    """The file is not what SQLite wrote."""


def prepare(path: Path) -> None:
    """Create the folder (0700) and the file (0600) whatever the umask; a file of ours that is laxer is closed up.

    Raises FleetError when the folder cannot be written or the file is a link.
    """
    try:
        missing = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir(mode=0o700, exist_ok=True)
            folder.chmod(0o700)
        # A file that is there is not opened here: closing it would drop the locks SQLite holds on it in this process.
        if not path.is_symlink() and not path.exists():
            try:
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
                path.chmod(0o600)
            except FileExistsError:
                pass
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise FleetError(
                Kind.CONFIG, f"{path} is not a plain file; it was left as it is", sent=Sent.NEVER, todo=MOVE_AWAY
            )
        if stat.S_IMODE(found.st_mode) & 0o077 and found.st_uid == os.geteuid():
            path.chmod(0o600)
    except OSError as error:
        raise FleetError(
            Kind.STORAGE, f"The file {path} cannot be written: {error.strerror or error}", sent=Sent.NEVER
        ) from error


def on_network(folder: Path, mounts: str | None = None) -> bool:
    """Whether the folder lies on a network file system. mounts: the text of `/proc/self/mountinfo`, for tests."""
    if mounts is None:
        try:
            mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False
    here = str(folder.resolve())
    best, kind = "", ""
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        parts = left.split(" ")
        if len(parts) < 5 or not right:
            continue
        point = parts[4].replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
        if (here == point or here.startswith(point.rstrip("/") + "/")) and len(point) >= len(best):
            best, kind = point, right.split(" ", 1)[0]
    return kind in _NETWORK


def trouble(path: Path, error: Exception) -> FleetError:
    """One of `BROKEN` as a sentence. `sent` is NEVER: a store sends nothing, and what failed was rolled back."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    garbled = not isinstance(error, sqlite3.Error) or "Could not decode" in str(error)
    if garbled or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return Damaged(
            Kind.CONFIG,
            f"The file {path} is damaged or not a database ({error}); it was left as it is",
            sent=Sent.NEVER,
            todo=MOVE_AWAY,
        )
    if code == sqlite3.SQLITE_FULL:
        what = f"The disk is full: {path} was not written"
    elif code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH):
        what = f"The file {path} may not be written ({error})"
    elif code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        what = f"Another console has held {path} for {_BUSY_SECONDS:.0f} s; it was not written"
    elif code == sqlite3.SQLITE_IOERR:
        what = f"The disk failed at {path} ({error}); it was not written"
    else:
        what = f"The file {path} cannot be used ({error})"
    return FleetError(Kind.STORAGE, what, sent=Sent.NEVER)


class Source:
    """How to open one file. `generation` grows when the file was replaced: connections of older ones are reopened."""

    def __init__(self, path: Path, *, wal: bool = False, synchronous: str = "FULL") -> None:
        self.path = path
        self.generation = 0
        self._wal = wal
        self._synchronous = synchronous

    def connect(self, *, readonly: bool = False) -> sqlite3.Connection:
        """A connection in autocommit mode; the caller begins its transactions. Raises FleetError."""
        conn: sqlite3.Connection | None = None
        try:
            conn = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode=rw",
                uri=True,
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            if readonly:
                conn.execute("PRAGMA query_only=ON")
            else:
                self._settle_mode(conn)
                conn.execute(f"PRAGMA synchronous={self._synchronous}")
                conn.execute("PRAGMA journal_size_limit=67108864")
            conn.execute("PRAGMA cache_size=-16000")
            conn.execute("PRAGMA temp_store=MEMORY")
        except BROKEN as error:
            if conn is not None:
                conn.close()
            raise trouble(self.path, error) from error
        return conn

    def _settle_mode(self, conn: sqlite3.Connection) -> None:
        wanted = "wal" if self._wal else "delete"
        if conn.execute("PRAGMA journal_mode").fetchone()[0] == wanted:
            return
        try:
            conn.execute(f"PRAGMA journal_mode={wanted}").fetchone()
        except sqlite3.OperationalError:
            # No shared memory here, or another console has the file open in its mode: its mode is as good.
            if conn.execute("PRAGMA journal_mode").fetchone()[0] not in ("wal", "delete", "truncate", "persist"):
                raise


def open_kept(path: Path, kind: str, steps: Sequence[Sequence[str] | Callable], synchronous: str) -> Source:
    """Open, make or upgrade a file that cannot be rebuilt. Raises FleetError(CONFIG) for one to be left as it is.

    A rollback journal, because WAL can lose a committed transaction in many SQLite versions, and fails on NFS.
    """
    prepare(path)
    source = Source(path, synchronous=synchronous)
    # First a look that changes nothing: not even the journal mode of a file that is not ours.
    for readonly in (True, False):
        conn = source.connect(readonly=readonly)
        try:
            if readonly:
                _version(path, conn, kind, len(steps))
            else:
                migrate(path, conn, kind, steps)
        except BROKEN as error:
            raise trouble(path, error) from error
        finally:
            conn.close()
    return source


def migrate(path: Path, conn: sqlite3.Connection, kind: str, steps: Sequence[Sequence[str] | Callable]) -> None:
    """Bring the file to the newest schema, all steps in one transaction.

    steps: version n is reached by `steps[n-1]`, a list of SQL statements or a function of the connection. A file of a
    newer version, or of another kind, is refused and left as it is. Raises FleetError(CONFIG).
    """
    if _version(path, conn, kind, len(steps)) == len(steps):
        return
    conn.execute("BEGIN IMMEDIATE")
    try:
        # Read again under the lock: another console may have upgraded it meanwhile.
        at = _version(path, conn, kind, len(steps))
        for step in steps[at:]:
            if callable(step):
                step(conn)
            else:
                for sql in step:
                    conn.execute(sql)
        conn.execute("CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID")
        conn.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", [("kind", kind), ("version", len(steps))])
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise


def _version(path: Path, conn: sqlite3.Connection, kind: str, newest: int) -> int:
    tables = [row[0] for row in conn.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    if not tables:
        return 0
    found = dict(conn.execute("SELECT key, value FROM meta").fetchall()) if "meta" in tables else {}
    version = found.get("version")
    if found.get("kind") != kind or not isinstance(version, int):
        raise FleetError(
            Kind.CONFIG, f"The file {path} is not a {kind} of mdm-tui; it was left as it is", todo=MOVE_AWAY
        )
    if version > newest:
        raise FleetError(
            Kind.CONFIG,
            f"The file {path} was written by a newer mdm-tui (version {version}, this one knows {newest}); "
            "it was left as it is",
            todo="Start the newer program, or move the file away to begin anew.",
        )
    return version
