"""One call as a handler sees it, and the description of an operation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams

from ..world import World


@dataclass(slots=True)
class Call:
    """A checked call: who may make it is already known, ids fit their pattern, the body is parsed JSON or None.

    shift: rows by which a list has moved under the reader (the flaky scenario).
    """

    world: World
    ids: dict[str, str]
    query: QueryParams
    body: Any
    shift: int = 0


Handler = Callable[[Call], Any] | Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the contract. The handler answers with what goes into `data`, or with a whole response.

    permission: name a token must carry, or None for any valid token. documented: False where NOTES.md marks the
    operation `inferred`. replayable: honours Idempotency-Key. body: whether it takes one.
    """

    method: str
    path: str
    permission: str | None
    handler: Handler
    documented: bool = True
    replayable: bool = False
    body: bool = False
