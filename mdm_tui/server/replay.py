"""Memory of answers by Idempotency-Key. The vendors are not known to honour the header; this server does."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from .applivery.envelope import ApiError
from .world.clock import DAY, Clock
from .world.database import Database


class Replays:
    """Keys are remembered for a day, each within its scope (token, method and path).

    A password is not written: the file holds body and answer without it, the memory of this run the whole of both.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock
        self._whole: dict[tuple[str, str], tuple[str, bytes]] = {}

    def find(self, scope: str, key: str, body: bytes) -> bytes | None:
        """The first answer to this key, or None. Raises ApiError 409 when the body is not the first one."""
        row = self._db.one(
            "SELECT fingerprint, body FROM replay WHERE scope = ? AND key = ? AND at > ?",
            (scope, key, self._clock.now() - DAY),
        )
        if row is None:
            return None
        first, answer = self._whole.get((scope, key), (_fingerprint(body), row[1]))
        if row[0] != _fingerprint(_plain(body)[0]) or first != _fingerprint(body):
            raise ApiError(409, 409, "Idempotency-Key was used with another body")
        return answer

    def keep(self, scope: str, key: str, body: bytes, answer: bytes) -> None:
        """Remember an answer. Call in the transaction that did the work."""
        now = self._clock.now()
        self._db.run("DELETE FROM replay WHERE at <= ?", (now - DAY,))
        plain, secret = _plain(body)
        # Also a key that is used again after its day: what is remembered of it is the last.
        self._whole.pop((scope, key), None)
        if secret:
            self._whole[scope, key] = (_fingerprint(body), answer)
            answer = _without_params(answer)
        self._db.run("INSERT INTO replay VALUES (?,?,?,?,?,?)", (scope, key, _fingerprint(plain), 200, answer, now))


def _plain(body: bytes) -> tuple[bytes, bool]:
    """The body without a new password, and whether there was one."""
    found: Any = json.loads(body)
    params = found.get("params") if isinstance(found, dict) else None
    if not isinstance(params, dict) or not params.get("newPassword"):
        return body, False
    del params["newPassword"]
    return json.dumps(found, sort_keys=True).encode(), True


def _without_params(answer: bytes) -> bytes:
    found: Any = json.loads(answer)
    found["data"].pop("params", None)
    return json.dumps(found).encode()


def _fingerprint(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
