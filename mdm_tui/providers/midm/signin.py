"""Signing in: an API key that every call shows, and an access token that a call with e-mail and password gives.

Source: NOTES, "Authentication". The header of the API key and the word before the token are configuration. A token
ends without a word of when, and there is no call to renew it: signing in again is the way, once for all calls that
wait, and never again and again with what was refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.provider import Purpose
from mdm_tui.fleet.text import clean
from mdm_tui.providers.auth import Ask, Auth, carried, revealer
from mdm_tui.providers.body import BodyError
from mdm_tui.providers.calls import Call

from .refusals import LOST_SESSION, accepted

__all__ = ["SignIn"]

# Sessions opened in a row without one good answer under any of them: then another one will not help.
_MOST_UNPROVED = 2
_ANOTHER = "Correct the connection's email, password or API key: the same is not tried again by itself."


class SignIn(Auth):
    """See `providers.auth.Auth`. secrets: `api_key` and `password`, text or with `reveal()`. path: of the sign-in."""

    def __init__(
        self,
        email: str,
        secrets: Mapping[str, Any],
        *,
        header: str = "x-api-key",
        bearer: bool = True,
        method: str = "POST",
        path: str = "/portal/V1/auth",
    ) -> None:
        self._email, self._header, self._bearer = email, header, bearer
        self._method, self._path = method, path
        self._key, self._password = revealer(secrets["api_key"]), revealer(secrets["password"])
        self._host = ""
        self._token: _Token | None = None
        self._before: _Token | None = None
        self._session = 0
        self._unproved = 0
        self._refused: FleetError | None = None
        self._flight: asyncio.Task[FleetError | None] | None = None

    def check(self, host: str) -> None:
        """See `Auth.check`."""
        self._host = host
        carried(self._key(), f"The API key for {host}")
        if not self._password():
            raise FleetError(Kind.SIGNED_OUT, f"The password for {host} is not set", sent=Sent.NEVER)

    def headers(self, call: Call) -> Mapping[str, str]:
        """See `Auth.headers`. The sign-in shows the API key alone."""
        found = {self._header: self._key()}
        if not call.opens and self._token is not None:
            found["Authorization"] = f"Bearer {self._token.reveal()}" if self._bearer else self._token.reveal()
        return found

    @property
    def hidden(self) -> tuple[str, ...]:
        """See `Auth.hidden`; the token before this one is in it, since answers to it may still come."""
        tokens = (token.reveal() for token in (self._token, self._before) if token is not None)
        return (*tokens, self._key(), self._password())

    @property
    def session(self) -> int:
        """See `Auth.session`."""
        return self._session

    async def begin(self, ask: Ask) -> None:
        """See `Auth.begin`."""
        if self._token is None:
            await self._open(ask)

    def proves(self, error: FleetError) -> bool:
        """See `Auth.proves`. Code 400 may as well be a change that was not understood, or half done."""
        return error.status == 401 or error.code == LOST_SESSION

    async def renew(self, ask: Ask, session: int, error: FleetError) -> bool:
        """See `Auth.renew`."""
        if error.kind is not Kind.SIGNED_OUT:
            return False
        if session != self._session and self._token is not None:
            return True
        if self._token is not None and self._unproved >= _MOST_UNPROVED:
            return False
        self._before, self._token = self._token or self._before, None
        await self._open(ask)
        return True

    def proved(self, session: int) -> None:
        """See `Auth.proved`."""
        if session == self._session:
            self._unproved = 0

    async def aclose(self) -> None:
        """See `Auth.aclose`."""
        self._token = self._before = None
        if self._flight is not None:
            self._flight.cancel()

    async def _open(self, ask: Ask) -> None:
        """Sign in, or wait for the sign-in that is under way. Raises `FleetError`."""
        if self._refused is not None:
            raise _again(self._refused)
        if self._flight is None:
            # A task of its own: the caller that began it may be cancelled while others wait for it.
            self._flight = asyncio.create_task(self._sign_in(ask), name="sign in")
            self._flight.add_done_callback(self._landed)
        flight = self._flight
        try:
            error = await asyncio.shield(flight)
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if not flight.cancelled() or (me is not None and me.cancelling()):
                raise
            what = f"The connection to {self._host} was closed while it signed in"
            error = FleetError(Kind.UNREACHABLE, what, sent=Sent.NEVER)
        if error is not None:
            raise _again(error)

    def _landed(self, flight: asyncio.Task[FleetError | None]) -> None:
        self._flight = None

    async def _sign_in(self, ask: Ask) -> FleetError | None:
        """The one call. Its failure is given, not raised: everybody who waits gets an error of his own."""
        password = self._password()
        call = Call(
            self._method,
            self._path,
            # The part of the budget that nothing else uses up: without a session not even a command goes out.
            Purpose.EDIT,
            body={"email": self._email, "password": password, "type": "email"},
            hide=(password,),
            opens=True,
        )
        try:
            self._token = await ask(call, _token)
        except FleetError as error:
            return self._failed(error, call)
        self._session += 1
        self._unproved += 1
        return None

    def _failed(self, error: FleetError, call: Call) -> FleetError:
        todo = error.todo
        if error.kind in (Kind.UNSUPPORTED, Kind.NOT_FOUND) and error.status in (404, 405, 501):
            what = f"{self._host} has no sign-in at {call.where} ({error.status})"
            todo = "Check the connection's url; another path is set as \"auth\" in the connection's paths."
            return FleetError(Kind.CONFIG, what, where=call.where, status=error.status, sent=Sent.NEVER, todo=todo)
        no = (Kind.SIGNED_OUT, Kind.FORBIDDEN, Kind.INVALID, Kind.REFUSED, Kind.NOT_FOUND, Kind.CONFLICT)
        if error.kind in no and error.sent is Sent.ANSWERED:
            what = f"The sign-in of {clean(self._email, 120)} was refused: {error.what}"
            self._refused = FleetError(
                Kind.SIGNED_OUT, what, where=call.where, status=error.status, code=error.code, sent=Sent.NEVER,
                todo=_ANOTHER,
            )  # fmt: skip
            return self._refused
        # Whatever became of the sign-in, the call that needed it never left.
        error.sent = Sent.NEVER
        return error


class _Token:
    """An access token that never prints."""

    __slots__ = ("reveal",)

    def __init__(self, value: str) -> None:
        self.reveal = lambda: value


def _token(document: Any) -> _Token:
    """The token of the answer, which may be in or beside `data`: where is not documented. Raises `BodyError`."""
    found = accepted(document)
    node: dict[str, Any] = found if isinstance(found, dict) else {}
    below = node.get("data")
    inside: dict[str, Any] = below if isinstance(below, dict) else {}
    places = (inside.get("access_token"), node.get("token"), inside.get("token"), node.get("access_token"))
    for value in (*places, inside.get("accessToken")):
        if isinstance(value, str) and value:
            if value.isascii() and value.isprintable() and " " not in value:
                return _Token(value)
            raise BodyError(Kind.UNREADABLE, "sent an access token that no header can carry")
    raise BodyError(Kind.UNREADABLE, "sent no access token")


def _again(error: FleetError) -> FleetError:
    """A copy to raise: one exception object must not collect the tracebacks of all who wait."""
    return FleetError(
        error.kind,
        error.what,
        where=error.where,
        status=error.status,
        code=error.code,
        retry_after=error.retry_after,
        sent=Sent.NEVER,
        permission=error.permission,
        problems=error.problems,
        todo=error.todo,
    )
