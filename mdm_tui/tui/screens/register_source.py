"""The rows of the register screen: each line of the list, what it will be, and what became of it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from mdm_tui.fleet.commands import State
from mdm_tui.fleet.registration import Line
from mdm_tui.fleet.text import clean
from mdm_tui.tui.widgets.grid import Cell, Column
from mdm_tui.tui.widgets.grid_text import glyphs

if TYPE_CHECKING:
    from mdm_tui.services.registration import Outcome
    from mdm_tui.services.registration_plan import Row

__all__ = ["COLUMNS", "RegisterSource", "many"]

COLUMNS: Final = (
    Column("serial", "Serial", 14, priority=0, flex=1, most=24, clip="middle"),
    Column("what", "What it will be", 38, priority=0, flex=6),
    Column("maker", "Maker", 8, priority=4, flex=1, most=26),
    Column("model", "Model", 8, priority=3, flex=1, most=16),
    Column("group", "Group", 16, priority=2, flex=2, most=30),
    Column("line", "Line", 5, "right", priority=5),
)
_OVER = {
    State.DONE: "good", State.FAILED: "bad", State.REJECTED: "bad", State.UNKNOWN: "warn", State.ABSENT: "warn",
    State.AMBIGUOUS: "warn", State.SENDING: "info", State.ACCEPTED: "info",
}  # fmt: skip


def many(count: int, what: str = "device") -> str:
    """`1 device`, `1,204 devices`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


class RegisterSource:
    """Rows for the grid; the id of a row is its place in the list. `named`: serials of existing devices to be reset."""

    def __init__(self) -> None:
        self.lines: tuple[Line, ...] = ()
        self.rows: dict[str, Row] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.named: set[str] = set()
        self.paths: Mapping[str, str] = {}

    # --- what the grid asks ---

    def count(self) -> int:
        return len(self.lines)

    def id_at(self, index: int) -> str:
        return str(index)

    def index_of(self, row_id: str) -> int | None:
        return int(row_id) if row_id.isdigit() and int(row_id) < len(self.lines) else None

    def want(self, first: int, last: int) -> None:
        """Everything is at hand."""

    def cells(self, row_id: str, columns: Sequence[Column]) -> Sequence[Cell] | None:
        line = self.line(row_id)
        return None if line is None else [self._cell(line, column.key) for column in columns]

    def glyph(self, row_id: str) -> Cell:
        line, signs = self.line(row_id), glyphs()
        if line is None:
            return Cell(" ")
        if (outcome := self._outcome(line)) is not None:
            sign = {State.DONE: signs.active, State.UNKNOWN: signs.unknown}.get(outcome.state, signs.provisioning)
            bad = outcome.state in (State.FAILED, State.REJECTED)
            return Cell(signs.fault if bad else sign, _OVER.get(outcome.state, "muted"))
        if line.problem:
            return Cell(signs.fault, "bad")
        row = self.row(line)
        if row is not None and row.state == "exists":
            return Cell(signs.destructive, "warn") if line.serial in self.named else Cell(signs.disabled, "muted")
        return Cell(signs.provisioning, "good" if row is not None and row.state == "new" else "muted")

    def seek(self, index: int, step: int) -> int | None:
        """The next row with a problem."""
        place = index + step
        while 0 <= place < len(self.lines):
            line = self.lines[place]
            outcome = self._outcome(line)
            if line.problem or (outcome is not None and outcome.state is not State.DONE):
                return place
            place += step
        return None

    # --- what the screen asks ---

    def line(self, row_id: str | None) -> Line | None:
        """A line of the list."""
        index = self.index_of(row_id) if row_id is not None else None
        return self.lines[index] if index is not None else None

    def row(self, line: Line) -> Row | None:
        """What the service said of a line's serial number; None while it was not asked."""
        return None if line.problem else self.rows.get(line.serial)

    def waiting(self) -> list[Line]:
        """The lines that can be sent and were not asked for yet, or in vain."""
        found = [line for line in self.lines if not line.problem]
        return [line for line in found if (row := self.rows.get(line.serial)) is None or row.state == "unchecked"]

    def counts(self) -> Counter[str]:
        """How many lines are new, exists, unchecked, waiting or bad."""
        return Counter(
            "bad" if line.problem else row.state if (row := self.rows.get(line.serial)) is not None else "waiting"
            for line in self.lines
        )

    def left(self) -> Counter[str]:
        """How many lines a next step would send: `new` ones, and `named` ones that exist."""
        found: Counter[str] = Counter()
        for line in self.lines:
            row = self.row(line)
            if row is None or line.serial in self.outcomes:
                continue
            if row.state == "new":
                found["new"] += 1
            elif row.state == "exists" and line.serial in self.named:
                found["named"] += 1
        return found

    def checked(self) -> list[Row]:
        """The lines that were not sent as rows, for a plan: each with what was found of its serial number."""
        from dataclasses import replace

        from mdm_tui.services.registration_plan import Row

        found: list[Row] = []
        for line in self.lines:
            row = self.row(line)
            if self._outcome(line) is not None:
                continue
            if line.problem:
                found.append(Row(line, "bad", line.problem))
            elif row is None:
                found.append(Row(line, "unchecked", "the service was not asked"))
            else:
                found.append(replace(row, line=line))
        return found

    def what(self, line: Line) -> tuple[str, str]:
        """What a line will be, or what became of it; and its role."""
        if (outcome := self._outcome(line)) is not None:
            return clean(outcome.sentence, 400), _OVER.get(outcome.state, "muted")
        if line.problem:
            return clean(line.problem, 400), "bad"
        row = self.row(line)
        if row is None:
            return "not checked yet", "muted"
        # Once a part was sent, the rest waits for a step of its own.
        yet = "not sent yet, F2 " if self.outcomes else ""
        if row.state == "new":
            return (f"new: {yet}registers it" if yet else "new: will be registered"), "good"
        if row.state == "exists":
            if line.serial in self.named:
                return (f"exists: {yet}resets it" if yet else "exists: its status will be reset"), "warn"
            return "exists: left alone", "muted"
        return f"not checked: {clean(row.why, 300)}", "warn"

    def group(self, line: Line) -> str:
        """The group a line joins, as its path."""
        key = line.device.group_id
        return clean(self.paths.get(key, key), 200) if key else line.group

    def plain(self, line: Line) -> dict[str, str]:
        """A line as text, for a file."""
        outcome = self._outcome(line)
        device = line.device
        return {
            "line": str(line.number), "serial": line.serial, "manufacturer": device.manufacturer, "brand": device.brand,
            "model": device.model, "group": self.group(line), "outcome": self.what(line)[0],
            "state": outcome.state.value if outcome is not None else "not sent",
            "device": outcome.device_id if outcome is not None else "",
            "license": outcome.license if outcome is not None else "",
        }  # fmt: skip

    # --- inside ---

    def _outcome(self, line: Line) -> Outcome | None:
        return None if line.problem else self.outcomes.get(line.serial)

    def _cell(self, line: Line, key: str) -> Cell:
        if key == "serial":
            return Cell(line.serial or "-", "" if line.serial else "muted")
        if key == "what":
            return Cell(*self.what(line))
        if key == "maker":
            # Both are sent, so both are seen; the brand by its name where it is another word.
            brand = line.device.brand if line.device.brand != line.device.manufacturer else ""
            said = (line.device.manufacturer, f"brand {brand}" if brand else "")
            return Cell(", ".join(filter(None, said)) or "-", "muted")
        if key == "model":
            return Cell(line.device.model or "-", "muted")
        if key == "line":
            return Cell(f"{line.number:,}", "muted")
        return Cell(self.group(line) or "-", "muted")
