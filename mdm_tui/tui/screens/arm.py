"""Arming a production connection: its name is typed, the time is chosen (RULES §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from mdm_tui.fleet.errors import FleetError
from mdm_tui.services.arming import CHOICES, IDLE, MINUTES, Arming
from mdm_tui.tui import safe
from mdm_tui.tui.screens.base import placed
from mdm_tui.tui.screens.dialogs import Guarded, answer, foot, not_typed

if TYPE_CHECKING:
    from mdm_tui.services.session import Session

__all__ = ["ArmDialog", "arm"]


async def arm(app: Any, session: Session) -> None:
    """Lock what is armed; ask for name and time where it is not."""
    arming, connection = session.arming, session.connection
    if connection.read_only:
        safe.toast(app, "", "Nothing to arm: the connection is read_only = true in the configuration.", "warning")
    elif not connection.production:
        safe.toast(app, "", f"Nothing to arm: {connection.name} is not a production connection.")
    elif arming.armed:
        arming.lock()
        safe.toast(app, "", f"{connection.name} is LOCKED.")
    elif minutes := await answer(app, placed(ArmDialog(arming, connection.name), session)):
        safe.toast(app, "", f"{connection.name} is ARMED for {minutes} minutes. A locks it.", "warning")
    app.tick_header()


class ArmDialog(Guarded):
    """Arms on enter after the connection's name; answers the minutes, or None."""

    DEFAULT_CSS: ClassVar[str] = """
    ArmDialog > Vertical { width: 64; }
    ArmDialog Input { width: 1fr; }
    """

    def __init__(self, arming: Arming, name: str) -> None:
        super().__init__()
        self._arming, self._name = arming, name
        self.minutes = MINUTES

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(safe.join(("Arm ", ""), (self._name, "warn"), (" · PRODUCTION", "production")))
            words = (
                f"Changes and commands can be sent until the time is over, or {IDLE / 60:.0f} minutes without a key."
            )
            yield Static(safe.plain(words, "muted"))
            with Horizontal(classes="row"):
                yield Static(safe.plain("Minutes"), classes="label")
                yield Static(self._times(), id="times")
            with Horizontal(classes="row"):
                yield Static(safe.plain("Type its name"), classes="label")
                yield Input(compact=True)
            yield Static(classes="problem")
            yield foot(("enter", "arm it"), ("up down", "the time"), ("esc", "stays locked"))

    def _times(self) -> safe.Content:
        return safe.join(
            *((f"[{one}] ", "accent") if one == self.minutes else (f" {one}  ", "muted") for one in CHOICES)
        )

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_key(self, event: events.Key) -> None:
        if event.key in ("up", "down"):
            step = 1 if event.key == "up" else -1
            at = CHOICES.index(self.minutes) + step
            self.minutes = CHOICES[min(max(at, 0), len(CHOICES) - 1)]
            self.query_one("#times", Static).update(self._times())
            event.stop()

    def on_input_submitted(self, event: Any) -> None:
        event.stop()
        if event.value.strip() != self._name:
            self.complain(not_typed(self._name, event.value, "it stays locked"))
            return
        try:
            self._arming.arm(event.value, self.minutes)
        except FleetError as error:
            self.complain(error.sentence())
        else:
            self.dismiss(self.minutes)
