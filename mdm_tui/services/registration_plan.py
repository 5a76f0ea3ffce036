"""Planning a registration: who will be registered, who is left out and why, and what a person has to type."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mdm_tui.fleet.catalogue import LicenseModel
from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.groups import GroupTree
from mdm_tui.fleet.provider import Meter
from mdm_tui.fleet.registration import Line, RegistrationTerms
from mdm_tui.fleet.text import normal_serial

__all__ = ["AGAIN", "NAMES", "NEW", "UNSETTLED", "LeftOutRow", "RegistrationPlan", "Row", "license_sentence", "plan",
           "why_past"]  # fmt: skip

# The journal's names of the two kinds of run; neither is a command.
NEW = "REGISTER"
AGAIN = "REGISTER_AGAIN"
# The part of an hour's calls that questions may use up, as the transport's budget has it for reading one thing.
_QUESTIONS = 0.95
NAMES = frozenset({NEW, AGAIN})
UNSETTLED = float("inf")
"""In place of a moment: what was sent is not settled, so no check is late enough."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row after the service was asked for its serial number.

    state: new, exists, unchecked (why says why), bad (the row's own problem). at: when it was asked, epoch seconds.
    """

    line: Line
    state: Literal["new", "exists", "unchecked", "bad"]
    why: str = ""
    at: float = 0.0

    @property
    def serial(self) -> str:
        """The serial number as it was given."""
        return self.line.serial


@dataclass(frozen=True, slots=True)
class LeftOutRow:
    """A row that will not be sent, and why."""

    line: Line
    why: str


@dataclass(frozen=True, slots=True)
class RegistrationPlan:
    """What will be sent, frozen. expects: the text that `submit` wants typed, "" when nothing will be sent.

    again: the devices exist and saving them resets their status; else all of them are new. terms_text: license,
    renewal and where they go, as sentences to be shown before. at: epoch seconds; a plan grows stale.
    calls: how many it takes at most. pace: how long it takes when they are more than are left of this hour, as a
    sentence; "" when they fit.
    """

    key: str
    connection: str
    again: bool
    will: tuple[Row, ...]
    left_out: tuple[LeftOutRow, ...]
    terms: RegistrationTerms
    terms_text: str
    expects: str
    at: float
    notes: tuple[str, ...] = ()
    calls: int = 0
    pace: str = ""

    def accepts(self, typed: str) -> bool:
        """Whether what was typed confirms this plan."""
        return bool(self.expects) and " ".join(typed.split()).casefold() == self.expects.casefold()


def license_sentence(model: LicenseModel | None, auto_renew: bool | None) -> str:
    """Which license the devices will run on, as far as the contract says it."""
    if model is None:
        said = "No license model is chosen: the devices run on a trial license"
    else:
        said = f"License: {model.name or model.id}, where one is free; without a free one a trial license"
    renew = {True: "; it is renewed by itself", False: "; it is not renewed by itself", None: ""}[auto_renew]
    return f"{said}{renew}."


def plan(
    rows: Sequence[Row],
    *,
    key: str,
    connection: str,
    at: float,
    tree: GroupTree | None,
    model: LicenseModel | None,
    auto_renew: bool | None,
    again: Collection[str],
    sent: Mapping[str, float] | None = None,
    asks: int = 1,
    meter: Meter | None = None,
    where: str = "",
) -> RegistrationPlan:
    """Freeze what was checked. again: serials of existing devices, each named by the person; only those are sent then.

    sent: what was sent already, see `registration_past.sent`. asks: calls that a question for a serial number takes at
    most. meter: what is spent of the hour's calls. where: `Provider.registers_where`.
    Raises INVALID for a serial in `again` that is not among the existing ones.
    """
    named = {normal_serial(serial) or serial for serial in again}
    existing = {normal_serial(row.serial) for row in rows if row.state == "exists"}
    if strangers := sorted(named - existing):
        what = f"{', '.join(strangers[:5])}: not among the devices of this list that exist"
        raise FleetError(Kind.INVALID, what, sent=Sent.NEVER)
    will: list[Row] = []
    left: list[LeftOutRow] = []
    for row in rows:
        why = _why_not(row, named, tree) or why_past(row, sent or {})
        if why:
            left.append(LeftOutRow(row.line, why))
        else:
            will.append(row)
    calls = _calls(len(will), asks, bool(named))
    pace = _pace(calls, meter) if meter is not None else ""
    return RegistrationPlan(
        key=key,
        connection=connection,
        again=bool(named),
        will=tuple(will),
        left_out=tuple(left),
        terms=RegistrationTerms(model.id if model is not None else "", auto_renew),
        terms_text=" ".join(part for part in (license_sentence(model, auto_renew), where) if part),
        expects=_expects(will, bool(named)),
        at=at,
        notes=(*_notes(will, bool(named)), *([pace.rstrip(".")] if pace else [])),
        calls=calls,
        pace=pace,
    )


def why_past(row: Row, sent: Mapping[str, float]) -> str:
    """Why a row must not be sent because of what was sent before, "" when it may be. sent: `registration_past.sent`."""
    at = sent.get(normal_serial(row.serial))
    if at is None or at < row.at:
        return ""
    if at == UNSETTLED:
        return "it was sent before, and what became of that is not known yet: wait for it, then check the list again"
    return "it was sent since it was checked: check the list again before you repeat it"


def _why_not(row: Row, named: Collection[str], tree: GroupTree | None) -> str:
    if row.state == "bad":
        return row.line.problem
    if row.state == "unchecked":
        return f"not checked, so not sent: {row.why}"
    if row.state == "exists" and normal_serial(row.serial) not in named:
        return "the service has it already: left alone, because saving it again resets its status"
    if row.state == "new" and named:
        return "new: this plan is only for devices that exist"
    group = row.line.device.group_id
    if group and (tree is None or group not in tree):
        return "its group is not at the service any more" if tree is not None else "the groups are not known"
    return ""


def _expects(will: Sequence[Row], again: bool) -> str:
    if not will:
        return ""
    verb = "reset" if again else "register"
    return f"{verb} {will[0].serial if len(will) == 1 else len(will)}"


def _calls(rows: int, asks: int, again: bool) -> int:
    """Each is asked for, sent, and if it is new asked for once more."""
    return rows * (asks + 1 + (0 if again else asks))


def _pace(calls: int, meter: Meter) -> str:
    """How long so many calls take, "" when this hour has room for them."""
    most = max(1, int(meter.limit * _QUESTIONS))
    if calls <= most - meter.used:
        return ""
    hours = math.ceil((calls + meter.used - most) / most)
    many = "an hour" if hours == 1 else f"{hours:,} hours"
    left = f"{max(0, most - meter.used):,} are left of this hour's {most:,}"
    return f"It takes up to {calls:,} calls and {left}: it waits for the others, about {many}, and can be stopped."


def _notes(will: Sequence[Row], again: bool) -> tuple[str, ...]:
    found: list[str] = []
    if again:
        found.append("saving an existing device again resets its status at the service")
    ungrouped = sum(not row.line.device.group_id for row in will)
    if ungrouped and again:
        # Not stated for a save that names no group: what the service does with the present one.
        which = "it names" if len(will) == 1 else f"{ungrouped:,} name"
        found.append(f"{which} no group: the present one is left as it is, as far as the service's contract tells")
    elif ungrouped:
        found.append(f"{ungrouped:,} without a group" if len(will) > 1 else "without a group")
    return tuple(found)
