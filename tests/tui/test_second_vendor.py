"""A service without policies, commands and editing: the console shows what it has and asks for nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fleets import Two, two
from textual.widgets import Input

from mdm_tui.fleet.provider import Capability
from mdm_tui.tui.screens.ask import Choose
from mdm_tui.tui.screens.device import DeviceScreen
from mdm_tui.tui.screens.device_bars import Strip
from mdm_tui.tui.screens.devices import DevicesScreen
from mdm_tui.tui.screens.dialogs import Prompt
from mdm_tui.tui.screens.help import HelpScreen
from mdm_tui.tui.widgets.report import LinesView


def text(on: Two) -> str:
    strips = on.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


async def depot(on: Two) -> DevicesScreen:
    await on.line("connect depot")
    await on.read("depot")
    await on.until(lambda: getattr(on.app.screen, "session", None) is on.app.sessions["depot"])
    screen = on.app.screen
    assert isinstance(screen, DevicesScreen)
    await on.until(screen.source.count)
    return screen


async def opened(on: Two) -> DeviceScreen:
    """The screen of a device with apps, read in full."""
    await depot(on)
    session = on.app.sessions["depot"]
    ids = [unit.uuid for unit in await _enrolled(session)]
    on.app.open_device(ids[0])
    await on.until(lambda: isinstance(on.app.screen, DeviceScreen))
    screen = on.app.screen
    assert isinstance(screen, DeviceScreen)
    await on.until(lambda: screen.stored is not None and screen.stored.device.detail and screen.contents.apps)
    await on.until(lambda: screen.contents.group_path)
    return screen


async def _enrolled(session: Any) -> list[Any]:
    from types import SimpleNamespace

    from mdm_tui.store.mirror import View

    ids = await session.mirror.ids(View(session.scope, now=0.0))
    rows = await session.mirror.rows(session.scope, ids)
    return [SimpleNamespace(uuid=key) for key in ids if rows[key].values.get("state") == "ACTIVE"]


async def test_the_list_has_the_columns_and_keys_of_its_service(tmp_path: Path) -> None:
    async with two(tmp_path, midm=40) as on:
        screen = await depot(on)
        assert {"link", "group"} <= {column.key for column in screen.grid.columns}
        assert not {"policy", "patch"} & {column.key for column in screen.grid.columns}
        assert " edit" not in text(on).splitlines()[-1]
        await on.press("e")
        assert any("no changing of devices" in toast for toast in on.toasts())
        await on.press("W")
        dialog = on.app.screen
        assert isinstance(dialog, Choose)
        assert "Client version" in text(on) and "Policy" not in text(on).split("Columns")[1]
        await on.press("escape")
        await on.press("question_mark")
        assert isinstance(on.app.screen, HelpScreen)
        assert "Edit" not in text(on)


async def test_a_device_says_what_its_service_knows_and_nothing_of_policies(tmp_path: Path) -> None:
    async with two(tmp_path, midm=40, size=(120, 60)) as on:
        screen = await opened(on)
        keys = [key for key, *_rest in screen.query_one(Strip).places]
        strip = screen.query_one(Strip).text
        assert keys and "Apps" in strip and "Commands" not in strip and "Policy" not in strip
        said = "\n".join(line.text for line in screen.query_one(LinesView).lines)
        for word in ("Link", "Group", "Client", "Remote", "Installed, as reported", "Size", "Package"):
            assert word in said, word
        assert " / " in screen.contents.group_path or screen.contents.group_path == screen.contents.values["group"]
        assert "Policy" not in said and "Commands" not in said


async def test_the_apps_are_sorted_and_found(tmp_path: Path) -> None:
    async with two(tmp_path, midm=40, size=(120, 60)) as on:
        screen = await opened(on)
        apps = screen.contents.apps or ()
        for down in (False, True):
            screen._sort_apps("Size")
            await on.until(lambda down=down: screen.contents.apps_sort == ("Size", down))
            await screen.reload()
            (section,) = [one for one in screen.contents.sections if one.key == "applications"]
            (table,) = section.parts
            at = [column.title for column in table.columns].index("Size")  # type: ignore[union-attr]
            sizes = [row[at].value for row in table.rows]  # type: ignore[union-attr]
            assert sizes == sorted((app.size for app in apps), reverse=down)
        view = screen.query_one(LinesView)
        view.find(apps[0].package)
        assert view.matches[1] >= 1


async def test_one_package_can_be_asked_for(tmp_path: Path) -> None:
    async with two(tmp_path, midm=40) as on:
        screen = await opened(on)
        package = (screen.contents.apps or ())[0].package
        for name, words in ((package, f"{package} is installed"), ("com.nobody.has.this", "is not on the device"),
                            ("no name", "is no package name")):  # fmt: skip
            screen.action_act()
            await on.until(lambda: isinstance(on.app.screen, Choose))
            await on.press("enter")
            await on.until(lambda: isinstance(on.app.screen, Prompt))
            on.app.screen.query_one(Input).value = name
            await on.press("enter")
            await on.until(lambda words=words: any(words in toast for toast in on.toasts()))


async def test_nothing_is_asked_for_that_the_service_does_not_offer(tmp_path: Path) -> None:
    async with two(tmp_path, midm=40) as on:
        await opened(on)
        session = on.app.sessions["depot"]
        assert not session.unsupported
        assert not {Capability.COMMANDS, Capability.POLICIES, Capability.SEGMENTS} & session.factory.capabilities
        asked = on.wires["depot"].asked
        assert asked and all(line.split(" ")[1].startswith(("/ota/", "/portal/")) for line in asked)
        await on.press("escape", "3")
        assert any("offers no commands" in toast for toast in on.toasts())
        await on.line("segment north")
        await on.until(lambda: any("has no segments" in toast for toast in on.toasts()))


async def test_a_narrow_list_has_no_room_for_what_the_service_says_of_no_list(tmp_path: Path) -> None:
    async with two(tmp_path, midm=40, size=(80, 24)) as on:
        await depot(on)
        head = next(line for line in text(on).splitlines() if "Serial" in line)
        assert head.split() == ["Name↑", "Serial", "Link", "Seen", "Faults"]
        await on.press("W")
        assert isinstance(on.app.screen, Choose) and "Battery" in text(on), "still to be chosen"
