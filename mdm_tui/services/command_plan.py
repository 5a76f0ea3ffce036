"""Planning a command: who will get it, who will not and why, and what a person has to type."""

from __future__ import annotations

import asyncio
import math
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mdm_tui.fleet.commands import COMMANDS, Command, CommandSpec, Order
from mdm_tui.fleet.devices import DeviceKey, Value
from mdm_tui.fleet.errors import FleetError, Kind, Problem, Sent
from mdm_tui.fleet.faults import silent
from mdm_tui.fleet.text import normal_serial

from .context import EVERY, Context

__all__ = ["BASELINE", "LeftOut", "Plan", "Planner", "Target", "check_order", "redacted"]

# How many of a device's newest commands are looked at before and after sending.
BASELINE = 50
# Up to so many targets are looked at while the dialog opens; each one is looked at again just before its POST.
LOOKED_AT = 20
_AT_ONCE = 4
_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+")
_MAX_PACKAGES = 500
_MAX_SECRET = 256


@dataclass(frozen=True, slots=True)
class Target:
    """A device that will get it. note: what to know about it, such as `silent 9h`."""

    device: DeviceKey
    name: str
    serial: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A device that will not get it, and why."""

    device: DeviceKey
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be sent, frozen. expects: the text that `submit` wants typed, "" when nothing will be sent.

    at: epoch seconds; a plan grows stale. notes: what could not be found out beforehand.
    """

    key: str
    connection: str
    spec: CommandSpec
    will: tuple[Target, ...]
    left_out: tuple[LeftOut, ...]
    expects: str
    at: float
    order: Order = field(repr=False)
    args: str = ""
    reason: str = ""
    notes: tuple[str, ...] = ()

    def accepts(self, typed: str) -> bool:
        """Whether what was typed confirms this plan."""
        return bool(self.expects) and " ".join(typed.split()).casefold() == self.expects.casefold()


def check_order(spec: CommandSpec, params: Mapping[str, Any], duration: float | None) -> list[Problem]:
    """What is wrong with the parameters. Each one has to be given; None is the deliberate "without it"."""
    problems: list[Problem] = []
    known = {param.key: param for param in spec.params}
    problems.extend(
        Problem((key,), f"{spec.title} has no parameter of this name", ", ".join(known) or "none")
        for key in params
        if key not in known
    )
    for param in spec.params:
        if param.key not in params:
            problems.append(
                Problem((param.key,), f"{param.title}: give a value, or choose to leave it out", param.absent)
            )
            continue
        value = params[param.key]
        if value is None:
            continue
        if param.kind == "packages":
            problems.extend(_check_packages(param.key, value))
        elif not isinstance(value, str) or not value:
            problems.append(Problem((param.key,), f"{param.title} is empty; leaving it out is a choice of its own"))
        elif len(value) > _MAX_SECRET:
            problems.append(Problem((param.key,), f"{param.title} is longer than {_MAX_SECRET} characters"))
        elif not value.isprintable():
            problems.append(Problem((param.key,), f"{param.title} holds characters that cannot be typed on a device"))
    if duration is not None:
        if not spec.duration:
            problems.append(Problem(("duration",), f"{spec.title} takes no duration"))
        elif isinstance(duration, bool) or not math.isfinite(duration) or duration <= 0:
            problems.append(Problem(("duration",), "the duration is not a number above zero"))
    return problems


def _check_packages(key: str, value: Any) -> list[Problem]:
    if not isinstance(value, (list, tuple)) or not value:
        return [Problem((key,), "no package is named; leaving the list out is a choice of its own")]
    if len(value) > _MAX_PACKAGES:
        return [Problem((key,), f"more than {_MAX_PACKAGES} packages")]
    return [
        Problem((key, index), "not the name of a package", "com.example.app")
        for index, name in enumerate(value)
        if not isinstance(name, str) or not _PACKAGE.fullmatch(name)
    ]


def redacted(spec: CommandSpec, params: Mapping[str, Any]) -> str:
    """The parameters as the journal keeps them: never a secret, not even its length."""
    said: list[str] = []
    for param in spec.params:
        value = params.get(param.key)
        if param.kind == "secret":
            said.append("cleared" if value is None else "new password set")
        elif value is None:
            said.append(f"no {param.title.lower()} named")
        else:
            said.append(", ".join(value) if isinstance(value, (list, tuple)) else str(value))
    return "; ".join(said)


class Planner:
    """Makes plans; sends nothing."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def plan(
        self,
        name: str,
        targets: Iterable[DeviceKey],
        params: Mapping[str, Any] | None = None,
        duration: float | None = None,
        reason: str = "",
    ) -> Plan:
        """Freeze targets and parameters. Raises `FleetError` INVALID with its problems when they cannot be used."""
        context = self._context
        spec = COMMANDS.get(name)
        if spec is None or name not in context.factory.commands:
            raise FleetError(Kind.UNSUPPORTED, f"{context.factory.title} has no command {name}", sent=Sent.NEVER)
        given = dict(params or {})
        if problems := check_order(spec, given, duration):
            raise FleetError(Kind.INVALID, problems[0].message, problems=tuple(problems), sent=Sent.NEVER)
        wanted = list(dict.fromkeys(targets))
        if any(target.connection != context.scope for target in wanted):
            raise FleetError(Kind.INVALID, "A run never crosses connections: plan each one by itself", sent=Sent.NEVER)
        rows = await context.mirror.rows(context.scope, [target.id for target in wanted])
        busy = await self._our_own(name)
        will: list[Target] = []
        left: list[LeftOut] = []
        for target in wanted:
            row = rows.get(target.id)
            values = row.values if row is not None else {}
            label = str(values.get("name") or target.id)
            why = "not known to this console: refresh first" if row is None else self._refusal(spec, values)
            if not why and target.id in busy:
                why = f"{spec.title} is already on its way: {busy[target.id]}"
            if why:
                left.append(LeftOut(target, label, why))
            else:
                will.append(Target(target, label, str(values.get("serial") or ""), self._note(values)))
        notes: list[str] = []
        if len(will) <= LOOKED_AT:
            will, pending, notes = await self._look(spec, will)
            left.extend(pending)
        elif will:
            notes.append(f"each of the {len(will)} devices is read just before its own command is sent")
        order = Order(name, {key: _plain(value) for key, value in given.items() if value is not None}, duration)
        return Plan(
            key=uuid.uuid4().hex,
            connection=context.scope,
            spec=spec,
            will=tuple(will),
            left_out=tuple(left),
            expects=await self._expects(spec, will),
            at=context.clock.now(),
            order=order,
            args=redacted(spec, given),
            reason=reason,
            notes=tuple(notes),
        )

    async def _our_own(self, name: str) -> dict[str, str]:
        """Devices to which one of our own is planned, on the wire or unclear: device → state."""
        if self._context.journal is None:
            return {}
        open_ones = await self._context.journal.intents(self._context.scope, limit=EVERY, open_only=True)
        return {
            intent.device_id: intent.state.value
            for intent in open_ones
            if intent.name == name and intent.state.value in ("planned", "sending", "unknown")
        }

    def _refusal(self, spec: CommandSpec, values: Mapping[str, Value]) -> str:
        state = values.get("state")
        if state == "DELETED":
            return "has left management"
        if spec.name == "DISENROLL" and state == "PENDING_DISENROLL":
            return "already leaving"
        return ""

    def _note(self, values: Mapping[str, Value]) -> str:
        quiet = silent(values.get("seen"), self._context.clock.now())
        return f"{quiet}: will happen when it is seen" if quiet else ""

    async def _look(self, spec: CommandSpec, will: Sequence[Target]) -> tuple[list[Target], list[LeftOut], list[str]]:
        """Read the targets' commands, so that the dialog already says what is pending."""
        gate = asyncio.Semaphore(_AT_ONCE)
        unread: list[FleetError] = []

        async def pending(target: Target) -> bool:
            async with gate:
                if unread:
                    return False
                try:
                    page = await self._context.call(
                        lambda provider: provider.device_commands(target.device.id, 1, BASELINE)
                    )
                except FleetError as error:
                    unread.append(error)
                    return False
                return any(waiting(command, spec.name) for command in page.items)

        found = await asyncio.gather(*(pending(target) for target in will))
        stay = [target for target, busy in zip(will, found, strict=True) if not busy]
        left = [
            LeftOut(target.device, target.name, f"{spec.title} is already pending at the service")
            for target, busy in zip(will, found, strict=True)
            if busy
        ]
        notes = [f"what is already pending could not be read: {unread[0].what}"] if unread else []
        return stay, left, notes

    async def _expects(self, spec: CommandSpec, will: Sequence[Target]) -> str:
        if not will:
            return ""
        if len(will) > 1:
            return f"{spec.verb} {len(will)}"
        only = will[0]
        # A serial that is missing, a placeholder or shared by two devices names nothing.
        if normal_serial(only.serial) and len(await self._context.mirror.find(self._context.scope, only.serial)) == 1:
            return only.serial
        return only.device.id[-6:]


def waiting(command: Command, name: str) -> bool:
    """Whether it is such a command that has not ended."""
    return command.name == name and command.state.waiting


def _plain(value: Any) -> Any:
    return list(dict.fromkeys(value)) if isinstance(value, (list, tuple)) else value
