"""Who may call: the API key of every call, sign-in by e-mail and password, access tokens and how long they live."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from starlette.requests import Request

from ..budget import Budget
from ..world.clock import SECOND, Clock
from .envelope import Refusal, session_expired

API_KEY_HEADER = "x-api-key"
DEFAULT_LIFE = 3600.0
# More than that many sessions at once end the oldest.
_SESSIONS = 1000


@dataclass(frozen=True, slots=True)
class Account:
    """What a person signs in with, and the key of the program that person uses."""

    api_key: str
    email: str
    password: str


class Access:
    """Sessions in memory: a server that is started again has none, and its callers sign in again.

    token_life: seconds a token is good for.
    """

    def __init__(self, account: Account, clock: Clock, token_life: float, budget: Budget | None) -> None:
        if token_life <= 0:
            raise ValueError(f"the life of a token must be above 0 seconds, not {token_life}")
        self._account = account
        self._clock = clock
        self._life = round(token_life * SECOND)
        self._budget = budget
        self._ends: dict[str, int] = {}

    @property
    def email(self) -> str:
        """The address that signs in."""
        return self._account.email

    def enter(self, request: Request, *, session: bool) -> str:
        """Check the API key and, where the call needs a session, the token; the token or "". Raises Refusal.

        The token may come with or without the prefix `Bearer`: the contract does not say which.
        """
        key = request.headers.get(API_KEY_HEADER, "")
        if not _same(key, self._account.api_key):
            raise Refusal(401, 411, "api key missing" if not key else "api key not valid")
        if not session:
            self._spend(f"key {key}")
            return ""
        token = request.headers.get("authorization", "").strip()
        if token[:7].lower() == "bearer ":
            token = token[7:].strip()
        if not token or token.lower() == "bearer":
            raise Refusal(401, 400, "not signed in", headers={"WWW-Authenticate": "Bearer"})
        ends = self._ends.get(token)
        if ends is None or ends <= self._clock.now():
            raise session_expired()
        self._spend(token)
        return token

    def _spend(self, whose: str) -> None:
        if self._budget is not None:
            self._budget.spend(whose.encode("utf-8", "surrogateescape"))

    def sign_in(self, email: str, password: str) -> str:
        """A new token. Raises Refusal."""
        right = _same(password, self._account.password)
        if not (_same(email.casefold(), self._account.email.casefold()) and right):
            raise Refusal(401, 410, "e-mail or password not valid")
        now = self._clock.now()
        self._ends = {token: ends for token, ends in self._ends.items() if ends > now}
        while len(self._ends) >= _SESSIONS:
            self._ends.pop(next(iter(self._ends)))
        token = secrets.token_urlsafe(32)
        self._ends[token] = now + self._life
        return token

    def sign_out(self, token: str) -> None:
        """Forget a session; one that is not known is no matter."""
        self._ends.pop(token, None)


def _same(given: str, right: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "surrogateescape"), right.encode("utf-8"))
