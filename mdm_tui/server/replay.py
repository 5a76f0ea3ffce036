"""Memory of answers by Idempotency-Key. The vendors are not known to honour the header; this server does."""

from __future__ import annotations

import hashlib

from .applivery.envelope import ApiError
from .world.clock import DAY, Clock
from .world.database import Database


class Replays:
    """Keys are remembered for a day, each within its scope (token, method and path)."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    def find(self, scope: str, key: str, body: bytes) -> bytes | None:
        """The first answer to this key, or None. Raises ApiError 409 when the body is not the first one."""
        row = self._db.one(
            "SELECT fingerprint, body FROM replay WHERE scope = ? AND key = ? AND at > ?",
            (scope, key, self._clock.now() - DAY),
        )
        if row is None:
            return None
        if row[0] != _fingerprint(body):
            raise ApiError(409, 409, "Idempotency-Key was used with another body")
        return row[1]

    def keep(self, scope: str, key: str, body: bytes, answer: bytes) -> None:
        """Remember an answer. Call in the transaction that did the work."""
        now = self._clock.now()
        self._db.run("DELETE FROM replay WHERE at <= ?", (now - DAY,))
        self._db.run("INSERT INTO replay VALUES (?,?,?,?,?,?)", (scope, key, _fingerprint(body), 200, answer, now))


def _fingerprint(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
