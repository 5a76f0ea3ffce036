"""The command bar: `:` and where to go. One line at the bottom; tab completes, up and down recall."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.widgets import Input

from mdm_tui.fleet.provider import Capability
from mdm_tui.tui.modes import SCREENS
from mdm_tui.tui.widgets.line_input import LineInput
from mdm_tui.tui.widgets.lines import Lines, part

if TYPE_CHECKING:
    from mdm_tui.tui.app import MdmApp

__all__ = ["VERBS", "CommandBar", "complete", "verbs"]

# What can be typed, with what follows it; the help of the bar and its completion.
VERBS: dict[str, str] = {
    "devices": "the list of devices",
    "policies": "the list of policies",
    "queue": "the commands and how they go",
    "groups": "groups of devices",
    "apps": "the catalogue of apps",
    "images": "system images",
    "rollouts": "rollouts",
    "register": "devices, from a list or a CSV file",
    "both": "the devices of all open connections",
    "connect": "NAME: another connection",
    "device": "NAME, SERIAL or ID: open it",
    "segment": "NAME or all: only that part of the fleet",
    "filter": "WORDS: the devices that have them all",
    "theme": "NAME: another theme",
    "help": "the keys that work here",
    "quit": "leave",
}


def verbs(app: MdmApp) -> list[str]:
    """What can be typed on the connection that is looked at: what its service offers, and what is set up."""
    can = app.session.factory.capabilities
    without = {place.key for place in SCREENS if place.needs is not None and place.needs not in can}
    if Capability.DEVICE_REGISTER not in can:
        without.add("register")
    if Capability.SEGMENTS not in can:
        without.add("segment")
    if len(app.known) < 2:
        without.update(("both", "connect"))
    return [verb for verb in VERBS if verb not in without]


def complete(
    text: str,
    themes: Iterable[str] = (),
    connections: Iterable[str] = (),
    offered: Iterable[str] = tuple(VERBS),
) -> list[str]:
    """Whole lines that `text` may become, in order. offered: of `VERBS`."""
    head, space, rest = text.lstrip().partition(" ")
    if not space:
        return [verb for verb in offered if verb.startswith(head.lower())]
    if head == "connect":
        return [f"connect {name}" for name in connections if name.startswith(rest.strip())]
    if head == "theme":
        return [f"theme {name}" for name in themes if name.startswith(rest.strip())]
    return []


class _Line(LineInput):
    BINDINGS: ClassVar = [
        Binding("escape", "bar('close')", "Close", show=False),
        Binding("tab", "bar('complete')", "Complete", show=False),
        Binding("up", "bar('older')", "Older", show=False),
        Binding("down", "bar('newer')", "Newer", show=False),
    ]

    async def action_bar(self, what: str) -> None:
        bar = self.parent
        if isinstance(bar, CommandBar):
            await bar.do(what)


class CommandBar(Horizontal):
    """Mounted on the screen while a line is typed; removes itself."""

    DEFAULT_CSS: ClassVar[str] = """
    CommandBar { dock: bottom; height: 1; background: $ground; layer: bar; }
    CommandBar > Lines { width: 3; }
    CommandBar > _Line { width: 1fr; height: 1; border: none; padding: 0; background: $ground; color: $text; }
    CommandBar > _Line:focus { border: none; }
    CommandBar > .hint { width: 40%; }
    """
    app: MdmApp  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self._place: int | None = None
        self._back: Any = None

    def compose(self) -> ComposeResult:
        self._back = self.screen.focused
        yield Lines()
        yield _Line(compact=True)
        yield Lines(classes="hint")

    def on_mount(self) -> None:
        self.query(Lines).first().show([[part(" : ", "accent", bold=True)]])
        self.query_one(_Line).focus()
        self._say("")

    async def do(self, what: str) -> None:
        """Close, complete, older, newer."""
        line = self.query_one(_Line)
        history = self.app.bar_history
        if what == "close":
            await self._close()
        elif what == "complete":
            self._set(self._completed(line.value))
        elif history:
            place = len(history) if self._place is None else self._place
            self._place = max(0, min(len(history), place + (-1 if what == "older" else 1)))
            self._set(history[self._place] if self._place < len(history) else "")

    def _completed(self, text: str) -> str:
        found = complete(text, self.app.theme_choices(), self.app.known, verbs(self.app))
        if len(found) == 1:
            return found[0] + ("" if " " in found[0] else " ")
        if found:
            # As far as all of them agree.
            shortest = min(found, key=len)
            size = next((i for i, c in enumerate(shortest) if any(o[i] != c for o in found)), len(shortest))
            return max(text, shortest[:size], key=len)
        return text

    def _set(self, text: str) -> None:
        line = self.query_one(_Line)
        line.value = text
        line.cursor_position = len(text)

    def _say(self, text: str) -> None:
        found = complete(text, self.app.theme_choices(), self.app.known, verbs(self.app))
        head = text.lstrip().partition(" ")[0].lower()
        if head in VERBS and (" " in text.lstrip() or found == [head]):
            words = VERBS[head]
        else:
            words = "  ".join(found) or "a device by that name or serial"
        self.query(".hint").first(Lines).show([[part(words, "muted")]])

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._say(event.value)

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        history = self.app.bar_history
        if text and history[-1:] != [text]:
            history.append(text)
        await self._close()
        if text:
            # By the app, not by this bar: what a dialog answers is given to who asked, and the bar is gone by then.
            self.app.call_later(self.app.do_line, text)

    async def _close(self) -> None:
        back = self._back
        await self.remove()
        if back is not None and back.is_attached:
            back.focus()
