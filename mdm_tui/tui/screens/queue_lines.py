"""Commands as lines: the details of one on the Queue, and the list of them on the Device screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Any

from mdm_tui.fleet.commands import STATE_WORDS, State
from mdm_tui.fleet.inventory import Entry
from mdm_tui.fleet.inventory_text import Line, Spot, width_of, wrap
from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import age, show_time
from mdm_tui.tui.widgets.grid_text import fit, glyphs
from mdm_tui.tui.widgets.ladder import RUNGS, ladder, state_cell, state_glyph

__all__ = ["command_lines", "detail_lines", "ends"]

_LABEL = 10


def ends(item: Any, now: float) -> str:
    """When it ends or ended: `in 3h`, `2m ago`."""
    if item.ended_at is not None:
        gone = age(now - item.ended_at)
        return gone if gone == "now" or gone.startswith("in ") else f"{gone} ago"
    if item.expires_at is not None and not item.state.ended:
        return age(now - item.expires_at) if item.expires_at > now else "overdue"
    return "-"


def command_lines(items: Sequence[Any], width: int, *, now: float) -> list[Line]:
    """One block a command: what, its state, when, who, its evidence, and what there is to say of it."""
    made: list[Line] = []
    for item in items:
        sign, state = state_glyph(item), state_cell(item)
        asked = f"{age(now - item.asked)} ago" if item.asked is not None else "-"
        name = fit(clean(item.name), 16)
        place = f"commands.{item.key}"
        spans = [("   ", ""), (f"{sign.text} ", sign.role), (f"{name}  ", ""), (fit(state.text, 24), state.role)]
        spans.append((f"  {asked:>8}  {fit(clean(item.by), 12)}", "muted"))
        spots = (Spot(5, width_of(name.rstrip()), Entry("Command", item.name, "text", item.name, place)),)
        rungs = ladder(item)
        if width >= 76 + len(rungs):
            spans.append((f"  {rungs}", "muted"))
            made.append(Line(tuple(spans), spots))
        else:
            made.append(Line(tuple(spans), spots))
            made.append(Line((("     ", ""), (rungs, "muted"))))
        made.extend(_more(item, width, place))
    return made


def _more(item: Any, width: int, place: str) -> Iterator[Line]:
    said: list[tuple[str, str]] = []
    if item.explanation:
        said.append((item.explanation, "muted"))
    if item.error and item.error != item.explanation:
        said.append((item.error, "bad"))
    said.extend((f"result: {result.text}", "") for result in item.results if result.text)
    for number, (text, role) in enumerate(said):
        text = clean(text, 2_000)
        entry = Entry("Text", text, "text", text, f"{place}.{number}")
        for piece in wrap(text, width - 7):
            yield Line((("     ", ""), (piece, role)), (Spot(5, max(1, width_of(piece)), entry),))


def detail_lines(item: Any, width: int, *, now: float, zone: tzinfo | None = None) -> list[Line]:
    """All that is known of one command."""
    made: list[Line] = []
    sign = state_glyph(item)
    words = STATE_WORDS.get(item.state, item.state.value)
    head = [(" ", ""), (f"{sign.text} ", sign.role), (clean(item.name), ""), (f" on {clean(item.device_name)}", "")]
    head.append((f"   {words}", state_cell(item).role))
    if item.status:
        head.append((f"   {clean(item.status)}", "muted"))
    made.append(Line(tuple(head), (Spot(3, 1, Entry("Command", item.name, "text", item.name, item.key)),)))
    if item.explanation:
        made.extend(_fact("", item.explanation, width, item.key + ".explanation", "warn" if _unclear(item) else ""))
    made.extend(_rungs(item, width, zone))
    if item.error:
        made.extend(_fact("Error", item.error, width, item.key + ".error", "bad"))
    for number, result in enumerate(item.results):
        when = f"{show_time(result.at, zone)}  " if result.at is not None else ""
        text = ", ".join(part for part in (result.text, result.error, result.error_type) if part) or "no text"
        made.extend(_fact("Result", when + text, width, f"{item.key}.result.{number}", "bad" if result.error else ""))
    times = []
    if item.asked is not None:
        times.append(f"asked {show_time(item.asked, zone)}")
    if item.ended_at is not None:
        times.append(f"ended {show_time(item.ended_at, zone)}")
    elif item.expires_at is not None:
        times.append(f"delivery expires {show_time(item.expires_at, zone)}")
    if times:
        made.extend(_fact("Times", ", ".join(times), width, item.key + ".times"))
    if item.args:
        made.extend(_fact("With", item.args, width, item.key + ".args"))
    if item.duration is not None:
        made.extend(
            _fact("Duration", f"{item.duration:g}, as asked; the contract names no unit", width, item.key + ".duration")
        )
    by = item.by if item.ours else "made elsewhere; the contract names no author"
    reason = f", reason: {item.reason}" if item.reason else ""
    made.extend(_fact("By", f"{by}{reason}", width, item.key + ".by"))
    ids = [f"device {item.device_id}"]
    if item.command_id:
        ids.append(f"command {item.command_id}")
    made.extend(_fact("Ids", ", ".join(ids), width, item.key + ".ids"))
    return made


def _unclear(item: Any) -> bool:
    return item.state in (State.UNKNOWN, State.AMBIGUOUS, State.ABSENT)


def _rungs(item: Any, width: int, zone: tzinfo | None) -> Iterator[Line]:
    """The evidence, on as many lines as it needs."""
    spans: list[tuple[str, str]] = [("   ", ""), (fit("Evidence", _LABEL), "muted")]
    for rung in item.evidence:
        more: list[tuple[str, str]] = [("   ", "")] if len(spans) > 2 else []
        name = RUNGS[rung.name]
        if rung.known == "yes":
            # The day stands with the other times.
            when = f" {show_time(rung.at, zone)[11:19]}" if rung.at is not None and width >= 100 else ""
            more += [(f"{glyphs().mark} ", "good"), (name, ""), (when, "muted")]
        else:
            why = "not yet" if rung.known == "no" else "nobody says"
            more.append((f"{glyphs().pending} {name}: {why}", "muted"))
        if len(spans) > 2 and sum(width_of(text) for text, _role in (*spans, *more)) > width:
            yield Line(tuple(spans))
            spans, more = [("   ", ""), (" " * _LABEL, "")], more[1:]
        spans += more
    yield Line(tuple(spans))


def _fact(label: str, text: str, width: int, path: str, role: str = "") -> Iterator[Line]:
    text = clean(text, 4_000)
    entry = Entry(label or "Text", text, "text", text, path)
    left = 3 + _LABEL if label else 3
    for number, piece in enumerate(wrap(text, max(12, width - left - 2))):
        name = fit(label, _LABEL) if number == 0 else " " * _LABEL
        yield Line(
            (("   ", ""), (name if label else "", "muted"), (piece, role)),
            (Spot(left, max(1, width_of(piece)), entry),),
        )
