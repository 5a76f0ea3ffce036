"""Applivery's AOSP service as a provider: the field's words over its endpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from mdm_tui.fleet.commands import COMMANDS, Command, Order, PushStatus
from mdm_tui.fleet.devices import App, Device, DeviceChanges, Segment, User
from mdm_tui.fleet.errors import FleetError, Kind, Problem, Sent
from mdm_tui.fleet.policies import Policy
from mdm_tui.fleet.provider import Capability, Meter, Page, Provider, Scope
from mdm_tui.providers.http import Http

from . import limits, read, wire
from .client import Client
from .lacking import Lacking, missing

__all__ = ["AppliveryProvider"]

T = TypeVar("T")

# Sorting a walk by what never changes keeps rows from moving between pages while it runs.
_STEADY, _NEWEST = "createdAt:asc", "updatedAt:desc"


class AppliveryProvider(Provider):
    """See `fleet.provider.Provider` for what each method gives; every one raises `FleetError` and nothing else."""

    kind = "applivery"

    def __init__(self, http: Http, organization: str, capabilities: frozenset[Capability]) -> None:
        self._client = Client(http, organization)
        self._http = http
        self._lacking = Lacking(self._client)
        self.capabilities = capabilities
        self.commands: Sequence[str] = tuple(COMMANDS)

    @property
    def meter(self) -> Meter:
        """Calls of the last hour and the pause in force."""
        return self._http.meter

    @property
    def clock_skew(self) -> float | None:
        """The service's clock minus ours in seconds; None while unknown."""
        return self._http.clock_skew

    @property
    def hides(self) -> tuple[str, ...]:
        """See `Provider.hides`."""
        return self._http.auth.hidden

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    # devices

    async def devices(
        self,
        page: int,
        limit: int,
        *,
        newest_first: bool = False,
        by: str = "",
        scope: Scope | None = None,
        group: str = "",
    ) -> Page[Device]:
        """A page of list rows. Documented; its permission is mdm.aosp.device.list. group: the service has none."""
        params = [("page", page), ("limit", limit), ("sort", _NEWEST if newest_first else _STEADY), *_scoped(scope)]
        return await self._client.ask("devices", lambda node: read.page(node, read.device, page, limit), params=params)

    async def device(self, device_id: str) -> Device:
        """One device in full. The path is known from a public client: UNSUPPORTED where the service lacks it."""
        return await self._client.ask("device", lambda node: read.device(wire.data(node), detail=True), device_id)

    def check_changes(self, changes: DeviceChanges) -> list[Problem]:
        """The limits of the device update."""
        return limits.check_changes(changes)

    async def update_device(self, device_id: str, changes: DeviceChanges) -> Device:
        """PUT what was touched. The answer is the lean row (NOTES, quirk 2)."""
        _refuse("The change", self.check_changes(changes))
        body = limits.device_body(changes)
        try:
            return await self._client.ask(
                "update_device", lambda node: read.device(wire.data(node)), device_id, body=body
            )
        except FleetError as error:
            error.problems = limits.neutral(error.problems)
            raise

    async def device_apps(self, device_id: str) -> list[App]:
        """The reported applications, in whichever wrapper they come; removed ones are in it, by their state."""
        return await self._client.ask(
            "apps", lambda node: [read.app(item) for item in wire.listing(node).items], device_id
        )

    # commands

    async def device_commands(self, device_id: str, page: int = 1, limit: int = 50) -> Page[Command]:
        """The device's commands, newest first."""
        one = partial(read.command, device_id=device_id)
        return await self._client.ask(
            "commands",
            lambda node: read.page(node, one, page, limit),
            device_id,
            params=[("page", page), ("limit", limit), ("sort", "createdAt:desc")],
        )

    async def send(self, device_id: str, order: Order, key: str) -> Command | None:
        """Send once. DISENROLL goes through DELETE on the device (NOTES, "Commands"), the others through POST.

        DELETE answers without a record: the device's commands are then read once to find it, and None is given when
        that fails or finds none; nothing is sent a second time.
        """
        _refuse("The command", limits.check_order(order))
        hide = tuple(value for value in (order.params.get("newPassword"),) if isinstance(value, str))
        if order.name == "DISENROLL":
            return await self._disenrol(device_id, order, key)
        return await self._client.ask(
            "send",
            lambda node: _named(read.command(wire.data(node), device_id)),
            device_id,
            body=limits.order_body(order),
            key=key,
            hide=hide,
        )

    async def _disenrol(self, device_id: str, order: Order, key: str) -> Command | None:
        flags = order.params.get("wipeDataFlags")
        params = [("wipeDataFlags", flag) for flag in flags] if isinstance(flags, list | tuple) else []
        params.append(("wipeReasonMessage", order.params.get("wipeReasonMessage")))
        await self._client.ask("disenrol", _queued, device_id, params=params, key=key)
        one = partial(read.command, device_id=device_id)
        try:
            found = await self._client.ask(
                "commands",
                lambda node: read.page(node, one, 1, 20).items,
                device_id,
                params=[("page", 1), ("limit", 20), ("sort", "createdAt:desc")],
                tries=1,
            )
        except FleetError:
            return None
        return next((item for item in found if item.name == "DISENROLL" and item.state.waiting), None)

    async def command(self, device_id: str, command_id: str) -> Command:
        """One record. Inferred from the documented push-status below it; without it, the device's list is read."""
        if "command" in self._lacking.operations:
            return await self._lacking.command(device_id, command_id)
        try:
            return await self._client.ask(
                "command", lambda node: read.command(wire.data(node), device_id), device_id, command_id
            )
        except FleetError as error:
            if not missing(error):
                raise
            found = await self._lacking.command(device_id, command_id, error)
            self._lacking.remember("command", error)
            return found

    async def push_status(self, device_id: str, command_id: str) -> PushStatus:
        """What the push service says."""
        return await self._client.ask(
            "push_status", lambda node: read.push_status(wire.data(node)), device_id, command_id
        )

    async def cancel(self, device_id: str, command_id: str) -> Command:
        """Cancel a pending command. Inferred; CONFLICT when it is past cancelling (5106)."""
        try:
            return await self._client.ask(
                "cancel", lambda node: read.command(wire.data(node), device_id), device_id, command_id
            )
        except FleetError as error:
            if not missing(error) or error.kind is Kind.UNSUPPORTED:
                raise
            # A record that is there and cannot be addressed: the service has no such endpoint.
            await self._lacking.command(device_id, command_id, error)
            raise self._lacking.remember("cancel", error) from None

    # policies

    async def policies(
        self, page: int, limit: int, *, sort: str = "", name: str = "", scope: Scope | None = None
    ) -> Page[Policy]:
        """A page of policies, whole documents in `raw`."""
        params = [("page", page), ("limit", limit), ("sort", sort), ("name", name), *_scoped(scope)]
        return await self._client.ask("policies", lambda node: read.page(node, read.policy, page, limit), params=params)

    async def policy(self, policy_id: str) -> Policy:
        """One policy. Inferred from the sibling platforms; without it, the list is read."""
        if "policy" in self._lacking.operations:
            return await self._lacking.policy(policy_id)
        try:
            return await self._client.ask("policy", _policy, policy_id)
        except FleetError as error:
            if not missing(error):
                raise
            found = await self._lacking.policy(policy_id, error)
            self._lacking.remember("policy", error)
            return found

    def check_policy(self, document: Any) -> list[Problem]:
        """The limits of a policy document."""
        return limits.check_policy(document)

    def policy_body(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """See `limits.policy_body`."""
        return limits.policy_body(document)

    async def create_policy(self, document: Mapping[str, Any], key: str) -> Policy:
        """POST a new policy; what the service makes itself is left out."""
        body = limits.policy_body(document)
        _refuse("The policy", self.check_policy(body))
        return await self._client.ask("create_policy", _policy, body=body, key=key)

    async def update_policy(self, policy_id: str, document: Mapping[str, Any]) -> Policy:
        """PUT a policy; the whole document is meant, since `config` is replaced as a whole. Inferred."""
        body = limits.policy_body(document)
        # On an update every field is optional: a document without a name is not refused here.
        _refuse("The policy", [item for item in self.check_policy(body) if item.path != ("name",) or "name" in body])
        return await self._write_policy("update_policy", _policy, policy_id, body)

    async def delete_policy(self, policy_id: str) -> None:
        """DELETE a policy. Inferred; the shape of the answer is not relied on."""
        return await self._write_policy("delete_policy", lambda node: None, policy_id)

    async def _write_policy(self, name: str, reader: Callable[[Any], T], policy_id: str, body: Any = None) -> T:
        try:
            return await self._client.ask(name, reader, policy_id, body=body)
        except FleetError as error:
            if not missing(error) or error.kind is Kind.UNSUPPORTED:
                raise
            await self._lacking.policy(policy_id, error)
            raise self._lacking.remember(name, error) from None

    async def policy_templates(self) -> list[Policy]:
        """Parts of policies to start from; UNSUPPORTED where the service has none."""
        return await self._client.ask(
            "templates", lambda node: [read.template(item) for item in wire.listing(node).items]
        )

    # the organisation

    async def users(self, search: str = "", page: int = 1, limit: int = 50) -> Page[User]:
        """People a device can be linked to; rows without an id are left out."""
        found = await self._client.ask(
            "users",
            lambda node: read.page(node, read.user, page, limit),
            params=[("page", page), ("limit", limit), ("search", search[:128])],
        )
        return Page([item for item in found.items if item is not None], found.page, found.total, found.has_next)

    async def segments(self) -> list[Segment]:
        """The segment tree, flattened; the root (0) first."""
        return await self._client.ask("segments", read.segments)

    async def tags(self) -> list[str]:
        """Tags in use in the organisation, on devices of any platform."""
        return await self._client.ask("tags", read.tags)


def _scoped(scope: Scope | None) -> list[tuple[str, Any]]:
    return [("segmentId", scope.segment_id), ("expandTo", scope.expand)] if scope else []


def _policy(document: Any) -> Policy:
    return read.policy(wire.data(document))


def _named(command: Command) -> Command:
    # An answer without a readable id proves nothing about the command: the caller must hear that it is unknown.
    if command.unreadable:
        raise ValueError(command.unreadable)
    return command


def _queued(document: Any) -> None:
    if wire.data(document).get("status") is False:
        raise FleetError(Kind.REFUSED, "The service did not queue the disenrolment")


def _refuse(what: str, problems: list[Problem]) -> None:
    """Nothing that breaks the contract leaves; warnings do."""
    wrong = tuple(item for item in problems if not item.warning)
    if wrong:
        first = f"{wrong[0].pointer} {wrong[0].message}".strip()
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        sentence = f"{what} was not sent: {first}{more}"
        raise FleetError(Kind.INVALID, sentence, sent=Sent.NEVER, problems=wrong)
