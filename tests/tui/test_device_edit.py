"""Editing a device (story 3): only what is touched leaves, the limits stand at the fields, nobody's work is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from house import House, open_house
from textual.widgets import Input, Static

from mdm_tui.server.testing import BASE_URL
from mdm_tui.tui.screens.device_edit import EditScreen
from mdm_tui.tui.widgets.form import Row
from tests.faulty import Answer, Fault


async def form(house: House, device_id: str) -> Any:
    """The form of a device, on the screen."""
    house.app.open_device(device_id)
    await house.rest()
    await house.press("e")
    assert isinstance(house.screen, EditScreen)
    return house.screen


async def put(house: House, key: str, text: str) -> None:
    """Write into a text field."""
    field = house.screen.query_one(f"#field-{key}", Input)
    field.focus()
    field.value = ""
    await house.rest()
    await house.type(text)


def wrong(screen: Any, key: str) -> str:
    """What is said at a field."""
    place = screen.query_one(f"#row-{key}", Row).query_one(".wrong")
    return str(place.render()) if place.display else ""


def puts(house: House) -> list[Any]:
    return [seen.json for seen in house.posts("PUT")]


async def elsewhere(house: House, device_id: str, body: dict[str, Any]) -> None:
    """Somebody else changes the device."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(house.fleet.app),
        base_url=BASE_URL,
        headers={"Authorization": f"Bearer {house.fleet.token}"},
    ) as client:
        path = f"/organizations/{house.fleet.organization}/mdm/aosp/enterprise/devices/{device_id}"
        answer = await client.put(path, json=body)
        assert answer.status_code == 200, answer.text


async def test_only_what_is_touched_is_sent_and_what_is_held_is_shown(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        screen = await form(house, house.listening())
        assert "Nothing is changed yet" in house.text()
        await put(house, "display_name", "Gate tablet 9")
        assert "~ Display name" in house.text() and "→ Gate tablet 9" in house.text()
        assert puts(house) == []
        await house.press("f2")
        assert puts(house) == [{"displayName": "Gate tablet 9"}]
        assert "Saved, and read back from the service." in house.text()
        assert "✓ Display name  Gate tablet 9" in house.text()
        assert not screen.form.touched


async def test_tags_policy_assignments_user_and_segment(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        device_id = house.listening()
        screen = await form(house, device_id)
        await put(house, "tags", "dock, night , dock")
        await house.press("tab", "enter")
        await house.type("kiosk")
        await house.press("enter")
        assert screen.form.name(screen.form.values["policy_id"]) == "Kiosk"
        await house.press("tab", "plus")
        await house.type("night")
        await house.press("enter", "backspace", "5", "enter")
        assert [entry.priority for entry in screen.form.values["assignments"]] == [5]
        await house.press("tab", "delete")
        assert screen.form.values["user_id"] is None
        assert "the user is removed" in house.text()
        await house.press("tab", "tab", "enter", "down", "down", "enter")
        segment = screen.form.values["segment_id"]
        assert isinstance(segment, int)
        await house.press("ctrl+s")
        (body,) = puts(house)
        assert body["tags"] == ["dock", "night"]
        assert body["mdmUserId"] is None, "null is the only documented way to unlink"
        assert body["segmentId"] == segment
        assert [entry["priority"] for entry in body["aosPolicyAssignments"]] == [5]
        assert set(body) == {"tags", "policyId", "aosPolicyAssignments", "mdmUserId", "segmentId"}
        assert "read back" in house.text()


async def test_the_limits_stand_at_the_field_and_nothing_leaves(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        screen = await form(house, house.listening())
        screen.query_one("#field-display_name", Input).value = "x" * 257
        screen.query_one("#field-push_provider", Input).value = "not an id"
        await house.press("f2")
        assert "256" in wrong(screen, "display_name")
        assert wrong(screen, "push_provider")
        assert not wrong(screen, "tags")
        assert puts(house) == []
        assert any("Not sent" in toast for toast in house.toasts())


async def test_a_refusal_of_the_service_is_said_and_the_form_stays(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        screen = await form(house, house.listening())
        house.net.rule(
            Answer({"status": False, "error": {"code": 5209, "message": "Invalid input"}}, 400), method="PUT"
        )
        await put(house, "display_name", "Nobody's")
        await house.press("f2")
        assert "Invalid input" in house.text()
        assert screen.form.touched == {"display_name": "Nobody's"}
        house.net.calm()
        await house.press("f2")
        assert not screen.form.touched


class Vanishing(Fault):
    """The device is there when it is read for the change, and gone from the change on."""

    def __init__(self, house: House, device_id: str) -> None:
        self.house, self.path = house, f"/devices/{device_id}"

    async def __call__(self, request: Any, inner: Any) -> Any:
        self.house.net.rule(GONE, path=self.path)
        return await GONE(request, inner)


GONE = Answer({"status": False, "error": {"code": 3001, "message": "Entity not found"}}, 404)
NOBODY = "6710a4e2c93f5b0017de0aff"


async def test_a_reference_that_does_not_exist_is_said_at_its_field(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        screen = await form(house, house.listening())
        await put(house, "push_provider", NOBODY)
        await put(house, "display_name", "Gate 9")
        await house.press("f2")
        text = " ".join(house.text().split())
        assert "the device exists, but the push provider does not" in text
        assert "may have been removed" not in text, "the device was read a moment ago"
        assert "push provider" in wrong(screen, "push_provider")
        assert not wrong(screen, "display_name") and not wrong(screen, "policy_id")
        assert set(screen.form.touched) == {"display_name", "push_provider"}, "the form stays"


async def test_a_device_that_is_gone_is_not_taken_for_a_wrong_reference(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        device_id = house.listening()
        screen = await form(house, device_id)
        await put(house, "push_provider", NOBODY)
        house.net.rule(Vanishing(house, device_id), method="PUT")
        await house.press("f2")
        assert "may have been removed" in " ".join(house.text().split())
        assert not wrong(screen, "push_provider")


async def test_others_tags_stay_and_a_clash_is_decided_by_a_person(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        device_id = house.listening()
        screen = await form(house, device_id)
        base = list(screen.form.base["tags"])
        await put(house, "display_name", "Mine")
        await put(house, "tags", ", ".join([*base, "mine"]))
        await elsewhere(house, device_id, {"displayName": "Theirs", "tags": [*base, "theirs"]})
        await house.press("f2")
        assert puts(house) == [], "nothing is overwritten unasked"
        assert "Yours: Mine" in house.text() and "Theirs: Theirs" in house.text()
        await house.press("enter")
        assert puts(house) == [], "there is no default"
        await house.press("down", "enter")
        (body,) = puts(house)
        assert body["displayName"] == "Mine"
        assert body["tags"] == [*base, "theirs", "mine"]
        assert "added by somebody else" in house.text().lower()


async def test_leaving_with_changes_asks(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await form(house, house.listening())
        await put(house, "display_name", "Unsent")
        await house.press("escape")
        assert "Leave without sending?" in house.text()
        await house.press("escape")
        assert isinstance(house.screen, EditScreen)
        await house.press("escape", "y")
        assert not isinstance(house.screen, EditScreen)
        assert puts(house) == []


async def test_a_read_only_connection_opens_no_form(tmp_path: Path) -> None:
    async with open_house(tmp_path, connection={"read_only": True}) as house:
        house.app.open_device(house.listening())
        await house.rest()
        await house.press("e")
        assert not isinstance(house.screen, EditScreen)
        assert any("READ-ONLY" in toast for toast in house.toasts())


async def test_the_cursor_is_on_one_field_only(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        screen = await form(house, house.listening())
        screen.query_one("#field-user_id").focus()
        await house.rest()
        assert "enter searches" in house.text()
        screen.query_one("#field-push_provider").focus()
        await house.rest()
        assert "enter searches" not in house.text(), "a text field has the focus, the user has it no more"


async def test_leaving_names_what_is_lost_line_by_line(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await form(house, house.listening())
        await put(house, "display_name", "Gate tablet 9")
        await put(house, "tags", "one, two")
        await house.press("escape")
        said = "\n".join(str(part.render()) for part in house.screen.query(Static)).splitlines()
        assert "+ Tags  one" in said and "+ Tags  two" in said


async def test_a_tag_with_a_comma_survives_another_tag(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        device_id = house.listening()
        await elsewhere(house, device_id, {"tags": ["Dock 4, west", "night"]})
        screen = await form(house, device_id)
        field = screen.query_one("#field-tags", Input)
        assert field.value == '"Dock 4, west", night'
        field.focus()
        await house.press("end")
        await house.type(", spare")
        assert "+ Tags  spare" in house.text() and "- Tags" not in house.text()
        await house.press("f2")
        assert puts(house) == [{"tags": ["Dock 4, west", "night", "spare"]}]


async def test_pasted_lines_are_tags_and_no_line_is_lost(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await form(house, house.listening())
        await put(house, "tags", "dock\n  night \n\nlate\n")
        assert house.screen.query_one("#field-tags", Input).value == "dock, night, late"
        await house.press("escape")
