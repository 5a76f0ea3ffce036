"""Applivery's API for non-GMS Android (AOSP) devices. Importing this loads no network or model library."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from mdm_tui.fleet.commands import COMMANDS
from mdm_tui.fleet.provider import Capability, Provider
from mdm_tui.fleet.report import Report
from mdm_tui.fleet.rollouts import RolloutFormat

from .report import report

__all__ = ["Applivery", "factory"]


class Applivery:
    """The factory: what the service can do, and the way to connect to it."""

    kind = "applivery"
    title = "Applivery (AOSP)"
    capabilities = frozenset(
        {
            Capability.DEVICES,
            Capability.DEVICE_EDIT,
            Capability.DEVICE_APPS,
            Capability.DEVICE_POSTURE,
            Capability.LIST_BATTERY,
            Capability.COMMANDS,
            Capability.COMMAND_CANCEL,
            Capability.POLICIES,
            Capability.POLICY_EDIT,
            Capability.USERS,
            Capability.SEGMENTS,
            Capability.TAGS,
        }
    )
    commands: Sequence[str] = tuple(COMMANDS)
    secrets: Sequence[str] = ("token",)
    rollouts: RolloutFormat | None = None

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

        secrets: `token`, text or a `Secret`. transport: an `httpx.AsyncBaseTransport` instead of the network. clock:
        epoch seconds. Raises `FleetError` when the address, the organisation, the token or ca_file cannot be used.
        """
        from mdm_tui.providers.auth import Bearer
        from mdm_tui.providers.http import Http

        from .provider import AppliveryProvider
        from .refusals import explain

        http = Http(
            settings.url,
            Bearer(secrets["token"]),
            explain=explain,
            timeout=settings.timeout,
            read_only=settings.read_only,
            ca_file=settings.ca_file,
            budget=settings.budget,
            transport=transport,
            clock=clock or time.time,
            sleep=sleep or asyncio.sleep,
        )
        return AppliveryProvider(http, settings.organization, self.capabilities)


factory = Applivery()
