"""Exports of every list: nothing in view is said and not offered, a file that cannot be written is a sentence."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from house import House, open_house

from mdm_tui.tui.screens import devices_export
from mdm_tui.tui.screens.ask import Choose
from mdm_tui.tui.screens.device import DeviceScreen

_MIDM = ("devices", "groups", "apps", "images", "rollouts")
_LISTS = [("policies", False), ("queue", False), *((name, True) for name in _MIDM)]


async def listed(house: House, name: str) -> Any:
    await house.app.action_go(name)
    await house.rest()
    return house.screen


@pytest.mark.parametrize(("name", "midm"), _LISTS)
async def test_a_list_with_nothing_in_view_offers_no_export(tmp_path: Path, name: str, midm: bool) -> None:
    async with open_house(tmp_path, midm=midm, devices=12) as house:
        screen = await listed(house, name)
        await house.press("slash")
        await house.type("zzqqxx")
        await house.press("enter")
        assert screen.source.count() == 0
        await house.press("x")
        assert house.screen is screen
        assert house.toasts()[-1].endswith("in this list: nothing to export.")


async def test_an_empty_list_to_register_offers_no_export(tmp_path: Path) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        await house.press("plus")
        screen = house.screen
        screen.action_export()
        await house.rest()
        assert house.screen is screen and house.toasts()[-1] == "There are no rows in this list: nothing to export."


async def exported(house: House) -> str:
    before = len(house.toasts())
    house.screen.action_export()
    await house.rest()
    assert isinstance(house.screen, Choose)
    await house.press("enter")
    await house.rest()
    assert not house.app.crash_message and len(house.toasts()) > before
    return house.toasts()[-1]


@pytest.mark.parametrize("name", [*_MIDM, "device", "register"])
async def test_a_folder_that_is_gone_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    async with open_house(tmp_path, midm=True, devices=12) as house:
        await shown(house, name)
        gone = tmp_path / "gone"
        gone.mkdir()
        monkeypatch.chdir(gone)
        gone.rmdir()
        assert await exported(house) == "Not written: No such file or directory."


@pytest.mark.parametrize("name", [*_MIDM, "device", "register"])
async def test_a_full_disk_is_a_sentence_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    opened = os.open

    def full(path: Any, flags: int, mode: int = 0o777) -> int:
        os.close(opened(path, flags, mode))
        return opened("/dev/full", os.O_WRONLY)

    async with open_house(tmp_path, midm=True, devices=12) as house:
        await shown(house, name)
        folder = tmp_path / "full"
        folder.mkdir()
        monkeypatch.chdir(folder)
        monkeypatch.setattr(devices_export.os, "open", full)
        said = await exported(house)
        monkeypatch.undo()
        assert said == f"Not written to {folder}: No space left on device."
        assert not list(folder.iterdir())


async def shown(house: House, name: str) -> None:
    if name == "register":
        await house.press("plus")
        await house.type("M0240001")
        await house.screen.read_now()
        await house.rest()
    elif name == "device":
        house.app.open_device(house.screen.source.id_at(0))
        await house.rest()
        assert isinstance(house.screen, DeviceScreen)
    else:
        await listed(house, name)


def test_half_a_character_of_a_service_is_written_as_json_writes_it(tmp_path: Path) -> None:
    text = devices_export.as_json(["name"], [{"name": "dock \ud83d"}])
    assert "\\ud83d" in devices_export.write(tmp_path, "devices", "json", text, 0.0).read_text()
