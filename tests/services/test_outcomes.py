"""The tables: what an answer proves, how a command moves on, what an unanswered one may have become."""

from __future__ import annotations

import dataclasses

import pytest

from mdm_tui.fleet.commands import Command, PushStatus, State
from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.services.outcomes import candidates, outcome, progress

PLANNED, REJECTED, UNKNOWN = State.PLANNED, State.REJECTED, State.UNKNOWN


@pytest.mark.parametrize(
    ("kind", "sent", "status", "expected"),
    [
        # Provably nothing left this machine.
        (Kind.UNREACHABLE, Sent.NEVER, None, PLANNED),
        (Kind.TIMEOUT, Sent.NEVER, None, PLANNED),
        (Kind.TLS, Sent.NEVER, None, PLANNED),
        (Kind.RATE_LIMITED, Sent.NEVER, None, PLANNED),
        (Kind.READ_ONLY, Sent.NEVER, None, REJECTED),
        (Kind.INVALID, Sent.NEVER, None, REJECTED),
        (Kind.CONFIG, Sent.NEVER, None, REJECTED),
        (Kind.SIGNED_OUT, Sent.NEVER, None, REJECTED),
        # The service asked to wait.
        (Kind.RATE_LIMITED, Sent.ANSWERED, 429, PLANNED),
        # It refused.
        (Kind.SIGNED_OUT, Sent.ANSWERED, 401, REJECTED),
        (Kind.FORBIDDEN, Sent.ANSWERED, 403, REJECTED),
        (Kind.NOT_FOUND, Sent.ANSWERED, 404, REJECTED),
        (Kind.UNSUPPORTED, Sent.ANSWERED, 404, REJECTED),
        (Kind.INVALID, Sent.ANSWERED, 400, REJECTED),
        (Kind.CONFLICT, Sent.ANSWERED, 409, REJECTED),
        (Kind.REDIRECT, Sent.ANSWERED, 307, REJECTED),
        (Kind.UNREADABLE, Sent.ANSWERED, 400, REJECTED),
        (Kind.REFUSED, Sent.ANSWERED, 200, REJECTED),
        # Anything else may have happened.
        (Kind.UNREADABLE, Sent.ANSWERED, 200, UNKNOWN),
        (Kind.UNREADABLE, Sent.ANSWERED, None, UNKNOWN),
        (Kind.TOO_LARGE, Sent.ANSWERED, 200, UNKNOWN),
        (Kind.TIMEOUT, Sent.ANSWERED, 408, UNKNOWN),
        (Kind.SERVER, Sent.ANSWERED, 500, UNKNOWN),
        (Kind.UNREADABLE, Sent.MAYBE, 200, UNKNOWN),
        (Kind.SERVER, Sent.MAYBE, 502, UNKNOWN),
        (Kind.TIMEOUT, Sent.MAYBE, None, UNKNOWN),
        (Kind.UNREACHABLE, Sent.MAYBE, None, UNKNOWN),
        (Kind.RATE_LIMITED, Sent.MAYBE, None, UNKNOWN),
    ],
)
def test_what_an_answer_proves(kind: Kind, sent: Sent, status: int | None, expected: State) -> None:
    assert outcome(FleetError(kind, "what", sent=sent, status=status)) is expected


def test_nothing_that_may_have_left_is_ever_sent_again() -> None:
    for kind in Kind:
        for status in (None, 200, 201, 302, 400, 404, 408, 429, 500, 503):
            state = outcome(FleetError(kind, "what", sent=Sent.MAYBE, status=status))
            assert state is UNKNOWN


def command(status: State, sent_at: float | None = None, **more: object) -> Command:
    base = Command("1", "d", "REBOOT", status.value, status, 1.0, 1.0, sent_at=sent_at)
    return dataclasses.replace(base, **more)


def test_a_command_moves_on_and_never_back() -> None:
    accepted = command(State.ACCEPTED)
    assert progress(State.SENDING, accepted) is State.ACCEPTED
    assert progress(State.ACCEPTED, command(State.ACCEPTED, 5.0)) is State.PUSHED
    assert progress(State.ACCEPTED, accepted, PushStatus(None, sent_at=4.0)) is State.PUSHED
    assert progress(State.PUSHED, accepted, PushStatus(True)) is State.DELIVERED
    assert progress(State.DELIVERED, accepted) is State.DELIVERED
    assert progress(State.RECEIVED, accepted, PushStatus(True)) is State.RECEIVED
    assert progress(State.ACCEPTED, accepted, PushStatus(False)) is State.ACCEPTED
    for end in (State.DONE, State.FAILED, State.EXPIRED, State.CANCELLED):
        assert progress(State.ACCEPTED, command(end)) is end
        assert progress(end, accepted) is end


def test_candidates_are_found_by_id_not_by_clock() -> None:
    rows = [command(State.ACCEPTED, id=str(number), name=name) for number, name in enumerate(["REBOOT", "LOCK"] * 3)]
    found = candidates(rows, "REBOOT", baseline={"0"}, claimed={"2"})
    assert [row.id for row in found] == ["4"]
