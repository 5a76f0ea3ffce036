"""Policies (story 4): listed, narrowed, opened, checked while typing, saved without overwriting, kept as drafts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
from house import House, open_house
from textual.widgets import Input

from mdm_tui.fleet.devices import Device
from mdm_tui.fleet.diff import differences
from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.server.testing import BASE_URL
from mdm_tui.services.session import Session
from mdm_tui.store.mirror import View
from mdm_tui.tui.screens.editor import PolicyScreen
from mdm_tui.tui.screens.editor_lines import difference_lines
from mdm_tui.tui.screens.policies import PoliciesScreen
from mdm_tui.tui.screens.policies_actions import device_search
from mdm_tui.tui.widgets.report import LinesView
from tests.faulty import Delay, Status

POLICIES = "/mdm/aosp/enterprise/policies"


async def listed(house: House) -> Any:
    await house.press("2")
    await house.advance(1)
    assert isinstance(house.screen, PoliciesScreen)
    return house.screen


async def opened(house: House, name: str) -> Any:
    """The editor on the policy of that name."""
    screen = await listed(house)
    key = next(policy.id for policy in screen.source.all() if policy.name == name)
    screen.grid.move_cursor_to(key)
    await house.press("enter")
    assert isinstance(house.screen, PolicyScreen)
    return house.screen


def rows(screen: Any) -> list[str]:
    return [screen.source.policy(screen.source.id_at(index)).name for index in range(screen.source.count())]


async def edit(house: House, **changes: Any) -> None:
    """Type another document: the same with changes."""
    document = json.loads(house.screen.text)
    document.update(changes)
    house.screen.area.text = json.dumps(document, indent=2)
    await house.rest()


async def elsewhere(house: House, policy_id: str, **changes: Any) -> None:
    """Somebody else saves the policy."""
    headers = {"Authorization": f"Bearer {house.fleet.token}"}
    transport = httpx.ASGITransport(house.fleet.app)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers) as client:
        path = f"/organizations/{house.fleet.organization}{POLICIES}/{policy_id}"
        held = (await client.get(path)).json()["data"]
        body = {key: held[key] for key in ("name", "config", "agentConfiguration", "applications") if key in held}
        answer = await client.put(path, json=body | changes)
        assert answer.status_code == 200, answer.text


async def test_the_list_is_sorted_filtered_and_narrowed_to_a_segment(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        screen = await listed(house)
        names = rows(screen)
        assert len(names) > 5 and names == sorted(names, key=str.casefold)
        screen.sort_by("version")
        assert rows(screen) != names
        await house.press("slash")
        await house.type("kiosk")
        assert rows(screen) == ["Kiosk"]
        await house.press("escape")
        assert len(rows(screen)) == len(names)
        await house.press("c", "end", "enter")
        await house.type("iberia")
        await house.press("enter", "down", "down", "enter")
        asked = [seen.params for seen in house.net.seen if seen.path.endswith(POLICIES)][-1]
        assert asked["expandTo"] == "ancestors" and asked["segmentId"].isdigit()
        assert asked["sort"].startswith("version:") and asked["page"] == "1"
        assert 0 < len(rows(screen)) < len(names)
        assert "segment Iberia and above" in house.text()
        await house.press("colon")
        await house.type("segment all")
        await house.press("enter")
        assert len(rows(screen)) == len(names)


async def test_the_segment_of_the_console_is_that_of_the_policies(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.press("colon")
        await house.type("segment iberia")
        await house.press("enter", "enter")
        screen = await listed(house)
        await house.rest()
        assert "segment Iberia" in house.text()
        asked = [seen.params for seen in house.net.seen if seen.path.endswith(POLICIES)][-1]
        assert asked["segmentId"].isdigit()
        held = {policy.segment_id for policy in screen.source.all() if policy.name in rows(screen)}
        assert held == {int(asked["segmentId"])}, "rows of that segment, and of no other"


async def test_a_copy_begins_as_the_policy_under_the_cursor(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        screen = await listed(house)
        key = next(policy.id for policy in screen.source.all() if policy.name == "Kiosk")
        screen.grid.move_cursor_to(key)
        await house.press("c", "down", "enter")
        assert isinstance(house.screen, PolicyScreen)
        assert house.screen.policy_id.startswith("new:") and '"name": "Kiosk"' in house.screen.text
        assert house.posts() == [], "nothing is sent before it is saved"


async def test_a_key_given_to_what_has_none_is_heard(tmp_path: Path) -> None:
    async with open_house(tmp_path, keymap={"delete": "D"}) as house:
        await listed(house)
        await house.press("D")
        assert "Delete the policy" in house.text()


async def test_a_mistake_stands_at_its_line_and_nothing_is_sent(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        screen = await opened(house, "Kiosk")
        assert screen.area.language == "json"
        await edit(house, name="x" * 257)
        line = next(at for at, text in enumerate(screen.text.split("\n")) if '"name": "xxx' in text)
        assert line in screen.area.notes
        assert "256" in screen.area.notes[line][0]
        assert f"line {line + 1}" in house.text() and "1 problem" in house.text()
        await house.press("f2")
        assert house.posts("PUT") == []
        assert "Not saved" in house.text()
        screen.area.text = '{"name": "x",,}'
        await house.rest()
        assert "not JSON" in house.text()
        assert "nothing can be compared" in house.text()


async def test_saving_sends_the_whole_and_reads_back(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        screen = await opened(house, "Kiosk")
        before = screen.opened.policy.version
        await edit(house, description="For the gates")
        assert "~ description" in house.text() and "1 change" in house.text()
        assert house.posts("PUT") == []
        await house.press("ctrl+s")
        (sent,) = house.posts("PUT")
        assert sent.json["description"] == "For the gates" and sent.json["name"] == "Kiosk"
        assert f"Saved as v{before + 1}, and read back: the service holds what was sent." in house.text()
        assert not screen.differences


async def test_what_others_changed_is_never_overwritten_unasked(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        screen = await opened(house, "Kiosk")
        await edit(house, description="Mine")
        await elsewhere(house, screen.policy_id, name="Kiosk two")
        await house.press("f2")
        assert house.posts("PUT") == []
        assert "Somebody changed this policy meanwhile" in house.text()
        assert "Kiosk → " in house.text().replace('"', "") or "Kiosk two" in house.text()
        await house.press("enter")
        assert house.posts("PUT") == [] and json.loads(screen.text)["description"] == "Mine"
        # Overwriting has to be typed.
        await house.press("f2", "end", "enter", "enter")
        assert house.posts("PUT") == []
        await house.type("overwrite 1")
        await house.press("escape")
        assert house.posts("PUT") == []
        # Taking both merges the texts, and saving is a decision of its own.
        await house.press("f2", "down", "enter")
        assert house.posts("PUT") == []
        document = json.loads(screen.text)
        assert (document["name"], document["description"]) == ("Kiosk two", "Mine")
        await house.press("f2")
        assert house.posts("PUT")[0].json["name"] == "Kiosk two"


async def test_what_is_typed_while_a_save_is_on_the_wire_stays_as_a_draft(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        screen = await opened(house, "Kiosk")
        await edit(house, description="For the gates")
        house.net.rule(Delay(5, house.clock.sleep), method="PUT")
        await house.press("f2")
        document = json.loads(screen.text)
        screen.take(json.dumps({**document, "description": "For the gates and doors"}, indent=2))
        await house.advance(6)
        (sent,) = house.posts("PUT")
        assert sent.json["description"] == "For the gates"
        assert json.loads(screen.text)["description"] == "For the gates and doors" and len(screen.differences) == 1
        assert json.loads(screen.base)["description"] == "For the gates"
        assert await screen.service.drafts() == [screen.policy_id] and "What you typed since" in house.text()


async def test_who_leaves_during_a_save_keeps_what_was_typed_last(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        screen = await opened(house, "Kiosk")
        await edit(house, description="For the gates")
        house.net.rule(Delay(5, house.clock.sleep), method="PUT")
        await house.press("f2")
        screen.take(screen.text.replace("For the gates", "For the doors"))
        await house.press("escape")
        await house.advance(6)
        assert len(house.posts("PUT")) == 1
        screen = await opened(house, "Kiosk")
        assert "For the doors" in screen.text


async def test_a_draft_survives_leaving_and_the_end_of_the_session(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        screen = await opened(house, "Kiosk")
        policy_id = screen.policy_id
        await edit(house, description="Half a thought")
        await house.press("escape")
        assert isinstance(house.screen, PoliciesScreen)
        assert "draft kept" in house.text()
        await house.press("enter")
        assert "Half a thought" in house.screen.text
        assert "Your unsaved text of " in house.text()
        await house.advance(2)
        paths = house.paths
    # Another process, after a crash: the file has it.
    held = house.session
    again = Session(held.connection, paths, clock=house.clock, env={}, transport=house.net, secrets=held.secrets)
    again.open_store()
    await again.open_files()
    assert policy_id in await again.policies.drafts()
    await again.stop()


async def test_reading_again_drops_nothing_until_the_copy_is_there(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        screen = await opened(house, "Kiosk")
        await edit(house, description="Half a thought")
        await house.advance(2)
        text, base = screen.text, screen.base

        async def kept() -> bool:
            return (screen.text, screen.base, await screen.service.drafts()) == (text, base, [screen.document_id])

        # The mirror has a copy, and it is an old one.
        house.net.rule(Status(503), path="polic")
        await house.press("f5", "y")
        await house.advance(30)
        assert "Nothing was dropped: only an old copy is at hand." in house.text() and await kept()
        house.net.calm()

        async def fails(_id: str) -> Any:
            raise FleetError(Kind.UNREACHABLE, "Nobody answers", sent=Sent.NEVER)

        real, screen.service.open = screen.service.open, fails
        await house.press("f5", "y")
        assert "Nobody answers" in house.text() and await kept()

        async def slow(key: str) -> Any:
            await house.clock.sleep(5)
            return await real(key)

        screen.service.open = slow
        await house.press("f5", "y")
        text = text.replace("{", "{ ", 1)
        screen.take(text)
        await house.press("f5", "f2")
        assert screen.is_current and "Wait for the end" in " ".join(house.toasts())
        await house.advance(8)
        assert "Nothing was dropped: you typed while" in house.text() and await kept()
        await house.press("f5", "y")
        await house.advance(8)
        assert screen.text == base and await screen.service.drafts() == []


async def test_a_new_policy_from_a_template_is_created(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await listed(house)
        await house.press("plus")
        assert "An empty policy" in house.text() and "template" in house.text()
        await house.press("enter")
        screen = house.screen
        assert isinstance(screen, PolicyScreen)
        assert "new policy" in house.text() or "(no name)" in house.text()
        await house.press("f2")
        assert house.posts() == [] and "Not created: it has no name yet" in house.text()
        await edit(house, name="Forklifts")
        await house.press("f2")
        (sent,) = [seen for seen in house.posts() if seen.path.endswith(POLICIES)]
        assert sent.json["name"] == "Forklifts"
        assert "Created" in house.text() and "read back" in house.text()
        await house.press("escape")
        await house.advance(1)
        assert "Forklifts" in rows(house.screen)


async def test_deleting_has_to_be_typed(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        screen = await listed(house)
        key = next(policy.id for policy in screen.source.all() if policy.name == "Locked down")
        screen.grid.move_cursor_to(key)
        await house.press("c", "down", "down", "enter", "enter", "enter", "y")
        assert house.posts("DELETE") == []
        await house.press("backspace")
        await house.type(f"delete {key[-6:]}")
        await house.press("enter")
        assert len(house.posts("DELETE")) == 1
        await house.advance(1)
        assert "Locked down" not in rows(house.screen)


async def test_assigned_to_marked_devices_and_watched_until_it_is_pushed(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        device_id = house.listening()
        devices = house.screen
        devices.grid.move_cursor_to(device_id)
        await house.press("space")
        screen = await listed(house)
        key = next(policy.id for policy in screen.source.all() if policy.name == "Kiosk")
        screen.grid.move_cursor_to(key)
        await house.press("c", "enter")
        assert "Assign Kiosk to 1 device" in house.text()
        expects = house.screen._expects
        await house.press("enter")
        assert house.posts("PUT") == []
        await house.type(expects)
        await house.press("enter")
        assert [seen.json for seen in house.posts("PUT")] == [{"policyId": key}]
        await house.advance(1)
        row = (await house.session.mirror.rows(house.session.scope, [device_id]))[device_id]
        assert row.values["policyid"] == key and row.values["pushed"] == 0
        house.app.open_device(device_id)
        await house.rest()
        assert "not pushed" in house.text()
        for _ in range(12):
            await house.advance(300)
            if "not pushed" not in house.text():
                break
        assert "pushed" in house.text() and "not pushed" not in house.text(), "devicePolicyStatus turned"


async def test_the_device_that_is_called_so_is_offered_first(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        scope, mirror = house.session.scope, house.session.mirror
        ids = await mirror.ids(View(scope, sort=(("name", False),)))
        raw = '{"displayName": "Zeta"}'
        for key, name, serial in ((ids[0], "Zeta 2", "X6"), (ids[1], "Zeta 60", "Y"), (ids[2], "Zeta 6", "Z")):
            await mirror.put_detail(scope, Device(key, {"name": name, "serial": serial}, raw), house.clock.now())
        found = await device_search(house.session, house.clock.now)("zeta 6")
        assert [item.title for item in found][:2] == ["Zeta 6", "Zeta 60"]
        assert "Zeta 2" in [item.title for item in found], "its serial holds the 6"


async def test_contents_and_devices_are_readable(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        screen = await opened(house, "Warehouse handhelds")
        screen.show_view("contents")
        await house.rest()
        text = "\n".join(line.text for line in screen.query_one("#side", LinesView).lines)
        assert "Applications" in text and "forceInstall" in text and "Assets" in text
        assert "(name not known)" not in text
        screen.show_view("devices")
        await house.rest()
        assert "pushed" in house.text()


async def test_a_service_that_changes_no_policies_costs_a_sentence_and_the_draft_stays(tmp_path: Path) -> None:
    async with open_house(tmp_path, documented_only=True) as house:
        screen = await opened(house, "Kiosk")
        assert screen.text.startswith("{")
        await edit(house, description="Changed")
        await house.press("f2")
        assert "has no endpoint to change a policy" in house.text()
        assert "Changed" in screen.area.text, "the draft stays"


async def test_without_templates_a_sentence_and_the_rest_works(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await listed(house)
        house.net.rule(Status(404, 3001, "Entity not found"), path="/policies/templates")
        await house.press("plus")
        assert any(toast.startswith("No templates: ") for toast in house.toasts())
        assert "An empty policy" in house.text()


async def test_highlighting_stops_where_it_would_cost_a_pause(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        screen = await opened(house, "Kiosk")
        await edit(house, config={"text": "y" * 60_000})
        assert screen.area.language is None
        await edit(house, config={})
        assert screen.area.language == "json"
        assert screen.query(Input) is not None


def test_of_very_many_differences_the_first_are_drawn_and_the_rest_is_counted() -> None:
    found = differences({"ids": []}, {"ids": [f"U{number}" for number in range(45_000)]})
    lines = difference_lines("Changes", found, 80)
    assert len(found) == 45_000 and len(lines) == 502
    assert lines[-1].text.strip() == "and 44,500 more differences, in the text"


async def test_no_bracket_is_looked_for_in_a_long_text(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        area = (await opened(house, "Kiosk")).area
        area.move_cursor((0, 0))
        assert area.find_matching_bracket("{", (0, 0)) == (area.document.line_count - 1, 0)
        area.replace(json.dumps({"note": "x" * 60_000}), (0, 0), area.document.end)
        area.move_cursor((0, 0))
        assert area.find_matching_bracket("{", (0, 0)) is None


async def test_a_long_policy_opens_without_colours_and_says_so(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        screen = await opened(house, "Kiosk")
        assert "without colours" not in house.text()
        await elsewhere(house, screen.policy_id, config={"note": "word " * 12_000})
        await house.press("escape")
        screen = await opened(house, "Kiosk")
        assert len(screen.text) > 60_000 and screen.area.language is None
        assert "More than 50,000 characters: shown without colours." in house.text()
