"""A screen goes on beneath a dialog: what changed is seen, and nothing else is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from desk import NOW, DeskSession, make_app, press, quiet, until
from textual._compositor import ChopsUpdate

from mdm_tui.tui.widgets.header import Header


def _seen(app: Any) -> str:
    """The lines of the header as the terminal shows them, through whatever lies on top."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips()[:3])


@pytest.mark.parametrize("production", [False, True])
@pytest.mark.parametrize("dialogs", [("question_mark",), ("s",), ("s", "ctrl+p")])
async def test_the_header_goes_on_beneath_a_dialog(tmp_path: Path, production: bool, dialogs: tuple[str, ...]) -> None:
    session = await DeskSession(tmp_path, production=production).fill()
    app = make_app(tmp_path, session)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(app, pilot, *dialogs)
        header = app.fleet_screen.query_one(Header)
        assert app.screen is not app.fleet_screen
        sent: list[Any] = []
        shown = app._display

        def display(screen: Any, update: Any) -> None:
            if screen is app.screen and update is not None:
                sent.append(update)
            shown(screen, update)

        app._display = display  # type: ignore[method-assign]
        await until(app, lambda: not any(one._repaint_required or one._dirty_widgets for one in app.screen_stack))
        for age in (5, 6, 7):
            sent.clear()
            session.state.last_ok = NOW - age
            app.tick_header()
            assert f"fresh {age}s" in header.text
            await until(app, lambda: sent)
            await quiet(app, pilot)
            assert f"fresh {age}s" in _seen(app), "it is seen"
            assert all(isinstance(update, ChopsUpdate) for update in sent), "never the whole screen"
            lines = range(header.region.y, header.region.bottom)
            cells = [right - left for update in sent for y, left, right in update.spans if y in lines]
            # The first takes along what had not been sent yet when the dialog came.
            assert age == 5 or sum(cells) <= 2, "one digit, not a line of it"
