"""Several connections in one console: opened beside each other, shown in turn, closed; real sessions on real fleets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fleets import Two, two

from mdm_tui.services.pace import Attention
from mdm_tui.tui.palette import Everything, Palette
from mdm_tui.tui.screens.ask import Ask
from mdm_tui.tui.screens.connections import Connections
from mdm_tui.tui.screens.device import DeviceScreen
from mdm_tui.tui.screens.devices import DevicesScreen
from mdm_tui.tui.sending import Sending
from mdm_tui.tui.widgets.header import Header, HeaderState, Others, paint


def head(on: Two) -> str:
    """What the header says, both lines."""
    return on.app.fleet_screen.query_one(Header).text  # type: ignore[union-attr]


async def test_connect_opens_another_on_the_same_mirror_and_each_keeps_its_place(tmp_path: Path) -> None:
    async with two(tmp_path) as on:
        await on.press("j", "j", "slash", *"van", "enter")
        mine = on.app.screen
        at = mine.grid.cursor_id
        await on.line("connect depot")
        await on.read("depot")
        theirs = on.app.screen
        assert isinstance(theirs, DevicesScreen) and theirs is not mine
        assert theirs.session.connection.name == "depot" and theirs.session.mirror is mine.session.mirror
        assert head(on).startswith(" depot  Applivery (AOSP)   +1 open, fresh")
        await on.until(lambda: theirs.source.count() == 16)
        assert theirs.asked.words == ""
        await on.press("3")
        assert on.app.current_mode == "depot/queue"
        await on.line("connect acme")
        assert on.app.screen is mine and mine.grid.cursor_id == at and mine.asked.words == "van"
        await on.line("connect depot")
        assert on.app.current_mode == "depot/queue", "it is shown where it was left"
        assert on.made == ["acme", "depot"]


async def test_the_hidden_one_is_polled_in_the_background_and_its_screens_catch_up(tmp_path: Path) -> None:
    async with two(tmp_path) as on:
        await on.line("connect depot")
        await on.read("depot")
        acme, depot = (on.app.sessions[name].sync for name in ("acme", "depot"))
        assert acme.pace.attention is Attention.BACKGROUND and depot.pace.attention is Attention.ACTIVE
        assert not acme.visible and depot.visible
        before = len(on.wires["acme"].asked)
        acme.poke()
        await on.until(lambda: len(on.wires["acme"].asked) > before)
        await on.line("connect acme")
        assert acme.pace.attention is Attention.ACTIVE and depot.pace.attention is Attention.BACKGROUND


async def test_the_chooser_says_what_is_open_and_opens_beside(tmp_path: Path) -> None:
    async with two(tmp_path) as on:
        await on.press("at")
        dialog = on.app.screen
        assert isinstance(dialog, Connections)
        text = screen_text(on)
        assert "▸ acme" in text and "○ depot" in text and "closed" in text and "Applivery" in text
        await on.press("down", "space")
        await on.read("depot")
        assert on.app.screen is dialog and "depot is open beside acme." in on.toasts()
        dialog._tick()
        await on.pilot.pause()
        assert "● depot" in screen_text(on)
        await on.press("enter")
        assert on.app.session.connection.name == "depot"


async def test_what_cannot_be_opened_is_a_sentence_and_stays_in_the_chooser(tmp_path: Path) -> None:
    async with two(tmp_path) as on:
        await on.line("connect nowhere")
        assert any("There is no connection 'nowhere'" in toast for toast in on.toasts())
        await on.press("at", "down", "down", "enter")
        assert any("There is no provider 'nobody'" in toast for toast in on.toasts())
        assert on.app.session.connection.name == "acme" and set(on.app.sessions) == {"acme"}
        await on.press("at", "down", "down")
        assert "There is no provider 'nobody'" in screen_text(on)


async def test_the_same_organisation_is_not_opened_twice(tmp_path: Path) -> None:
    async with two(tmp_path) as on:
        on.app.known["again"] = on.connections["again"] = on.connections["acme"]
        await on.line("connect again")
        assert any("again is the same fleet as acme, which is open" in toast for toast in on.toasts())


async def test_closing_ends_its_polling_and_screens_and_leaves_the_rest(tmp_path: Path) -> None:
    async with two(tmp_path) as on:
        await on.line("connect depot")
        await on.read("depot")
        depot = on.app.sessions["depot"]
        await on.press("enter")
        assert isinstance(on.app.screen, DeviceScreen)
        await on.press("at", "x")
        await on.until(lambda: set(on.app.sessions) == {"acme"})
        await on.until(lambda: "depot is closed." in on.toasts())
        assert isinstance(on.app.screen, Connections), "the list stays, to close another or show one"
        await on.press("escape")
        assert isinstance(on.app.screen, DevicesScreen) and on.app.screen.session is on.app.sessions["acme"]
        assert not [screen for screen in on.app.fleet_screens() if screen.session is depot]
        assert depot.provider is None and "+1 open" not in head(on)
        # The mirror is still there for the one that is left and for a second opening.
        assert len(await on.app.session.mirror.ids(on.app.whole_fleet(on.app.session))) == 24
        await on.line("connect depot")
        await on.read("depot")


async def test_the_first_one_can_be_closed_too_and_the_last_one_cannot(tmp_path: Path) -> None:
    async with two(tmp_path) as on:
        await on.press("at", "x")
        await on.until(lambda: any("acme is the only one" in toast for toast in on.toasts()))
        await on.press("escape")
        await on.line("connect depot")
        await on.read("depot")
        await on.press("at", "up", "x")
        await on.until(lambda: "acme is closed." in on.toasts())
        await on.press("escape")
        assert set(on.app.sessions) == {"depot"} and on.app.screen.source.count() == 16
        on.app.screen.ask_again()
        await on.pilot.pause()
        assert on.app.screen.source.count() == 16, "the mirror outlives every session"


async def test_closing_and_quitting_ask_while_any_of_them_sends(tmp_path: Path, monkeypatch: Any) -> None:
    async with two(tmp_path) as on:
        await on.line("connect depot")
        await on.read("depot")
        monkeypatch.setattr(on.app.sessions["acme"].commands, "busy", lambda: 1)
        await on.press("ctrl+q")
        assert isinstance(on.app.screen, Ask)
        await on.press("escape", "at", "up", "x")
        await on.until(lambda: isinstance(on.app.screen, Ask))
        assert "Close acme while commands are being sent?" in screen_text(on)
        await on.press("escape")
        await on.until(lambda: isinstance(on.app.screen, Connections))
        assert set(on.app.sessions) == {"acme", "depot"}


async def test_beside_is_opened_after_the_first_has_started(tmp_path: Path) -> None:
    order: list[str] = []
    on = Two(tmp_path, beside=["depot", "broken"])
    first = on.app.sessions["acme"]
    start = first.start

    async def started() -> None:
        assert on.made == ["acme"]
        await start()
        order.append("acme started")

    first.start = started  # type: ignore[method-assign]
    opener = on.app._opener

    def make(name: str) -> Any:
        order.append(name)
        return opener(name)  # type: ignore[misc]

    on.app._opener = make
    async with on.app.run_test(size=(120, 40), notifications=True) as pilot:
        on.pilot = pilot
        await on.read("depot")
        assert order == ["acme started", "depot", "broken"]
        assert on.app.session is first and any("There is no provider" in toast for toast in on.toasts())
    on.close()


async def test_arming_is_each_ones_own_and_the_lock_takes_all(tmp_path: Path) -> None:
    async with two(tmp_path, acme={"production": True}) as on:
        acme = on.app.sessions["acme"]
        acme.arming.arm("acme", 10)
        await on.line("connect depot")
        await on.read("depot")
        on.app.tick_header()
        assert "+1 open, acme ARMED" in head(on)
        on.app.lock()
        assert acme.writable == "LOCKED" and on.app.session.writable == ""


async def test_a_notice_of_the_hidden_one_says_whose_it_is(tmp_path: Path) -> None:
    from mdm_tui.services.events import Noticed

    async with two(tmp_path) as on:
        await on.line("connect depot")
        await on.read("depot")
        acme = on.app.sessions["acme"]
        acme.hub.publish(Noticed(acme.scope, "info", "Something of acme."))
        await on.until(lambda: "Something of acme." in on.toasts())
        titles = {note.message: note.title for note in on.app._notifications}
        assert titles["Something of acme."] == "acme"


async def test_secrets_of_all_connections_are_kept_out_of_reports(tmp_path: Path) -> None:
    async with two(tmp_path) as on:
        secrets = on.app.secrets()
        assert "s3cret-of-depot" in secrets, "set up, not yet open"
        await on.line("connect depot")
        await on.read("depot")
        token = on.fleets["depot"].token
        await on.app.close_connection("depot")
        assert token in on.app.secrets(), "closed, but perhaps still in a traceback"


async def test_the_header_counts_every_list_without_a_visit_and_nothing_that_was_not_read(tmp_path: Path) -> None:
    async with two(tmp_path, midm=24) as on:
        world = on.fleets["depot"].world
        asked: list[dict[str, int | None]] = []
        await on.line("connect depot")
        await on.until(lambda: "depot" in on.app.sessions)
        session = on.app.sessions["depot"]

        def counted() -> bool:
            tally = on.app.tally_of(session)
            found = {name: tally.of(name) if tally else None for name in ("groups", "apps", "images", "rollouts")}
            asked.append(found)
            return None not in found.values()

        await on.until(counted)
        truth = {
            "groups": len(world.groups.all()),
            "apps": len(world.packages.all()),
            "images": len(world.images.all()),
            "rollouts": len(world.rollouts.all()),
        }
        assert asked[-1] == truth and min(truth.values()) > 0
        assert all(found[name] in (None, truth[name]) for found in asked for name in truth), "never 0 meanwhile"
        await on.until(lambda: f"6 Groups {truth['groups']}" in head(on))
        assert isinstance(on.app.screen, DevicesScreen)


async def test_the_session_that_a_sign_in_gave_is_kept_out_of_reports_too(tmp_path: Path) -> None:
    async with two(tmp_path, midm=24) as on:
        await on.line("connect depot")
        await on.read("depot")
        session = on.app.sessions["depot"]
        provider: Any = session.provider
        token = provider.hides[0]
        assert token not in {secret.reveal() for secret in session.secrets.values()}
        assert token in on.app.secrets()
        await session.context.reconnect()
        assert token not in provider.hides
        assert token in on.app.secrets(), "forgotten by the provider, but perhaps still in a traceback"
        await on.app.close_connection("depot")
        assert token in on.app.secrets()


async def test_leaving_asks_in_true_words_while_devices_are_registered(tmp_path: Path) -> None:
    async with two(tmp_path, midm=24) as on:
        await on.line("connect depot")
        await on.read("depot")
        assert not on.app.sending()
        on.app.sessions["depot"].registration.running = "run"
        await on.press("ctrl+q")
        await on.until(lambda: isinstance(on.app.screen, Ask))
        shown = " ".join(str(part.render()) for part in on.app.screen.query("Static").results())
        assert "Quit while devices are being registered?" in shown
        assert "A registration is being sent now" in shown and "Queue" not in shown
        assert "is not sent later either" in shown and "Nothing is sent twice." in shown
        await on.press("escape")
        on.app.sessions["depot"].registration.running = ""


@pytest.mark.parametrize(
    ("sending", "what", "said"),
    [
        (Sending(1), "commands are being sent", "A run is being sent now"),
        (Sending(2), "commands are being sent", "2 runs are being sent now"),
        (Sending(0, 1), "devices are being registered", "A registration is being sent now"),
        (Sending(1, 2), "commands are being sent and devices are being registered", "2 registrations are being sent"),
    ],
)
def test_what_is_being_sent_is_said_as_it_is(sending: Sending, what: str, said: str) -> None:
    assert sending and sending.what == what
    assert said in sending.words(quitting=True)
    assert ("Queue (3) of the next session" in sending.words(quitting=True)) is bool(sending.runs)
    assert "next session" not in sending.words(quitting=False)


async def test_segments_are_each_connections_own(tmp_path: Path) -> None:
    from mdm_tui.tui.fleets import Narrowed

    async with two(tmp_path) as on:
        on.app.narrow(on.app.session, Narrowed((10_000,), "nowhere"))
        await on.until(lambda: on.app.screen.source.count() == 0)
        await on.line("connect depot")
        await on.read("depot")
        await on.until(lambda: on.app.screen.source.count() == 16)
        assert "nowhere" not in head(on)


async def test_the_palette_has_the_connections(tmp_path: Path) -> None:
    async with two(tmp_path) as on:
        await on.press("ctrl+p")
        assert isinstance(on.app.screen, Palette)
        titles = [entry[0] for entry in Everything(on.app.screen)._entries()]
        assert {"Connection acme", "Connection depot", "Connections", "Both"} <= set(titles)


def test_the_header_says_what_else_is_open_at_every_width() -> None:
    state = HeaderState("acme", "Applivery", phase="fresh", last_ok=0.0, limit=10, others=Others(2, "stale", "depot"))
    wide, narrow = ("".join(text for text, _role, _bold in paint(state, 4.0, width)[0]) for width in (120, 80))
    assert "+2 open, depot stale" in wide
    assert narrow.startswith(" acme +2 stale")


def screen_text(on: Two) -> str:
    """What is on the screen, as plain lines."""
    strips = on.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)
