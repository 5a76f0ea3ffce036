"""Getting by without endpoints that the contract only infers, by the documented lists.

A 404 on one command or one policy may mean that there is none, or that the service has no such endpoint: the
documented list, which holds whole records, tells which. What is found to be lacking is remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from mdm_tui.fleet.commands import Command
from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.fleet.policies import Policy

from . import read
from .client import Client

__all__ = ["Lacking"]

R = TypeVar("R", Command, Policy)

_PAGE = 100
_MOST_PAGES = 20


class Lacking:
    """What this service turned out to lack, and the way around it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.operations: set[str] = set()

    async def command(self, device_id: str, command_id: str, error: FleetError | None = None) -> Command:
        """The record from the device's list; raises `error`, or NOT_FOUND, when it is not there."""
        one = partial(read.command, device_id=device_id)
        return await self._find("commands", one, command_id, error, device_id, sort="createdAt:desc")

    async def policy(self, policy_id: str, error: FleetError | None = None) -> Policy:
        """The whole policy from the list; raises `error`, or NOT_FOUND, when it is not there."""
        return await self._find("policies", read.policy, policy_id, error, sort="createdAt:asc")

    async def _find(
        self, name: str, one: Callable[[Any], R], id: str, error: FleetError | None, *ids: str, sort: str
    ) -> R:
        for page in range(1, _MOST_PAGES + 1):
            try:
                found = await self._client.ask(
                    name,
                    partial(read.page, one=one, number=page, limit=_PAGE),
                    *ids,
                    params=[("page", page), ("limit", _PAGE), ("sort", sort)],
                )
            except FleetError as failed:
                raise error or failed from None
            for item in found.items:
                if item.id == id:
                    return item
            if not found.has_next:
                break
        raise error or FleetError(Kind.NOT_FOUND, f"The service does not have {id} among the {name}")

    def remember(self, operation: str, error: FleetError) -> FleetError:
        """The refusal as what it really means."""
        self.operations.add(operation)
        words = _WORDS[operation]
        return FleetError(
            Kind.UNSUPPORTED,
            f"{self._client.http.host} has no endpoint to {words}",
            where=error.where,
            status=error.status,
            code=error.code,
            sent=error.sent,
            permission=error.permission,
        )


_WORDS = {
    "command": "read one command",
    "cancel": "cancel a command",
    "policy": "read one policy",
    "update_policy": "change a policy",
    "delete_policy": "delete a policy",
}


def missing(error: FleetError) -> bool:
    """Whether the refusal may mean that the endpoint is not there."""
    return error.kind in (Kind.NOT_FOUND, Kind.UNSUPPORTED) and error.status is not None
