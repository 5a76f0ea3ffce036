"""VisionMax MiDM. Importing this loads no network or model library."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.provider import Capability, Provider
from mdm_tui.fleet.report import Report
from mdm_tui.fleet.rollouts import RolloutFormat
from mdm_tui.fleet.text import clean

from .report import report
from .rollouts import MidmRollouts

__all__ = ["OPTIONS", "Midm", "factory"]

# Name → default, which also says the type.
OPTIONS: dict[str, str | bool] = {"api_key_header": "x-api-key", "bearer": True, "scope_devices": "serial"}
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
# What the transport or the service gives a meaning of its own.
_TAKEN = frozenset(
    (
        *("accept", "accept-encoding", "authorization", "connection", "content-encoding", "content-length"),
        *("content-type", "cookie", "expect", "host", "idempotency-key", "proxy-authorization", "te", "trailer"),
        *("transfer-encoding", "upgrade", "user-agent"),
    )
)


class Midm:
    """The factory: what the service can do, and the way to connect to it."""

    kind = "midm"
    title = "VisionMax MiDM"
    capabilities = frozenset(
        {
            Capability.DEVICES,
            Capability.DEVICE_APPS,
            Capability.DEVICE_HAS_APP,
            Capability.DEVICE_LINK,
            Capability.DEVICE_REGISTER,
            Capability.LICENSES,
            Capability.GROUPS,
            Capability.GROUP_EDIT,
            Capability.GROUP_DELETE,
            Capability.APPS,
            Capability.IMAGES,
            Capability.ROLLOUTS,
            Capability.ROLLOUT_EDIT,
        }
    )
    commands: Sequence[str] = ()
    secrets: Sequence[str] = ("api_key", "password")
    rollouts: RolloutFormat | None = MidmRollouts()

    def report(self, raw: Mapping[str, Any]) -> Report:
        """The report of a raw device in neutral words."""
        return report(raw)

    def connect(
        self,
        settings: Any,
        secrets: Mapping[str, Any],
        *,
        transport: Any = None,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[object]] | None = None,
    ) -> Provider:
        """A provider for a connection (`config.connections.Connection`, or anything with its fields).

        secrets: `api_key` and `password`, text or a `Secret`. transport: an `httpx.AsyncBaseTransport` instead of the
        network. clock: epoch seconds. Nothing is sent yet. Raises `FleetError` when something of it cannot be used.
        """
        from mdm_tui.providers.http import Http

        from .client import Client, operations
        from .provider import MidmProvider
        from .refusals import explain
        from .signin import SignIn

        options = _options(getattr(settings, "options", {}))
        known = operations(getattr(settings, "paths", {}))
        if not settings.email:
            todo = 'Give the e-mail address to sign in with, as in email = "ops@example.com".'
            raise FleetError(Kind.CONFIG, "The connection has no email", sent=Sent.NEVER, todo=todo)
        auth = SignIn(
            settings.email,
            secrets,
            header=str(options["api_key_header"]),
            bearer=bool(options["bearer"]),
            method=known["auth"].method,
            path=known["auth"].path,
        )
        http = Http(
            settings.url,
            auth,
            explain=explain,
            timeout=settings.timeout,
            read_only=settings.read_only,
            ca_file=settings.ca_file,
            budget=settings.budget,
            transport=transport,
            clock=clock or time.time,
            sleep=sleep or asyncio.sleep,
        )
        client = Client(http, known, getattr(settings, "name", "NAME"))
        entries = "id" if options["scope_devices"] == "id" else "serial"
        return MidmProvider(client, settings.organization, self.capabilities, MidmRollouts(entries))


def _options(given: Mapping[str, Any]) -> dict[str, str | bool]:
    """The options with their defaults. Raises `FleetError` CONFIG."""
    from .client import unknown_name

    found = dict(OPTIONS)
    for name, value in given.items():
        if name not in found:
            raise unknown_name("options", name, found)
        if name == "bearer":
            right, allowed = isinstance(value, bool), "true or false"
        elif name == "scope_devices":
            right, allowed = value in ("serial", "id"), '"serial" or "id"'
        else:
            right = isinstance(value, str) and bool(_HEADER.fullmatch(value)) and value.lower() not in _TAKEN
            allowed = "the name of a header that nothing else uses, letters, digits and dashes"
        if not right:
            what = f"The connection's option {name!r} is {clean(value, 60)!r}"
            raise FleetError(Kind.CONFIG, what, sent=Sent.NEVER, todo=f"Allowed: {allowed}.")
        found[name] = value
    return found


factory = Midm()
