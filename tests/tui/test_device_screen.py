"""The Device screen: all of a report, found, copied, followed while it changes (story 2)."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from house import House, open_house
from rich.segment import Segment
from textual.strip import Strip

from mdm_tui.fleet import fields
from mdm_tui.fleet.devices import Device
from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.fields import known
from mdm_tui.fleet.inventory import EMPTY, SECRET, Entry, _dotted
from mdm_tui.fleet.inventory_text import Line
from mdm_tui.fleet.report import Leaf, get, leaves
from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import parse_time, show, show_bytes, show_time
from mdm_tui.providers.applivery.report import SECRET_NAMES, redact, report
from mdm_tui.tui.screens.ask import Choose
from mdm_tui.tui.screens.device import DeviceScreen
from mdm_tui.tui.widgets.report import LinesView
from tests.contract.applivery import contract, sample
from tests.faulty import Answer, Status


def squashed(text: str) -> str:
    """Without blanks: a value may be wrapped anywhere."""
    return "".join(text.split())


def forms(value: Any) -> Iterator[str]:
    """The ways in which a value may stand on the screen."""
    if value is None:
        yield "-"
    elif isinstance(value, bool):
        yield "yes" if value else "no"
    elif isinstance(value, (dict, list)):
        yield EMPTY
    else:
        yield clean(value, 10**6) or "-"
        yield show(value, "celsius")
        yield show(value, "percent")
        yield show(value, "number")
        yield show(value, "duration")
        if isinstance(value, (int, str)) and str(value).isdigit():
            yield show_bytes(int(value))
        if (stamp := parse_time(value)) is not None:
            yield show_time(stamp)


Shown = dict[str, tuple[Entry, str]]
"""The places in the report that the screen has a value of: the entry, and what stands there without blanks."""


def on_screen(lines: Sequence[Line]) -> Shown:
    found: Shown = {}
    for line in lines:
        for x, width, entry in line.spots:
            if entry.heading:
                continue
            _entry, before = found.get(entry.path, (entry, ""))
            found[entry.path] = entry, before + squashed(Strip([Segment(line.text)]).crop(x, x + width).text)
    return found


def owner(leaf: Leaf, shown: Shown) -> str:
    """The place whose value the leaf is, or is a part of; "" when there is none."""
    place = _dotted(leaf.path).removeprefix("other.")
    if place in shown:
        return place
    # A list of plain values is one value.
    if isinstance(leaf.path[-1], int) and (above := place.rpartition("[")[0]) in shown:
        return above
    # Several leaves of a row may share a cell of its table, which is called by the first of them.
    row = re.match(r"[^\[]*\[\d+\]", place)
    field = known(leaf.pattern)
    for path, (entry, _text) in shown.items() if field else ():
        if row and path.startswith(row[0]) and isinstance(entry.value, list) and leaf.value in entry.value:
            return path
    return ""


def unseen(report: dict[str, Any], shown: Shown) -> list[str]:
    """The leaves of a report that do not stand on the screen at a place of their own, as what they are."""
    missing: list[str] = []
    for leaf in leaves(report):
        path = owner(leaf, shown)
        if not path:
            missing.append(_dotted(leaf.path))
            continue
        entry, text = shown[path]
        said = {squashed(form) for form in forms(leaf.value)} | (
            {squashed(SECRET)} if entry.kind == "secret" else set()
        )
        whole = path == _dotted(leaf.path).removeprefix("other.") and not isinstance(entry.value, list)
        # A long label stands above its value and is of the same place.
        text = text.removeprefix(squashed(entry.label)) if text not in said else text
        if text not in said if whole else not any(form in text for form in said):
            missing.append(_dotted(leaf.path))
    return missing


async def shown(house: House, raw: dict[str, Any]) -> str:
    """Put a device into the mirror as the provider would, open it, and take all lines of the screen."""
    # The fleet has no such device: a 404 would take it out of the mirror again, perhaps before it is drawn.
    house.net.rule(Status(500), path=f"/devices/{raw['id']}")
    kept = redact(raw)
    values = fields.values(report(kept))
    device = Device(str(raw["id"]), values, json.dumps(kept), detail=True)
    await house.session.mirror.put_detail(house.session.scope, device, house.clock.now())
    house.app.open_device(device.id)
    await house.rest()
    return "\n".join(line.text for line in house.screen.query_one(LinesView).lines)


def contract_example() -> dict[str, Any]:
    for path, item in contract()["paths"].items():
        if path.endswith("/devices/{aosDeviceId}"):
            content = item["get"]["responses"]["200"]["content"]["application/json"]
            examples = content.get("examples") or {"only": {"value": content["example"]}}
            return next(iter(examples.values()))["value"]["data"]
    raise AssertionError("the contract has no example of a device")


def values_of(tree: Any) -> Counter[str]:
    """How often each value is there. An empty object says nothing; merged into its section it goes."""
    return Counter(repr(leaf.value) for leaf in leaves(tree) if leaf.value != {})


async def opened(house: House, which: str) -> tuple[dict[str, Any], dict[str, Any], str, Shown]:
    """A device on the screen: the service's words, the report, all of the screen's text, and its places."""
    if which == "simulated":
        house.app.open_device(house.listening())
        await house.rest()
        raw = json.loads(house.screen.stored.device.raw)
    else:
        raw = contract_example() if which == "contract" else sample("device-update.answer")["data"]
        raw["id"] = "6710a4e2c93f5b0017de0a11"
        await shown(house, raw)
    lines = house.screen.query_one(LinesView).lines
    return raw, house.screen.contents.report, "\n".join(line.text for line in lines), on_screen(lines)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("which", ["contract", "seed", "simulated"])
async def test_every_leaf_of_a_device_is_on_the_screen(tmp_path: Path, which: str, width: int) -> None:
    async with open_house(tmp_path, width=width) as house:
        raw, held, text, places = await opened(house, which)
        kept = redact(raw)
        assert values_of(kept) == values_of(held), "the provider moved them and lost none"
        assert sum(1 for _leaf in leaves(held)) > 60
        assert unseen(held, places) == []
        for leaf in leaves(raw):
            if leaf.path[-1] in SECRET_NAMES and isinstance(leaf.value, str) and len(leaf.value) >= 8:
                assert leaf.value not in text


async def test_no_leaf_could_be_left_out_unnoticed(tmp_path: Path) -> None:
    async with open_house(tmp_path, width=80) as house:
        _raw, held, _text, places = await opened(house, "contract")
        for leaf in leaves(held):
            path = owner(leaf, places)
            gone = {place: value for place, value in places.items() if place != path}
            assert _dotted(leaf.path) in unseen(held, gone), "its line is gone"
            wrong = places | {path: (places[path][0], "yes" if leaf.value is not True else "no")}
            if leaf.value not in ("yes", "no"):
                assert _dotted(leaf.path) in unseen(held, wrong), "another value stands there"


async def test_a_device_that_is_gone_before_its_screen_is_drawn_shows_what_was_held(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        device_id = house.listening()
        devices = house.session.devices
        house.net.rule(Answer({"status": False, "error": {"code": 3001, "message": "Entity not found"}}, 404),
                       path=f"/devices/{device_id}")  # fmt: skip
        opening = devices.open

        async def open_late(wanted: str) -> Any:
            # The service answers, and the mirror drops the device, before the screen goes on.
            held = await opening(wanted)
            with pytest.raises(FleetError):
                await devices.refresh(wanted)
            return held

        devices.open = open_late
        house.app.open_device(device_id)
        await house.rest()
        assert await house.session.mirror.device(house.session.scope, device_id) is None
        held = house.screen.stored.device.values
        lines = "\n".join(line.text for line in house.screen.query_one(LinesView).lines)
        assert held["serial"] and held["serial"] in lines
        assert "the full view could not be read" in " ".join(house.text().split())


async def test_what_nobody_knows_is_shown_with_its_path(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        raw = sample("device-update.answer")["data"]
        raw["id"] = "6710a4e2c93f5b0017de0a11"
        raw["config"]["deviceReport"]["quantumInfo"] = {"spin": ["up", {"phase": 7}]}
        text = await shown(house, raw)
        assert "Not known to this console" in text
        assert "config.deviceReport.quantumInfo.spin[1].phase  7" in text
        assert "Unknown" in house.text()


async def test_sections_finding_and_copying(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.app.open_device(house.listening())
        await house.rest()
        screen = house.screen
        view = screen.query_one(LinesView)
        seen = []
        while not screen.raw_view:
            seen.append(view.section)
            await house.press("greater_than_sign")
        assert seen[:4] == ["overview", "health", "hardware", "software"]
        assert seen[-1] == "history", "the raw document is the last"
        await house.press("greater_than_sign")
        assert view.section == "overview", "and round again"
        await house.press("slash")
        await house.type("battery")
        assert view.matches[1] > 3
        await house.press("enter")
        first = view.cursor
        await house.press("n")
        assert view.cursor > first
        await house.press("N")
        assert view.cursor == first
        await house.press("escape")
        assert not view.needle
        assert isinstance(house.screen, DeviceScreen), "esc took the search away, not the screen"
        view.go("overview")
        await house.press("slash")
        await house.type("operator")
        await house.press("enter", "y")
        held = get(screen.contents.report, "network.networkOperatorName")
        assert house.app.clipboard == held
        await house.press("Y")
        assert "Identity" in house.app.clipboard and str(held) in house.app.clipboard
        await house.press("escape", "escape")
        assert not isinstance(house.screen, DeviceScreen)


async def test_the_raw_document_shows_what_is_really_there(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        raw = sample("device-update.answer")["data"]
        raw["id"] = "6710a4e2c93f5b0017de0a11"
        raw["displayName"] = "Gate\u202e\x1b]52;c;eA==\x07[/]"
        await shown(house, raw)
        await house.screen.go_section("raw")
        await house.rest()
        text = "\n".join(line.text for line in house.screen.query_one(LinesView).lines)
        assert "\\u202e\\u001b]52;c;eA==\\u0007[/]" in text
        assert all(char == "\n" or char.isprintable() for char in text)


async def test_a_report_that_changes_leaves_the_cursor_on_its_value(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        raw = sample("device-update.answer")["data"]
        raw["id"] = "6710a4e2c93f5b0017de0a11"
        raw["config"]["deviceReport"]["networkInfo"]["networkOperatorName"] = "Movistar"
        await shown(house, raw)
        view = house.screen.query_one(LinesView)
        view.go("network")
        while view.entry is None or view.entry.path != "network.networkOperatorName":
            await house.press("j")
        top = view.cursor - view.top
        raw["tags"] = [f"tag-{number}" for number in range(60)]
        raw["config"]["deviceReport"]["networkInfo"]["networkOperatorName"] = "Orange"
        device = Device(raw["id"], fields.values(report(redact(raw))), json.dumps(redact(raw)), detail=True)
        house.session.context.announce(
            await house.session.mirror.put_detail(house.session.scope, device, house.clock.now())
        )
        await house.advance(1)
        assert view.entry is not None and view.entry.text == "Orange"
        assert view.cursor - view.top == top


async def test_commands_and_history_stand_there_and_live(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        device_id = house.listening()
        house.app.open_device(device_id)
        await house.rest()
        assert any("No command is known" in line.text for line in house.screen.query_one(LinesView).lines)
        plan = await house.session.commands.plan("LOCK", [house.session.context.key(device_id)])
        await house.session.commands.submit(plan, plan.expects)
        await house.advance(120)
        text = "\n".join(line.text for line in house.screen.query_one(LinesView).lines)
        assert "LOCK" in text and "done · DONE" in text
        assert "Reports kept by this console" in text


async def test_a_service_without_the_full_view_costs_a_sentence(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        device_id = house.listening()
        house.net.rule(Answer({"status": False, "error": {"code": 3001, "message": "Entity not found"}}, 404),
                       path=f"/devices/{device_id}")  # fmt: skip
        house.app.open_device(device_id)
        await house.rest()
        text = house.text()
        assert "What the list says; the full view could not be read" in " ".join(text.split()), text
        assert house.app.is_running


async def test_five_thousand_lines_cost_what_is_in_sight(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        raw = sample("device-update.answer")["data"]
        raw["id"] = "6710a4e2c93f5b0017de0a11"
        raw["config"]["deviceReport"]["novel"] = {f"key{number}": number for number in range(5_000)}
        await shown(house, raw)
        view = house.screen.query_one(LinesView)
        assert len(view.lines) > 5_000
        painted: list[int] = []
        paint = view.render_line
        view.render_line = lambda y: (painted.append(y), paint(y))[1]  # type: ignore[method-assign]
        await house.press("j")
        assert 0 < len(painted) <= 4
        painted.clear()
        await house.press("G")
        assert len(painted) <= 2 * view.page


async def test_a_hostile_fleet_breaks_no_screen(tmp_path: Path) -> None:
    async with open_house(tmp_path, scenario="hostile", devices=12) as house:
        source = house.screen.source
        for device_id in [source.id_at(index) for index in range(source.count())]:
            house.app.open_device(device_id)
            await house.rest()
            assert isinstance(house.screen, DeviceScreen)
            assert all(char == "\n" or char.isprintable() for char in house.text())
            await house.press("less_than_sign")
            assert all(char == "\n" or char.isprintable() for char in house.text())
            await house.press("e", "escape", "escape")
        await house.press("2")
        await house.advance(1)
        await house.press("enter", "f3", "f3", "f3")
        assert all(char == "\n" or char.isprintable() for char in house.text())
        await house.press("escape", "3")
        await house.advance(1)
        assert house.app.is_running


async def test_the_question_of_the_export_can_be_left_and_answered(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.app.open_device(house.listening())
        await house.rest()
        device = house.screen
        await house.press("x")
        assert isinstance(house.screen, Choose)
        # The key that closes the dialog must be heard: whatever asked may not sit in the queue of keys.
        await house.press("escape")
        assert house.screen is device


async def test_a_device_that_leaves_while_it_is_opened_stays_as_it_was_known(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        device_id = house.listening()
        mirror = house.session.mirror
        held = await mirror.device(house.session.scope, device_id)
        answers = [held]

        async def device(scope: str, key: str) -> Any:
            return answers.pop() if answers else None

        mirror.device = device  # type: ignore[method-assign]
        house.app.open_device(device_id)
        await house.rest()
        assert not answers
        assert house.screen.contents.report and str(held.device.values["serial"]) in house.text()


async def test_keys_work_while_another_console_holds_the_journal(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        devices = house.screen
        with contextlib.closing(sqlite3.connect(house.paths.journal, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            house.app.open_device(house.listening())
            await house.pilot.pause()
            assert house.screen is not devices
            await house.pilot.press("escape")
            assert house.screen is devices
            other.execute("ROLLBACK")
        await house.rest()
