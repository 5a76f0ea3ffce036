"""MiDM's operations: method, path, purpose, and how sure the contract is of each path.

Only the first ones of the documented page have stored paths; each can be put elsewhere in the configuration
(`[connections.NAME.paths]`), by the name it has here. A service that lacks one answers 404 without its own envelope,
405 or 501: that is UNSUPPORTED, and the sentence says which name to configure.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.provider import Purpose
from mdm_tui.fleet.text import clean
from mdm_tui.providers.http import Call, Http

from .refusals import MAYBE_SESSION, accepted

__all__ = ["OPERATIONS", "Client", "Operation", "operations", "unknown_name"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. does: what it is for, as in "has no operation to …". confidence: of the path (NOTES §3).

    entity: it is about one thing, which may not be there: HTTP 400 means that, and 404 may (`provider.py` asks again).
    """

    method: str
    path: str
    purpose: Purpose
    does: str
    confidence: Literal["high", "medium", "low"]
    entity: bool = False


_O = "/ota/api"
OPERATIONS: dict[str, Operation] = {
    "auth": Operation("POST", "/portal/V1/auth", Purpose.EDIT, "sign in", "high"),
    "device/group/all": Operation("GET", f"{_O}/device/group/all", Purpose.OTHER, "list groups", "high"),
    "device/group/save": Operation("POST", f"{_O}/device/group/save", Purpose.EDIT, "save a group", "high"),
    "device/group/delete": Operation("POST", f"{_O}/device/group/delete", Purpose.EDIT, "delete a group", "low", True),
    "device/exists": Operation("GET", f"{_O}/device/exists", Purpose.DETAIL, "ask for a serial number", "high"),
    "device/save": Operation("POST", f"{_O}/device/save", Purpose.EDIT, "register devices", "high"),
    "device/find": Operation("GET", f"{_O}/device/find", Purpose.LIST, "list devices", "medium"),
    "device/findBy": Operation("GET", f"{_O}/device/findBy", Purpose.DETAIL, "read one device", "medium", True),
    "device/app/installed": Operation(
        "GET", f"{_O}/device/app/installed", Purpose.DETAIL, "list the apps of a device", "medium", True
    ),
    "device/app/exists": Operation(
        "GET", f"{_O}/device/app/exists", Purpose.DETAIL, "ask for one app of a device", "low", True
    ),
    "app/all": Operation("GET", f"{_O}/app/all", Purpose.OTHER, "list all apps", "low"),
    "app/find": Operation("GET", f"{_O}/app/find", Purpose.OTHER, "find apps", "low"),
    "ota/all": Operation("GET", f"{_O}/ota/all", Purpose.OTHER, "list all system images", "low"),
    "ota/find": Operation("GET", f"{_O}/ota/find", Purpose.OTHER, "find system images", "low"),
    "profile/find": Operation("GET", f"{_O}/profile/find", Purpose.OTHER, "list rollouts", "low"),
    "profile/findBy": Operation("GET", f"{_O}/profile/findBy", Purpose.DETAIL, "read one rollout", "low", True),
    "profile/save": Operation("POST", f"{_O}/profile/save", Purpose.EDIT, "create a rollout", "low"),
    "profile/update": Operation("POST", f"{_O}/profile/update", Purpose.EDIT, "change a rollout", "low", True),
    "license/site/models": Operation("GET", f"{_O}/license/site/models", Purpose.OTHER, "list license models", "low"),
}

# Of a change that code 400 refused; reading finds out whether the session has ended, and signs in again.
_MAYBE = (
    "Look at what is there now: if the change is missing, correct it, or send it again in case the session had ended."
)
_PATH = re.compile(r"(?:(GET|POST|PUT|PATCH|DELETE) )?((?:/[A-Za-z0-9._~-]{1,80}){1,12})")


def unknown_name(what: str, name: str, names: Iterable[str]) -> FleetError:
    """A name in the configuration that this provider does not know. what: the table it stands in."""
    known = sorted(names)
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    todo = f"Allowed in the connection's {what}: {', '.join(known)}."
    return FleetError(
        Kind.CONFIG,
        f"The connection's {what} has an unknown name {clean(name, 60)!r}{hint}",
        sent=Sent.NEVER,
        todo=todo,
    )


def operations(paths: Mapping[str, str]) -> dict[str, Operation]:
    """The operations with the paths of a connection put in. Raises `FleetError` CONFIG.

    A value is a path, or for what changes something a method and a path, as "PUT /ota/api/profile".
    """
    found = dict(OPERATIONS)
    for name, value in paths.items():
        if name not in found:
            raise unknown_name("paths", name, found)
        match = _PATH.fullmatch(value) if isinstance(value, str) else None
        wrong = match is None or any(not part.strip(".") for part in match[2].split("/")[1:])
        # What reads is asked again after a failure and on connections that may only read: it stays GET.
        if match is None or wrong or (match[1] not in (None, "GET") and found[name].method == "GET"):
            raise FleetError(
                Kind.CONFIG,
                f"The connection's path for {name!r} is {clean(value, 80)!r}",
                sent=Sent.NEVER,
                todo='Allowed: a path as in "/ota/api/app/all"; before it a method, where something is changed.',
            )
        found[name] = replace(found[name], path=match[2], method=match[1] or found[name].method)
    return found


class Client:
    """Makes the calls of one site. name: the connection's, for sentences."""

    def __init__(self, http: Http, known: Mapping[str, Operation], name: str) -> None:
        self.http, self._known, self._name = http, known, name

    async def ask(
        self,
        name: str,
        read: Callable[[Any], T],
        *,
        params: Iterable[tuple[str, Any]] = (),
        body: Any = None,
        purpose: Purpose | None = None,
    ) -> T:
        """Make the call of an operation and read its answer. Raises `FleetError` only."""
        operation = self._known[name]
        call = Call(
            method=operation.method,
            path=operation.path,
            purpose=purpose or operation.purpose,
            params=tuple((key, str(value)) for key, value in params if value not in (None, "")),
            body=body,
            optional=True,
        )
        try:
            return await self.http.ask(call, lambda document: read(accepted(document)))
        except FleetError as error:
            raise self._meant(error, name, operation) from None

    def _meant(self, error: FleetError, name: str, operation: Operation) -> FleetError:
        """The refusal, as far as the operation says more of it than its status does."""
        if error.sent is Sent.NEVER:
            return error
        if error.kind is Kind.SIGNED_OUT and error.code == MAYBE_SESSION and error.status is None:
            # Of a read it has outlived a new sign-in: it was no lost session. A change was not made again.
            error.kind = Kind.NOT_FOUND if operation.entity else Kind.INVALID
            error.todo = "" if operation.method == "GET" else _MAYBE
        elif error.kind is Kind.INVALID and error.status == 400 and operation.entity and operation.method == "GET":
            error.kind = Kind.NOT_FOUND
            error.todo = ""
        elif (
            error.kind is Kind.NOT_FOUND and error.status == 404 and operation.method == "GET" and not operation.entity
        ):
            # There is nothing in a list's address that could be missing but the list.
            error.kind = Kind.UNSUPPORTED
        return self.lacks(error, name) if error.kind is Kind.UNSUPPORTED else error

    def lacks(self, error: FleetError, name: str) -> FleetError:
        """The refusal as one that means that the service has no such operation."""
        operation = self._known[name]
        error.kind = Kind.UNSUPPORTED
        error.what = f"The service has no operation to {operation.does} here: {error.what}"
        error.args = (error.what,)
        error.todo = (
            f'If it has one elsewhere, set "{name}" under [connections.{self._name}.paths]; everything else works.'
        )
        return error
