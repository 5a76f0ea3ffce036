"""The top of the Device screen: what matters most, in two columns, with the last measurements as small pictures."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import tzinfo
from typing import Any

from mdm_tui.fleet import faults
from mdm_tui.fleet.devices import Value
from mdm_tui.fleet.inventory import Entry
from mdm_tui.fleet.inventory_text import Line, Spot, width_of
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.report import Report, get, last
from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import age, number, parse_time, show, show_bytes, show_time
from mdm_tui.tui.screens.devices_text import cell, faults_of
from mdm_tui.tui.widgets.grid_text import fit, glyphs
from mdm_tui.tui.widgets.spark import bar, spark

__all__ = ["overview", "series"]

_TWO_FROM = 76
_LABEL = 12
_WIDE_FROM = 104
_PICTURE = 14
_SMALL = 6

Fact = tuple[str, list[tuple[str, str]], Entry]
"""A label, its value as (text, role) runs, and what copying it gives."""


def overview(
    report: Report,
    values: Mapping[str, Value],
    width: int,
    *,
    now: float,
    zone: tzinfo | None = None,
    margin: int = 1,
    capabilities: Collection[Capability] = frozenset(Capability),
    group_path: str = "",
) -> list[Line]:
    """The lines of the overview.

    values: the device's column values. now: epoch seconds. capabilities: of the service; of what it never says nothing
    is said. group_path: the names from the top down to the device's group.
    """
    made: list[Line] = []
    if text := clean(faults_of(values, now)):
        entry = Entry("Faults", text, "text", text, "faults")
        spans = [(" " * margin, ""), (f"{glyphs().fault} ", faults.role(text))]
        for word in text.split(", "):
            spans += [(", ", "muted")] if len(spans) > 2 else []
            spans.append((word, faults.role(word)))
        made.append(Line(tuple(spans), (Spot(margin + 2, len(text), entry),)))
        made.append(Line())
    narrow = _TWO_FROM <= width < _WIDE_FROM
    left = [fact for fact in _left(report, values, now, zone, narrow) if fact]
    if Capability.POLICIES not in capabilities:
        left = [fact for fact in left if fact[0] != "Policy"]
    left[2:2] = facts_of(values, group_path, now)
    right = [fact for fact in _right(report, values, _SMALL if narrow else _PICTURE) if fact]
    if width < _TWO_FROM:
        made.extend(_line([fact], width - margin - 1, margin) for fact in left + right)
    else:
        half = (width - margin) // 2
        for row in range(max(len(left), len(right))):
            pair = [facts[row] if row < len(facts) else None for facts in (left, right)]
            made.append(_line(pair, half, margin))
    made[0].anchor = "overview"
    return made


def _line(facts: list[Fact | None], size: int, margin: int) -> Line:
    spans: list[tuple[str, str]] = [(" " * margin, "")]
    spots: list[Spot] = []
    x = margin
    for fact in facts:
        if fact is None:
            spans.append((" " * size, ""))
            x += size
            continue
        label, runs, entry = fact
        room = size - _LABEL - 2
        spans.append((fit(label, _LABEL), "muted"))
        used = 0
        for text, role in runs:
            if used >= room:
                break
            piece = text if used + width_of(text) <= room else fit(text, room - used)
            spans.append((piece, role))
            used += width_of(piece)
        spots.append(Spot(x + _LABEL, max(1, used), entry))
        spans.append((" " * (size - _LABEL - used), ""))
        x += size
    return Line(tuple(spans), tuple(spots))


def _fact(label: str, path: str, *runs: tuple[str, str], value: Any = None) -> Fact:
    text = "".join(text for text, _role in runs)
    return label, list(runs), Entry(label, text, "text", text if value is None else value, f"overview.{path}")


def _left(
    report: Report, values: Mapping[str, Value], now: float, zone: tzinfo | None, narrow: bool
) -> list[Fact | None]:
    found: list[Fact | None] = []
    state = clean(values.get("state") or "-")
    since = _since(report, state)
    role = "" if state == "ACTIVE" else "muted" if state == "PROVISIONING" else "warn"
    when = f" since {show_time(since, zone)[:10]}" if since is not None else ""
    found.append(_fact("State", "state", (state, role), (when, "muted"), value=state))
    seen = values.get("seen")
    if isinstance(seen, (int, float)):
        late = bool(faults.silent(seen, now))
        gone = age(now - seen)
        ago = gone if gone == "now" or gone.startswith("in ") else f"{gone} ago"
        when = show_time(seen, zone)
        shown = when[:16] if narrow else when
        found.append(_fact("Seen", "seen", (ago, "warn" if late else ""), (f"  {shown}", "muted"), value=when))
    else:
        found.append(_fact("Seen", "seen", ("never reported", "muted")))
    found.append(_policy(report, values))
    stack = _stack(report)
    found.append(_fact("Effective", "effective", (stack, "")) if stack else None)
    compliant = get(report, "compliance.policyCompliant")
    if compliant is False:
        details = get(report, "compliance.nonComplianceDetails")
        count = len(details) if isinstance(details, list) else 0
        what = f"no, {count} detail{'s' if count != 1 else ''}" if count else "no"
        found.append(_fact("Compliant", "compliant", (what, "bad")))
    elif compliant is True:
        found.append(_fact("Compliant", "compliant", ("yes", "")))
    for label, key in (("User", "user"), ("Tags", "tags"), ("Segment", "segment")):
        value = values.get(key)
        if value not in (None, ""):
            found.append(_fact(label, key, (clean(value), "")))
    return found


def facts_of(values: Mapping[str, Value], group_path: str, now: float) -> list[Fact]:
    """Whether it is connected, where it belongs and on what license; nothing of what is not said."""
    found: list[Fact] = []
    if values.get("link") not in (None, ""):
        shown = cell("link", values, now)
        runs = [(clean(shown.text), shown.role)]
        lost = values.get("disconnected")
        if isinstance(lost, (int, float)):
            runs.append((f"  last disconnected {age(now - lost)} ago", "muted"))
        found.append(_fact("Link", "link", *runs, value=clean(values["link"])))
    if values.get("remote") is not None:
        found.append(_fact("Remote", "remote", ("available" if values["remote"] else "not available", "")))
    if values.get("client") not in (None, ""):
        found.append(_fact("Client", "client", (f"version {clean(values['client'])}", "")))
    group = group_path or clean(values.get("group") or "")
    if group:
        found.append(_fact("Group", "group", (group, "")))
    elif "group" not in values and values.get("link") not in (None, ""):
        found.append(_fact("Group", "group", ("not read yet", "muted")))
    if values.get("license") not in (None, ""):
        renews = values.get("autorenew")
        runs = [(clean(values["license"]), "")]
        if renews is not None:
            runs.append((" · renews by itself" if renews else " · not renewed", "muted"))
        found.append(_fact("License", "license", *runs, value=clean(values["license"])))
    return found


def _since(report: Report, state: str) -> float | None:
    rows = get(report, "state.stateHistory")
    if not isinstance(rows, list):
        return None
    times = [parse_time(row.get("date")) for row in rows if isinstance(row, Mapping) and row.get("state") == state]
    return max((at for at in times if at is not None), default=None)


def _policy(report: Report, values: Mapping[str, Value]) -> Fact | None:
    name = values.get("policy")
    if name in (None, ""):
        return _fact("Policy", "policy", ("none assigned", "muted"))
    runs: list[tuple[str, str]] = [(clean(name), "")]
    wanted, has = values.get("wanted"), values.get("has")
    if wanted not in (None, ""):
        runs.append((f" v{clean(wanted)}", ""))
    if has not in (None, "") and has != wanted:
        runs.append((f" · device has v{clean(has)}", "warn"))
    status = clean(values.get("applied") or "")
    if status and status != "success":
        runs.append((f" · applied: {status}", "bad"))
    pushed = values.get("pushed")
    if pushed is not None:
        runs.append((" · pushed" if pushed else " · not pushed", "muted" if pushed else "warn"))
    elif status:
        runs.append((" · applied", "muted"))
    return _fact("Policy", "policy", *runs, value=clean(name))


def _stack(report: Report) -> str:
    rows = get(report, "policy.assignments")
    if not isinstance(rows, list):
        return ""
    named: list[tuple[float, str]] = []
    for row in rows:
        if isinstance(row, Mapping):
            priority = number(row.get("priority"))
            name = get(row, "policy.name") or row.get("policyId") or "?"
            named.append(
                (priority if priority is not None else 0, f"{clean(name, 60)} ({clean(row.get('priority'), 20)})")
            )
    return " > ".join(text for _priority, text in sorted(named))


def _right(report: Report, values: Mapping[str, Value], cells: int) -> list[Fact | None]:
    found: list[Fact | None] = [_battery(report, values, cells), _temperature(report, cells)]
    found.append(_room("Storage", values.get("storage"), values.get("storagefree"), cells))
    ram = get(report, "memory.freeRam")
    found.append(_room("RAM", values.get("ram"), _measured(report, "RAM_MEASURED") if ram is None else ram, cells))
    system = ", ".join(
        f"{word} {clean(values[key])}" for word, key in (("Android", "os"), ("patch", "patch")) if values.get(key)
    )
    found.append(_fact("System", "system", (system, "")) if system else None)
    build = values.get("build")
    found.append(_fact("Build", "build", (clean(build), "")) if build else None)
    operator = values.get("operator")
    found.append(_fact("Operator", "operator", (clean(operator), "")) if operator else None)
    if values.get("place"):
        accuracy = number(get(report, "location.accuracy"))
        about = f" ± {accuracy:.0f} m" if accuracy is not None else ""
        found.append(_fact("Location", "location", (clean(values["place"]), ""), (about, "muted")))
    return found


def series(report: Report, path: str, key: str) -> list[tuple[float, float]]:
    """The numbers under `key` in the list at `path` with their times, oldest first; the highest of several."""
    rows = get(report, path)
    found: list[tuple[float, float]] = []
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, Mapping):
            continue
        at, raw = parse_time(row.get("createTime")), row.get(key)
        if isinstance(raw, list):
            raw = max((item for item in map(number, raw) if item is not None), default=None)
        value = number(raw)
        if at is not None and value is not None:
            found.append((at, float(value)))
    return sorted(found)


def _span(points: list[tuple[float, float]]) -> str:
    return f"  {age(points[-1][0] - points[0][0])}" if len(points) > 1 and points[-1][0] > points[0][0] else ""


def _battery(report: Report, values: Mapping[str, Value], cells: int) -> Fact | None:
    level = values.get("battery")
    points = series(report, "power.powerManagementEvents", "batteryLevel")
    if level is None and not points:
        return None
    now = show(level, "percent") if level is not None else f"{points[-1][1]:.0f}%"
    low = isinstance(level, (int, float)) and level < faults.LOW_BATTERY
    picture = spark([value for _at, value in points], cells, low=0, high=100)
    runs = [(f"{picture} " if len(points) > 1 else "", "bad" if low else "good"), (now, "bad" if low else "")]
    runs.append((_span(points), "muted"))
    if len(points) > 1 and points[-1][0] > points[0][0]:
        recent = [point for point in points if point[0] >= points[-1][0] - 6 * 3600]
        hours = (recent[-1][0] - recent[0][0]) / 3600
        if hours >= 0.5 and (fall := (recent[0][1] - recent[-1][1]) / hours) >= 1:
            runs.append((f"  falling {fall:.0f} %/h", "warn" if low else "muted"))
    return _fact("Battery", "battery", *runs, value=now)


def _temperature(report: Report, cells: int) -> Fact | None:
    for label, key, limit in (
        ("Battery °C", "batteryTemperatures", "hardware.batteryThrottlingTemperatures"),
        ("CPU °C", "cpuTemperatures", "hardware.cpuThrottlingTemperatures"),
    ):
        points = series(report, "power.hardwareStatusSamples", key)
        if not points:
            continue
        throttles = get(report, limit)
        most = (
            min((item for item in map(number, throttles) if item), default=None)
            if isinstance(throttles, list)
            else None
        )
        now = points[-1][1]
        hot = now >= (most if most is not None else faults.HOT)
        picture = spark([value for _at, value in points], cells, low=15, high=max(60.0, *(v for _at, v in points)))
        runs = [
            (f"{picture} " if len(points) > 1 else "", "bad" if hot else "good"),
            (f"{now:.0f}", "bad" if hot else ""),
        ]
        runs.append((_span(points), "muted"))
        if most is not None:
            runs.append((f"  throttles at {most:.0f}", "warn" if hot else "muted"))
        return _fact(label, "temperature", *runs, value=f"{now:.1f} °C")
    return None


def _measured(report: Report, event: str) -> Any:
    """The newest count of free bytes (Android Management API, MemoryEvent.byteCount)."""
    rows = get(report, "memory.memoryEvents")
    wanted = (
        [row for row in rows if isinstance(row, Mapping) and row.get("eventType") == event]
        if isinstance(rows, list)
        else []
    )
    return last({"rows": wanted}, "rows", "byteCount")


def _room(label: str, whole_value: Any, free_value: Any, cells: int) -> Fact | None:
    """A bar of what is taken."""
    total, free = number(whole_value), number(free_value)
    if not total or total <= 0:
        return None
    if free is None or not 0 <= free <= total:
        return _fact(label, label.lower(), (show_bytes(total), ""))
    part = 1 - free / total
    role = "bad" if part > 0.95 else "warn" if part > 0.9 else "good"
    held, whole = show_bytes(free), show_bytes(total)
    # Where there is little room the unit is said once.
    same = cells < _PICTURE and held.split()[1:] == whole.split()[1:]
    words = f"{held.split()[0]}/{whole} free" if same else f"{held} free of {whole}"
    return _fact(label, label.lower(), (bar(part, cells) + " ", role), (words, "warn" if part > 0.9 else ""))
