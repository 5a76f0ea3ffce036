"""What is asked of a service, and what its refusals mean: the vendor-neutral part, without a network library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from mdm_tui.fleet.errors import FleetError, Kind, Problem, Sent
from mdm_tui.fleet.provider import Purpose
from mdm_tui.fleet.text import clean

from .body import BodyError, decode
from .budget import http_date, retry_after

__all__ = ["AGAIN", "TRIES", "Call", "Said", "advice", "again", "hide_in", "refusal"]

TRIES = 3
# What to do about a refused question: the kind's own advice speaks of a change.
_READS: dict[Kind, str] = {
    Kind.INVALID: "The service does not understand the question: check the connection's address and organisation.",
    Kind.CONFLICT: "The service is busy with a change of its own: look again in a moment.",
    Kind.REFUSED: "Check the connection's organisation and what its credentials may read.",
}
AGAIN = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Call:
    """One request. path: below the base address, quoted. key: sent as `Idempotency-Key`.

    permission: the contract's name. optional: the service may lack it, which is then UNSUPPORTED.
    empty: an answer without a body is fine, `read` gets None. hide: texts that no error may repeat. tries: for reads.
    opens: it opens a session, so it needs none and changes nothing: a connection that may only read makes it too.
    """

    method: str
    path: str
    purpose: Purpose
    params: tuple[tuple[str, str], ...] = ()
    body: Any = field(default=None, repr=False)
    key: str = ""
    permission: str = ""
    optional: bool = False
    empty: bool = False
    hide: tuple[str, ...] = field(default=(), repr=False)
    tries: int = TRIES
    opens: bool = False

    @property
    def where(self) -> str:
        """Method and path, without the query."""
        return f"{self.method} {clean(self.path, 160)}"


@dataclass(frozen=True, slots=True)
class Said:
    """What a refusal says of itself. kind: overrules what the status alone would mean."""

    code: int | str | None = None
    message: str = ""
    kind: Kind | None = None
    problems: tuple[Problem, ...] = ()


def refusal(
    call: Call,
    host: str,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    explain: Callable[[int, Any], Said],
    now: float,
    hide: tuple[str, ...],
) -> FleetError:
    """The error an answer other than 2xx means. headers: names in lower case or case-insensitive."""
    document: Any = None
    page = False
    try:
        document = decode(body) if body.strip() else None
    except BodyError as error:
        page = "web page" in error.what
    said = explain(status, document)
    if 300 <= status < 400:
        target = _hidden(clean(headers.get("location", "nowhere"), 200), hide)
        what = f"{host} answered {status} to {call.where} and pointed to {target}"
        return FleetError(Kind.REDIRECT, what, where=call.where, status=status)
    kind = said.kind or _kind(status)
    if call.optional and (status in (405, 501) or (status == 404 and said.code is None)):
        kind = Kind.UNSUPPORTED
    wait: float | None = None
    if status in AGAIN:
        there = http_date(headers.get("date")) or now
        wait = retry_after(headers.get("retry-after"), now=there, default=2.0 if status == 429 else None)
    words = [str(part) for part in (said.code, clean(said.message, 300)) if part not in (None, "")]
    reason = ", ".join(words) or ("a web page" if page else _phrase(status))
    return FleetError(
        kind,
        f"{host} answered {status} ({_hidden(clean(reason, 340), hide)}) to {call.where}",
        where=call.where,
        status=status,
        code=said.code,
        retry_after=wait,
        sent=Sent.MAYBE if status >= 500 or status < 200 else Sent.ANSWERED,
        permission=call.permission,
        problems=tuple(
            Problem(part.path, _hidden(part.message, hide), _hidden(part.allowed, hide), part.warning)
            for part in said.problems
        ),
        todo=advice(call, kind),
    )


def advice(call: Call, kind: Kind) -> str:
    """What to do about a refusal of this call, "" where the kind's own advice fits."""
    return _READS.get(kind, "") if call.method == "GET" else ""


def again(error: FleetError) -> bool:
    """Whether a read may be tried again: the connection failed, broke or was too slow, or the service was busy."""
    if error.status is not None:
        return error.status in AGAIN
    return error.kind in (Kind.TIMEOUT, Kind.UNREACHABLE, Kind.UNREADABLE)


def hide_in(error: FleetError, hide: tuple[str, ...]) -> None:
    """Take out of an error what it may not repeat; for refusals that came with a success status."""
    error.what = _hidden(error.what, hide)
    error.args = (error.what,)
    if isinstance(error.code, str):
        error.code = _hidden(error.code, hide)


def _hidden(words: str, hide: tuple[str, ...]) -> str:
    for secret in hide:
        if secret:
            words = words.replace(secret, "(secret)").replace(clean(secret), "(secret)")
    return words


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase.lower()
    except ValueError:
        return "no reason given"


_KINDS: dict[int, Kind] = {
    400: Kind.INVALID,
    401: Kind.SIGNED_OUT,
    403: Kind.FORBIDDEN,
    404: Kind.NOT_FOUND,
    405: Kind.UNSUPPORTED,
    409: Kind.CONFLICT,
    410: Kind.NOT_FOUND,
    412: Kind.CONFLICT,
    422: Kind.INVALID,
    429: Kind.RATE_LIMITED,
    501: Kind.UNSUPPORTED,
}


def _kind(status: int) -> Kind:
    if status in _KINDS:
        return _KINDS[status]
    if status >= 500:
        return Kind.SERVER
    return Kind.REFUSED if status >= 400 else Kind.UNREADABLE
