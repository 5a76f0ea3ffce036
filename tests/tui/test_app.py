"""The app's wiring: screens by digit, help, palette, command bar, notices, quitting, a crash."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from desk import NOW, DeskSession, make_app, press, quiet, toasts, until
from textual.command import CommandPalette
from textual.widgets import Input, OptionList

from mdm_tui.config.settings import Settings
from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.fleet.provider import Capability
from mdm_tui.services.events import Noticed, SyncChanged
from mdm_tui.services.tasks import Tasks
from mdm_tui.tui.screens.ask import Ask
from mdm_tui.tui.screens.devices import DevicesScreen
from mdm_tui.tui.screens.help import HelpScreen
from mdm_tui.tui.widgets.command_bar import CommandBar, complete
from mdm_tui.tui.widgets.header import Header


def _header(app: Any) -> str:
    return app.screen_stack[0].query_one(Header).text


async def test_the_header_counts_what_there_is(tmp_path: Path) -> None:
    session = await DeskSession(tmp_path).fill()
    app = make_app(tmp_path, session)
    async with app.run_test(size=(120, 40)) as pilot:
        await quiet(app, pilot)
        text = _header(app)
        assert "1 Devices 60" in text and "2 Policies 0" in text
        assert "API 1,204 of 10,000/h" in text
        assert "Problems" in text and "fresh 4s" in text


@pytest.mark.parametrize(("digit", "word"), [("4", "Activity"), ("5", "Pulse"), ("6", "groups"), ("9", "rollouts")])
async def test_a_digit_without_a_screen_answers_with_a_sentence(tmp_path: Path, digit: str, word: str) -> None:
    session = await DeskSession(tmp_path).fill()
    app = make_app(tmp_path, session)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await press(app, pilot, digit)
        assert isinstance(app.screen, DevicesScreen)
        assert any(word in sentence for sentence in toasts(app))


async def test_what_a_service_lacks_is_said_by_capability(tmp_path: Path) -> None:
    session = await DeskSession(tmp_path).fill()
    session.factory.capabilities = frozenset({Capability.DEVICES})
    app = make_app(tmp_path, session)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await press(app, pilot, "2", "3")
        assert len([sentence for sentence in toasts(app) if "Applivery offers no" in sentence]) == 2


async def test_help_shows_the_keys_that_work_here_and_goes_away(tmp_path: Path) -> None:
    session = await DeskSession(tmp_path).fill()
    app = make_app(tmp_path, session, keymap={"freeze": "f6"})
    async with app.run_test(size=(120, 40)) as pilot:
        await press(app, pilot, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        shown = "\n".join(str(static.render()) for static in app.screen.query("Static"))
        assert "Faults only" in shown and "Moving and marking" in shown and "Everywhere" in shown
        assert "F6" in shown, "the person's own key"
        assert "Policy editor" not in shown
        await press(app, pilot, "escape")
        assert isinstance(app.screen, DevicesScreen)
        await press(app, pilot, "f6")
        assert app.screen.settling.frozen


async def test_a_wrong_keymap_is_told_and_the_default_holds(tmp_path: Path) -> None:
    session = await DeskSession(tmp_path).fill()
    app = make_app(tmp_path, session, keymap={"freeze": "f", "nonsense": "o"})
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await quiet(app, pilot)
        assert any("nonsense" in sentence for sentence in toasts(app))
        assert any("f is both" in sentence for sentence in toasts(app))
        await press(app, pilot, "z")
        assert isinstance(app.screen, DevicesScreen) and app.screen.settling.frozen


async def test_the_palette_finds_an_action_and_does_it(tmp_path: Path) -> None:
    session = await DeskSession(tmp_path).fill()
    app = make_app(tmp_path, session)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("ctrl+p")
        assert isinstance(app.screen, CommandPalette)
        palette = app.screen
        await pilot.press(*"freeze")
        await until(
            app,
            lambda: (
                not (not palette.query_one(OptionList).option_count or palette.query_one(OptionList).option_count > 2)
            ),
        )
        await pilot.press("enter")
        await until(app, lambda: not isinstance(app.screen, CommandPalette))
        await quiet(app, pilot)
        assert isinstance(app.screen, DevicesScreen) and app.screen.settling.frozen


async def _bar(app: Any, pilot: Any, text: str) -> None:
    await press(app, pilot, "colon")
    app.screen.query_one(CommandBar).query_one(Input).value = text
    await press(app, pilot, "enter")


async def test_the_command_bar_goes_anywhere(tmp_path: Path) -> None:
    session = await DeskSession(tmp_path).fill()
    app = make_app(tmp_path, session)
    opened: list[str] = []
    app.open_device = lambda device_id, session=None: opened.append(device_id)  # type: ignore[method-assign]
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await quiet(app, pilot)
        screen = app.screen
        assert isinstance(screen, DevicesScreen)
        await _bar(app, pilot, "filter van")
        assert screen.asked.words == "van"
        assert app.focused is screen.grid
        await _bar(app, pilot, f"device {session.devices[7].values['serial']}")
        await _bar(app, pilot, session.devices[9].id)
        assert opened == [session.devices[7].id, session.devices[9].id]
        await _bar(app, pilot, "gate tablet")
        assert screen.asked.words == "gate tablet", "several of that name are a list"
        await _bar(app, pilot, "van 1")
        assert opened[-1] == session.devices[1].id, "the one whose whole name it is, though others hold the words too"
        await _bar(app, pilot, "no such thing [/]")
        assert any("no such thing [/]" in sentence for sentence in toasts(app))
        await _bar(app, pilot, "theme day")
        assert app.theme == "day"
        await _bar(app, pilot, "theme none-such")
        assert any("none-such" in sentence for sentence in toasts(app))
        await _bar(app, pilot, "help")
        assert isinstance(app.screen, HelpScreen)


async def test_the_command_bar_recalls_and_completes(tmp_path: Path) -> None:
    session = await DeskSession(tmp_path).fill()
    app = make_app(tmp_path, session)
    async with app.run_test(size=(120, 40)) as pilot:
        await quiet(app, pilot)
        await _bar(app, pilot, "filter van")
        await press(app, pilot, "colon", "up")
        line = app.screen.query_one(CommandBar).query_one(Input)
        assert line.value == "filter van"
        line.value = "pol"
        await press(app, pilot, "tab")
        assert line.value == "policies "
        await press(app, pilot, "escape")
        assert not app.screen.query(CommandBar)


def test_completion() -> None:
    assert complete("de") == ["devices", "device"]
    assert complete("theme n", ["day", "night"]) == ["theme night"]
    assert complete("device x") == []


async def test_a_service_that_fails_in_the_background_is_a_notice(tmp_path: Path) -> None:
    session = await DeskSession(tmp_path).fill()
    app = make_app(tmp_path, session)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await quiet(app, pilot)

        async def fails() -> None:
            raise FleetError(Kind.FORBIDDEN, "Reading policies was refused", permission="policies:read")

        app.spawn(fails(), "test")
        await quiet(app, pilot)
        assert any("needs policies:read" in sentence for sentence in toasts(app))


async def test_work_is_known_before_it_begins(tmp_path: Path) -> None:
    """Dialogs ask whose task they are in; from Python 3.12 on Textual's loop would begin it before it has a name."""
    app = make_app(tmp_path, await DeskSession(tmp_path).fill())
    async with app.run_test(size=(120, 40)) as pilot:
        await quiet(app, pilot)
        loop, by_loop = asyncio.get_running_loop(), list[str]()

        def factory(on: asyncio.AbstractEventLoop, work: Any, **more: Any) -> Any:
            by_loop.append(work.__qualname__)
            return asyncio.Task(work, loop=on, **more)

        async def known() -> bool:
            return app.spawned(asyncio.current_task())

        before = loop.get_task_factory()
        loop.set_task_factory(factory)
        try:
            assert await app.spawn(known(), "test")
            assert not await Tasks().spawn(known(), "test")
        finally:
            loop.set_task_factory(before)
        assert known.__qualname__ not in by_loop


async def test_what_services_notice_is_said(tmp_path: Path) -> None:
    session = await DeskSession(tmp_path).fill()
    app = make_app(tmp_path, session)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await quiet(app, pilot)
        session.hub.publish(Noticed(session.scope, "warn", "The token ends tomorrow."))
        await until(app, lambda: app.news_seen)
        assert toasts(app) == ["The token ends tomorrow."]


async def test_the_header_follows_the_sync_and_sends_nothing_when_nothing_changed(tmp_path: Path) -> None:
    session = await DeskSession(tmp_path).fill()
    app = make_app(tmp_path, session)
    async with app.run_test(size=(120, 40)) as pilot:
        await quiet(app, pilot)
        header = app.screen.query_one(Header)
        painted: list[Any] = []
        header.refresh = lambda *regions, **more: painted.extend(regions)  # type: ignore[method-assign]
        app.tick_header()
        assert painted == []
        session.state.last_ok = NOW - 5
        app.tick_header()
        assert [(region.width, region.height) for region in painted] == [(1, 1)], "one digit is one cell"
        painted.clear()
        session.state.phase, session.state.error = "stale", FleetError(Kind.UNREACHABLE, "connection refused")
        session.state.next_at = NOW + 12
        session.hub.publish(SyncChanged(session.scope))
        await until(app, lambda: app.news_seen)
        assert "stale 5s, connection refused, next try 12s" in header.text


async def test_quitting_at_rest_is_one_key_and_stops_the_session(tmp_path: Path) -> None:
    session = await DeskSession(tmp_path).fill()
    app = make_app(tmp_path, session)
    async with app.run_test(size=(120, 40)) as pilot:
        await quiet(app, pilot)
        await pilot.press("ctrl+q")
    assert app.return_value == 0
    assert session.stopped == 1


async def test_quitting_while_commands_are_sent_asks(tmp_path: Path) -> None:
    session = await DeskSession(tmp_path).fill()

    async def queue() -> list[Any]:
        return []

    session.commands = SimpleNamespace(queue=queue, busy=lambda: 2)
    app = make_app(tmp_path, session)
    async with app.run_test(size=(120, 40)) as pilot:
        await quiet(app, pilot)
        await pilot.press("ctrl+q")
        await until(app, lambda: isinstance(app.screen, Ask))
        await pilot.press("escape")
        await until(app, lambda: not isinstance(app.screen, Ask))
        assert app.return_value is None
        await _bar(app, pilot, "quit")
        await until(app, lambda: isinstance(app.screen, Ask))
        await pilot.press("y")
    assert app.return_value == 0


async def test_ctrl_c_never_quits(tmp_path: Path) -> None:
    session = await DeskSession(tmp_path).fill()
    app = make_app(tmp_path, session)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await press(app, pilot, "slash", "v", "a", "n", "enter", "ctrl+c")
        assert isinstance(app.screen, DevicesScreen)
        assert app.screen.asked.words == "", "it clears"
        await press(app, pilot, "ctrl+c", "ctrl+c")
        assert any("ctrl+q quits" in sentence for sentence in toasts(app))
        await press(app, pilot, "slash", "v", "ctrl+c")
        assert app.screen.asked.words == ""


async def test_a_crash_is_short_and_keeps_the_token_to_itself(tmp_path: Path) -> None:
    session = await DeskSession(tmp_path).fill()
    secret = "tok-81c2f00d55"
    session.hidden = (secret,)
    app = make_app(tmp_path, session)

    async def breaks() -> None:
        token = secret
        raise RuntimeError(f"bad header {token}")

    with pytest.raises(RuntimeError):
        async with app.run_test(size=(120, 40)) as pilot:
            await quiet(app, pilot)
            app.spawn(breaks(), "test")
            await quiet(app, pilot)
    assert app.return_code == 1
    assert "mdm-tui stopped because of a mistake in itself" in app.crash_message
    (report,) = _reports(tmp_path)
    assert secret not in app.crash_message and secret not in report.read_text()
    assert app._exit_renderables == [], "Textual's own traceback with local variables is never made"


async def test_low_bandwidth_ticks_by_ten_seconds(tmp_path: Path) -> None:
    session = await DeskSession(tmp_path).fill()
    app = make_app(tmp_path, session, settings=Settings(low_bandwidth=True))
    async with app.run_test(size=(120, 40)) as pilot:
        await quiet(app, pilot)
        assert "fresh 0s" in _header(app)


async def test_a_notice_to_begin_with(tmp_path: Path) -> None:
    session = await DeskSession(tmp_path).fill()
    app = make_app(tmp_path, session, notice="Demo fleet: 500 simulated devices.")
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await quiet(app, pilot)
        assert toasts(app) == ["Demo fleet: 500 simulated devices."]


def _reports(folder: Path) -> list[Path]:
    return list((folder / "state").glob("crash-*.txt"))
