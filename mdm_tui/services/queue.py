"""The queue as a person reads it: our intents and the commands seen at the service, each with its evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mdm_tui.fleet.commands import Command, CommandResult, PushStatus, State
from mdm_tui.fleet.faults import SILENT_AFTER
from mdm_tui.fleet.values import age

if TYPE_CHECKING:
    from mdm_tui.store.journal import Intent
    from mdm_tui.store.mirror import Coverage, Row

__all__ = ["ELSEWHERE", "Evidence", "QueueItem", "build", "coverage_sentence"]

ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One rung of the ladder. known: yes and no are said by somebody, missing is what nobody said."""

    name: Literal["sent", "pushed", "delivered", "received"]
    known: Literal["yes", "no", "missing"]
    at: float | None = None


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One command of one device. Times in epoch seconds.

    key: the intent's id for ours, `device/command` for others'. by: who asked, or "elsewhere". status: the
    contract's own word, "" while the service has none. next_look_at: when an unclear outcome is read again.
    """

    key: str
    name: str
    device_id: str
    device_name: str
    state: State
    status: str
    asked: float | None
    by: str
    evidence: tuple[Evidence, ...]
    ours: bool
    cancellable: bool
    destructive: bool = False
    command_id: str | None = None
    intent_id: str | None = None
    run_id: str | None = None
    args: str = ""
    reason: str = ""
    duration: float | None = None
    expires_at: float | None = None
    ended_at: float | None = None
    error: str = ""
    results: tuple[CommandResult, ...] = ()
    explanation: str = ""
    next_look_at: float | None = None
    raw: str = ""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known beside the journal and the list of commands."""

    rows: Mapping[str, Row]
    pushes: Mapping[str, PushStatus]
    looks: Mapping[str, float]
    now: float
    can_cancel: bool
    running: frozenset[str]
    push_unsupported: str


def build(
    intents: Sequence[Intent],
    commands: Sequence[Command],
    *,
    rows: Mapping[str, Row],
    pushes: Mapping[str, PushStatus],
    looks: Mapping[str, float],
    now: float,
    can_cancel: bool,
    running: frozenset[str] = frozenset(),
    push_unsupported: str = "",
) -> list[QueueItem]:
    """Join both, newest first. looks: intent → next look; running: runs that are being sent by this process."""
    known = _Known(rows, pushes, looks, now, can_cancel, running, push_unsupported)
    at_service = {(command.device_id, command.id): command for command in commands}
    items: list[QueueItem] = []
    for intent in intents:
        command = at_service.pop((intent.device_id, intent.command_id), None) if intent.command_id else None
        items.append(_ours(intent, command, known))
    items.extend(_theirs(command, known) for command in at_service.values())
    items.sort(key=lambda item: (-(item.asked or 0.0), item.key))
    return items


def coverage_sentence(coverage: Coverage, now: float) -> str:
    """What the queue covers; empty is never shown as none."""
    known, total = f"{coverage.devices_known:,}", f"{coverage.devices_total:,}"
    text = f"commands known for {known} of {total} devices"
    return f"{text}, oldest look {age(now - coverage.oldest_look)}" if coverage.oldest_look is not None else text


def _ours(intent: Intent, command: Command | None, known: _Known) -> QueueItem:
    push = known.pushes.get(intent.id)
    state = intent.state
    planned_here = state is State.PLANNED
    cancellable = planned_here or (command is not None and _cancellable(command, known))
    results = command.results if command is not None else ()
    return QueueItem(
        key=intent.id,
        name=intent.name,
        device_id=intent.device_id,
        device_name=intent.device_name,
        state=state,
        status=command.status if command is not None else "",
        asked=intent.created_at,
        by=intent.actor,
        evidence=_evidence(state, intent.sent_at, command, push),
        ours=True,
        cancellable=cancellable,
        destructive=intent.destructive,
        command_id=intent.command_id,
        intent_id=intent.id,
        run_id=intent.run_id,
        args=intent.args_redacted,
        reason=intent.reason,
        duration=intent.duration,
        expires_at=_expires(command, push),
        ended_at=intent.updated_at if state.ended else None,
        error=intent.error or _errors(results),
        results=results,
        explanation=_explain_ours(intent, command, known),
        next_look_at=known.looks.get(intent.id) if state is State.UNKNOWN else None,
        raw=command.raw if command is not None else "",
    )


def _theirs(command: Command, known: _Known) -> QueueItem:
    row = known.rows.get(command.device_id)
    name = str(row.values.get("name") or command.device_id) if row is not None else command.device_id
    state = State.PUSHED if command.state is State.ACCEPTED and command.sent_at is not None else command.state
    return QueueItem(
        key=f"{command.device_id}/{command.id}",
        name=command.name,
        device_id=command.device_id,
        device_name=name,
        state=state,
        status=command.status,
        asked=command.created_at,
        by=ELSEWHERE,
        evidence=_evidence(state, command.created_at, command, None),
        ours=False,
        cancellable=_cancellable(command, known),
        command_id=command.id,
        args=command.params_text,
        expires_at=command.expires_at,
        ended_at=command.updated_at if state.ended else None,
        error=_errors(command.results),
        results=command.results,
        explanation=_silence(command.device_id, known) if state.waiting else "",
        raw=command.raw,
    )


def _cancellable(command: Command, known: _Known) -> bool:
    return known.can_cancel and command.state in (State.ACCEPTED, State.PUSHED, State.DELIVERED)


def _expires(command: Command | None, push: PushStatus | None) -> float | None:
    if command is not None and command.expires_at is not None:
        return command.expires_at
    return push.expires_at if push is not None else None


def _errors(results: Sequence[CommandResult]) -> str:
    return "; ".join(dict.fromkeys(result.error for result in results if result.error))


def _evidence(
    state: State, sent_at: float | None, command: Command | None, push: PushStatus | None
) -> tuple[Evidence, ...]:
    """Only what somebody said: nothing is inferred to make the ladder look full."""
    if state in (State.PLANNED, State.REJECTED):
        sent = Evidence("sent", "no")
    elif command is not None or state in (State.ACCEPTED, State.PUSHED, State.DELIVERED, State.RECEIVED):
        sent = Evidence("sent", "yes", sent_at)
    else:
        sent = Evidence("sent", "missing", sent_at)
    pushed_at = command.sent_at if command is not None else None
    if pushed_at is None and push is not None:
        pushed_at = push.sent_at
    pushed = Evidence("pushed", "yes" if pushed_at is not None else "missing", pushed_at)
    delivered = Evidence("delivered", "missing")
    if state is State.DELIVERED or (push is not None and push.delivered):
        delivered = Evidence("delivered", "yes")
    elif push is not None and push.delivered is False:
        delivered = Evidence("delivered", "no")
    received = Evidence("received", "missing")
    if command is not None:
        if command.state is State.RECEIVED or (command.state in (State.DONE, State.FAILED)):
            # DONE and ERROR are the device's own words: it had the command.
            first = min((result.at for result in command.results if result.at is not None), default=None)
            received = Evidence("received", "yes", first if first is not None else command.updated_at)
        elif command.state.waiting:
            received = Evidence("received", "no")
    return sent, pushed, delivered, received


def _explain_ours(intent: Intent, command: Command | None, known: _Known) -> str:
    state = intent.state
    if state is State.PLANNED:
        if intent.run_id in known.running:
            return "waiting for its turn" if not intent.error else intent.error
        return "left from an earlier session or by the lock, not sent: resume or cancel it"
    if state is State.SENDING:
        return "on the wire"
    if state is State.UNKNOWN:
        at = known.looks.get(intent.id)
        soon = f"; next look in {age(max(0.0, at - known.now))}" if at is not None else ""
        return f"the outcome is unknown and it is not sent again: reading the device's commands back{soon}"
    if state is State.ABSENT:
        return "the service does not list it; it may still arrive, so sending it again is a new decision"
    if state is State.AMBIGUOUS:
        return "several commands like it are at the service and none is certainly ours: look at the device"
    if state is State.EXPIRED:
        return "the device did not answer in time; it may still have run"
    if state.waiting:
        silence = _silence(intent.device_id, known)
        if silence:
            return silence
        if state is State.PUSHED and known.push_unsupported:
            return "the service does not say whether pushes are delivered"
        if state is State.ACCEPTED and command is not None and command.sent_at is None:
            return "the service has it and has not pushed it yet"
    return intent.error if state in (State.REJECTED, State.FAILED) else ""


def _silence(device_id: str, known: _Known) -> str:
    row = known.rows.get(device_id)
    seen = row.values.get("seen") if row is not None else None
    if isinstance(seen, (int, float)) and known.now - seen > SILENT_AFTER:
        return f"device silent for {age(known.now - seen)}: asleep or off, not refusing"
    return ""
