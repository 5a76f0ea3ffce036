"""The lines on top of every screen: where am I, how fresh is this, what does it cost, what else is there."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, ClassVar, Final

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.errors import Kind as ErrorKind
from mdm_tui.fleet.inventory_text import wrap
from mdm_tui.fleet.values import age
from mdm_tui.tui.widgets.grid_text import ASCII, fit, glyphs
from mdm_tui.tui.widgets.lines import Line, Lines, Part, length, part, spread

__all__ = ["Header", "HeaderState", "Others", "Tab", "freshness", "paint"]

# A screen this wide gives production a frame (`FleetScreen`), which takes a column on each side.
FRAME_FROM: Final = 100
_NARROW: Final = FRAME_FROM - 2
_ROOMY: Final = 150
_TROUBLE_LINES: Final = 3
_SHORT: Final[dict[ErrorKind, str]] = {
    ErrorKind.UNREACHABLE: "unreachable",
    ErrorKind.TIMEOUT: "no answer in time",
    ErrorKind.TLS: "certificate not trusted",
    ErrorKind.SIGNED_OUT: "signed out",
    ErrorKind.FORBIDDEN: "not allowed",
    ErrorKind.NOT_FOUND: "not found",
    ErrorKind.RATE_LIMITED: "asked to wait",
    ErrorKind.SERVER: "the service failed",
    ErrorKind.UNREADABLE: "answer unreadable",
    ErrorKind.REDIRECT: "redirected",
    ErrorKind.TOO_LARGE: "answer too large",
    ErrorKind.CONFIG: "configuration",
}


@dataclass(frozen=True, slots=True)
class Tab:
    """One screen in the second line; count None: not known."""

    key: str
    number: int | str
    title: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Others:
    """The connections open beside the one shown: how many, the worst state, whose it is ("" for all), its role."""

    count: int
    words: str
    name: str = ""
    role: str = "muted"


@dataclass(frozen=True, slots=True)
class HeaderState:
    """All that the header says. Times in epoch seconds; error: the last poll's, None when it went well.

    refused: the permission that turned out to be lacking last, and when; sign_in: what it was refused to.
    trouble: why nothing can be read until somebody acts, as sentences, "" when all is well.
    spent: calls of the last hour by who made them. armed: seconds until a production connection locks, 0 when it is
    not armed. arm_key: the key that arms.
    """

    name: str
    title: str = ""
    production: bool = False
    locked: str = ""
    armed: float = 0.0
    arm_key: str = "A"
    scope: str = ""
    refused: tuple[str, float] | None = None
    sign_in: str = "TOKEN"
    phase: str = "starting"
    last_ok: float | None = None
    next_at: float | None = None
    error: FleetError | None = None
    walked: int = 0
    total: int | None = None
    used: int = 0
    limit: int = 0
    spent: tuple[tuple[str, int], ...] = ()
    tabs: tuple[Tab, ...] = ()
    current: str = ""
    problems: int | None = None
    silent: int | None = None
    others: Others | None = None
    trouble: str = ""


def freshness(state: HeaderState, now: float, *, step: int = 1, room: int = 60) -> tuple[str, str]:
    """How old the data is and why, with its role. step: seconds by which ages below a minute tick."""
    old = "" if state.last_ok is None else f" {_age(now - state.last_ok, step)}"
    next_try = ""
    if state.next_at is not None and state.next_at > now:
        next_try = f", next try {_age(state.next_at - now, step)}"
    why = ""
    if state.error is not None:
        short = _SHORT.get(state.error.kind, state.error.kind.value.replace("_", " "))
        long = state.error.what.rstrip(".")
        why = long if len(long) + len(old) + len(next_try) + 8 <= room else short
    if state.phase == "signed_out":
        aged = f"signed out{old and f', data{old} old'}"
        said = (f"{aged}, give credentials and press r", f"{aged}, press r", "signed out, press r", "signed out")
        return next((words for words in said if len(words) <= room), said[-1]), "bad"
    if state.phase == "paused":
        return f"asked to wait{next_try or ''}{old and f', data{old} old'}", "warn"
    if state.phase == "stale" or state.error is not None:
        head = f"stale{old}" if old else "no data yet"
        return f"{head}{why and f', {why}'}{next_try}", "warn" if old else "bad"
    if state.phase == "syncing" and state.last_ok is None:
        of = f" of {state.total:,}" if state.total else ""
        return (f"reading {state.walked:,}{of}" if state.walked else "reading the fleet"), "info"
    if state.phase == "starting":
        return (f"last known{old}, starting" if old else "starting"), "muted"
    return f"fresh{old}", "good"


def _age(seconds: float, step: int) -> str:
    whole = max(0, int(seconds))
    return age(whole - whole % step if whole < 60 else whole)


def paint(state: HeaderState, now: float, width: int, *, zone: tzinfo | None = None, step: int = 1) -> list[Line]:
    """Both lines for a width."""
    narrow = width < _NARROW
    edged = state.production and narrow
    edge = part("#" if glyphs() is ASCII else "▌", "production", bold=True) if edged else part(" ")
    left: list[Part] = [edge, part(state.name, "text", bold=True)]
    if state.title and not narrow:
        left.append(part(f"  {state.title}", "muted"))
    if state.production:
        left.append(part(" PRODUCTION" if narrow else "  PRODUCTION", "production", bold=True))
    if said := _writing(state, narrow=narrow):
        dot = " " if narrow or not state.production else " · "
        left.append(part(f"{dot if state.production else '  '}{said}", "warn", bold=not state.locked))
    if state.scope:
        left.append(part(f"  {state.scope}", "info"))
    if state.others is not None:
        left.append(_beside(state.others, narrow=narrow))
    if state.refused:
        permission, at = state.refused
        full = f"  {state.sign_in} ({permission} refused at {datetime.fromtimestamp(at).astimezone(zone):%H:%M})"
        left.append(part(full if length(left) + len(full) <= width - 60 else f"  {state.sign_in}", "warn"))
    right: list[Part] = [part(_budget(state, width), _budget_role(state))] if state.limit else []
    if not narrow:
        clock = datetime.fromtimestamp(now).astimezone(zone)
        right.append(part(f"    {clock:%H:%M %Z}", "muted"))
    room = width - length(left) - length(right) - 6
    text, role = freshness(state, now, step=step, room=room)
    gap = "  " if narrow else "    "
    trouble = wrap(state.trouble, max(width - 2, 20))[:_TROUBLE_LINES] if state.trouble else []
    return [
        spread(left, [part(fit(text, max(room, 12)).rstrip(), role), part(gap if right else ""), *right, part(" ")],
               width),
        _tabs(state, width, edge),
        *([edge, part(line, "bad")] for line in trouble),
    ]  # fmt: skip


def _writing(state: HeaderState, *, narrow: bool) -> str:
    """Why nothing may be changed, or for how long it may; rounded up, so that it never says 0."""
    if state.locked == "LOCKED":
        return f"LOCKED ({state.arm_key})" if narrow else f"LOCKED, {state.arm_key} arms"
    if state.locked or state.armed <= 0:
        return state.locked
    seconds = math.ceil(state.armed)
    return f"ARMED {seconds}s" if seconds < 60 else f"ARMED {math.ceil(seconds / 60)}m"


def _beside(others: Others, *, narrow: bool) -> Part:
    """What else is open and how it is: `+1 open, depot stale`."""
    if narrow:
        said = "" if others.words == "fresh" else f" {others.words}"
        return part(f" +{others.count}{said}", others.role)
    whose = f"{others.name} " if others.name else ""
    return part(f"   +{others.count} open, {whose}{others.words}", others.role)


def _budget(state: HeaderState, width: int) -> str:
    if width < _NARROW:
        return f"API {round(100 * state.used / state.limit)}%"
    who = ", ".join(f"{name} {count:,}" for name, count in state.spent[:3]) if width >= _ROOMY else ""
    return f"API {state.used:,} of {state.limit:,}/h{who and f' ({who})'}"


def _budget_role(state: HeaderState) -> str:
    share = state.used / state.limit
    return "bad" if share >= 1 else "warn" if share >= 0.8 else "muted"


def _tabs(state: HeaderState, width: int, edge: Part) -> Line:
    counts, gap, beside = _fitted(state, width)
    left: list[Part] = [edge]
    for tab, count in zip(state.tabs, counts, strict=True):
        here = tab.key == state.current
        left.append(part(f"{tab.number} ", "accent" if here else "muted", bold=here))
        left.append(part(tab.title, "text" if here else "muted", bold=here))
        left.append(part(count, "text" if here else "muted"))
        left.append(part(" " * gap))
    return spread(left, _numbers(state, beside), width)


def _numbers(state: HeaderState, beside: int) -> list[Part]:
    """How many have problems, how many are silent. beside: how many of the two are said."""
    right: list[Part] = []
    if state.problems is not None and beside:
        right.append(part(f"Problems {state.problems:,}", "bad" if state.problems else "muted"))
        if state.silent is not None and beside > 1:
            right.append(part("  "))
            right.append(part(f"Silent {state.silent:,}", "warn" if state.silent else "muted"))
        right.append(part(" "))
    return right


def _fitted(state: HeaderState, width: int) -> tuple[list[str], int, int]:
    """What is said so that every screen stays in sight: the counts, the gap between screens, as `_numbers`.

    What goes first is what every screen of devices says too.
    """
    whole = ["" if tab.count is None else f" {tab.count:,}" for tab in state.tabs]
    short = ["" if tab.count is None else f" {_short(tab.count)}" for tab in state.tabs]
    here = [count if tab.key == state.current else "" for tab, count in zip(state.tabs, short, strict=True)]
    most = 2 if width >= 76 else 0
    offers = [(whole, 3, beside) for beside in range(most, -1, -1)]
    offers += [(whole, 2, 0), (short, 2, 0), (here, 2, 0), (here, 1, 0), ([""] * len(whole), 1, 0)]
    for counts, gap, beside in offers:
        size = 1 + sum(len(f"{tab.number} {tab.title}{count}") + gap
                       for tab, count in zip(state.tabs, counts, strict=True))  # fmt: skip
        if size - gap + length(_numbers(state, beside)) + 2 <= width:
            return counts, gap, beside
    return offers[-1]


def _short(count: int) -> str:
    return f"{count:,}" if count < 10_000 else f"{count // 1000:,}k"


class Header(Lines):
    """Shows what `read` answers; `tick` repaints the cells that changed since."""

    DEFAULT_CSS: ClassVar[str] = "Header { dock: top; height: 2; }"

    def __init__(self, read: Callable[[], HeaderState], now: Callable[[], float], *, step: int = 1) -> None:
        super().__init__()
        self._read = read
        self._now = now
        self._step = step

    def tick(self) -> None:
        """Say it anew; nothing is sent where it is the same."""
        if width := self.size.width or self.app.size.width:
            lines = paint(self._read(), self._now(), width, step=self._step)
            if self.styles.height is None or self.styles.height.value != len(lines):
                self.styles.height = len(lines)
            self.show(lines)

    def on_mount(self) -> None:
        self.tick()

    def rebuild(self) -> None:
        self.tick()

    def on_click(self, event: Any) -> None:
        if event.y != 1:
            return
        x = 1
        state = self._read()
        counts, gap, _beside = _fitted(state, self.size.width)
        for tab, count in zip(state.tabs, counts, strict=True):
            size = len(f"{tab.number} {tab.title}{count}")
            if x <= event.x < x + size:
                self.app.call_later(self.app.run_action, "both" if tab.key == "both" else f"go('{tab.key}')")
                return
            x += size + gap
