"""The AOSP endpoints: path, permission and purpose of each operation, and how sure the contract is of it.

Operations marked `optional` rest on a public client or on inference (NOTES, "Endpoints"). A service that lacks one
answers 404 without its error envelope (or with a page), 405, 501 or its code 5138: that is UNSUPPORTED. A 404 with
code 3001 means the entity, except where the path has no entity of its own (templates, tags): there it is UNSUPPORTED
too, because other calls to the same organisation succeed. For a command or a policy, `lacking.py` tells the two apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.provider import Purpose
from mdm_tui.fleet.text import clean
from mdm_tui.providers.http import Call, Http

from .refusals import accepted

__all__ = ["OPERATIONS", "Client", "Operation"]

T = TypeVar("T")

# Wider than the contract's 24 hexadecimal digits, narrow enough that no id can leave its place in the path.
_ID = re.compile(r"^[A-Za-z0-9_-]{1,128}$")
_ORGANIZATION = re.compile(r"^(([a-fA-F0-9]{24})|([a-zA-Z0-9\-]{3,}))$")


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint. path: below `/organizations/{organization}`, with `{}` for each id."""

    method: str
    path: str
    permission: str
    purpose: Purpose
    optional: bool = False
    alone: bool = False
    empty: bool = False


_AOSP = "/mdm/aosp/enterprise"
_DEVICE = f"{_AOSP}/devices/{{}}"
_COMMAND = f"{_DEVICE}/commands/{{}}"

OPERATIONS: dict[str, Operation] = {
    "devices": Operation("GET", f"{_AOSP}/devices", "mdm.aosp.device.list", Purpose.LIST),
    "device": Operation("GET", _DEVICE, "mdm.aosp.device.get", Purpose.DETAIL, optional=True),
    "update_device": Operation("PUT", _DEVICE, "mdm.aosp.device.update", Purpose.EDIT),
    "disenrol": Operation("DELETE", _DEVICE, "mdm.aosp.device.remove", Purpose.COMMANDS),
    "apps": Operation("GET", f"{_DEVICE}/applications", "", Purpose.DETAIL, optional=True),
    "commands": Operation("GET", f"{_DEVICE}/commands", "mdm.aosp.command.list", Purpose.COMMANDS),
    "send": Operation("POST", f"{_DEVICE}/commands", "mdm.aosp.command.create", Purpose.COMMANDS),
    "command": Operation("GET", _COMMAND, "mdm.aosp.command.get", Purpose.COMMANDS, optional=True),
    "push_status": Operation("GET", f"{_COMMAND}/push-status", "mdm.aosp.command.get", Purpose.COMMANDS, optional=True),
    "cancel": Operation("POST", f"{_COMMAND}/cancel", "mdm.aosp.command.cancel", Purpose.COMMANDS, optional=True),
    "policies": Operation("GET", f"{_AOSP}/policies", "mdm.aosp.policy.list", Purpose.OTHER),
    "templates": Operation(
        "GET", f"{_AOSP}/policies/templates", "mdm.aosp.policy.list", Purpose.OTHER, optional=True, alone=True
    ),
    "policy": Operation("GET", f"{_AOSP}/policies/{{}}", "mdm.aosp.policy.get", Purpose.DETAIL, optional=True),
    "create_policy": Operation("POST", f"{_AOSP}/policies", "mdm.aosp.policy.create", Purpose.EDIT),
    "update_policy": Operation("PUT", f"{_AOSP}/policies/{{}}", "mdm.aosp.policy.update", Purpose.EDIT, optional=True),
    "delete_policy": Operation(
        "DELETE", f"{_AOSP}/policies/{{}}", "mdm.aosp.policy.remove", Purpose.EDIT, optional=True, empty=True
    ),
    "users": Operation("GET", "/mdm/users", "mdm.global.mdmUser.list", Purpose.OTHER, optional=True),
    "segments": Operation("GET", "/segments", "base.organization.segment.list", Purpose.OTHER, optional=True),
    "tags": Operation("GET", "/mdm/devices/tags", "", Purpose.OTHER, optional=True, alone=True),
}


class Client:
    """Makes the calls of one organisation."""

    def __init__(self, http: Http, organization: str) -> None:
        if not _ORGANIZATION.fullmatch(organization):
            what = f"The organisation {clean(organization, 80)!r} is neither 24 digits or letters a-f nor a name"
            todo = "Correct the connection's organization: it is the id or slug that the service shows."
            raise FleetError(Kind.CONFIG, what, sent=Sent.NEVER, todo=todo)
        self.http = http
        self._base = f"/organizations/{quote(organization, safe='')}"

    async def ask(
        self,
        name: str,
        read: Callable[[Any], T],
        *ids: str,
        params: Iterable[tuple[str, Any]] = (),
        body: Any = None,
        key: str = "",
        hide: tuple[str, ...] = (),
        tries: int = 3,
    ) -> T:
        """Make the call of an operation and read its answer. Raises `FleetError` only."""
        operation = OPERATIONS[name]
        for id in ids:
            if not _ID.fullmatch(id):
                what = f"{clean(id, 60)!r} is not an identifier of this service"
                raise FleetError(Kind.NOT_FOUND, what, sent=Sent.NEVER)
        call = Call(
            method=operation.method,
            path=self._base + operation.path.format(*ids),
            purpose=operation.purpose,
            params=tuple((key, str(value)) for key, value in params if value not in (None, "")),
            body=body,
            key=key,
            permission=operation.permission,
            optional=operation.optional,
            empty=operation.empty,
            hide=hide,
            tries=tries,
        )
        try:
            return await self.http.ask(call, lambda document: read(accepted(document)))
        except FleetError as error:
            if operation.alone and error.status == 404:
                error.kind = Kind.UNSUPPORTED
            raise
