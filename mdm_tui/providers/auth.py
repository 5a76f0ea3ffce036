"""How a service is told who asks. A provider gives one of these to the transport; no network library is needed here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from mdm_tui.fleet.errors import FleetError, Kind, Sent

from .calls import Call

__all__ = ["Ask", "Auth", "Bearer", "carried", "revealer"]

T = TypeVar("T")

_CARRIED = re.compile(r"[\x21-\x7e]+")

Ask = Callable[..., Any]
"""`Http.ask`, by which an authentication signs in: (call, read) → awaitable."""


class Auth:
    """Who asks: headers for a request, what no error may repeat, and what is done when a session is lost.

    This one needs no session: `begin` and `renew` are for services where one is opened first.
    """

    def check(self, host: str) -> None:
        """Refuse, with a `FleetError`, what no header can carry. host: as shown."""

    def headers(self, call: Call) -> Mapping[str, str]:
        """The headers that go with a request of this call."""
        return {}

    @property
    def hidden(self) -> tuple[str, ...]:
        """Texts that no error may repeat."""
        return ()

    @property
    def session(self) -> int:
        """The number of the session that `headers` speaks of now, by which `renew` knows which one was lost."""
        return 0

    async def begin(self, ask: Ask) -> None:
        """Before a call: have a session. Raises `FleetError`."""

    def proves(self, error: FleetError) -> bool:
        """Whether a refusal proves that the session was lost, so that nothing was done and a change may be made again
        under a new one."""
        return error.status == 401

    async def renew(self, ask: Ask, session: int, error: FleetError) -> bool:
        """After a refusal under a session: True when it was lost and there is a new one, so that the call may be made
        again. False leaves the refusal as it is. Raises `FleetError` when no new one is to be had."""
        return False

    def proved(self, session: int) -> None:
        """The service answered under this session."""

    async def aclose(self) -> None:
        """Forget the session; nothing is sent."""


class Bearer(Auth):
    """A token that does not end. token: text, or anything with `reveal() -> str`."""

    def __init__(self, token: Any) -> None:
        self._reveal = revealer(token)

    def check(self, host: str) -> None:
        """See `Auth.check`."""
        carried(self._reveal(), f"The token for {host}")

    def headers(self, call: Call) -> Mapping[str, str]:
        """See `Auth.headers`."""
        return {"Authorization": f"Bearer {self._reveal()}"}

    @property
    def hidden(self) -> tuple[str, ...]:
        """See `Auth.hidden`."""
        return (self._reveal(),)


def revealer(secret: Any) -> Callable[[], str]:
    """How to get at a secret that is a text or wraps one, without holding the text."""
    return secret.reveal if hasattr(secret, "reveal") else lambda: secret


def carried(value: str, what: str) -> None:
    """Refuse a secret that no header can carry, without repeating it. what: the beginning of the sentence."""
    if not _CARRIED.fullmatch(value or ""):
        why = "has blanks or characters that no header can carry" if value else "is not set"
        raise FleetError(Kind.SIGNED_OUT, f"{what} {why}", sent=Sent.NEVER)
