"""One call as a handler sees it, and the description of an operation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from starlette.datastructures import QueryParams
from starlette.responses import Response

from ..world import World
from .access import Access


@dataclass(slots=True)
class Call:
    """A checked call: who may make it is already known, the body is parsed JSON, the fields of a form, or None.

    shift: rows by which a list has moved under the reader (the flaky scenario). inferred: whether parameters that
    the contract only infers are read.
    """

    world: World
    access: Access
    token: str
    query: QueryParams
    body: Any
    shift: int = 0
    inferred: bool = True


Handler = Callable[[Call], Response] | Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the contract. documented: False where NOTES.md marks it `inferred`. session: needs a token."""

    method: str
    path: str
    handler: Handler
    documented: bool = True
    body: Literal["", "json", "form"] = ""
    session: bool = True

    @property
    def portal(self) -> bool:
        """Whether its envelope has text codes."""
        return self.path.startswith("/portal/")
