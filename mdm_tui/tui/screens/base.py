"""What every screen on a fleet shares: a session, the header, the hints, and news only while it is looked at.

A screen is one room: it says its groups of actions (`GROUPS`, `HINTS`), draws its own part in `body`, and answers
`news`. Its bindings come from the registry: `BINDINGS = bindings("policies")`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.containers import Vertical
from textual.screen import ModalScreen, Screen
from textual.widgets import OptionList

from mdm_tui.fleet.provider import Capability
from mdm_tui.tui import safe
from mdm_tui.tui.actions import BY_ID, bindings, key_text
from mdm_tui.tui.beneath import SeenBeneath
from mdm_tui.tui.bridge import FleetNews
from mdm_tui.tui.widgets.grid import Grid
from mdm_tui.tui.widgets.grid_text import ASCII, glyphs
from mdm_tui.tui.widgets.header import FRAME_FROM, Header, HeaderState
from mdm_tui.tui.widgets.lines import Lines, Part, length, part

if TYPE_CHECKING:
    from mdm_tui.tui.app import MdmApp

    _Mixed = Screen[Any]
else:
    _Mixed = object

__all__ = ["FleetModal", "FleetScreen", "Hints", "List", "Once", "capabilities_of", "named", "placed"]


# Widgets in which every letter is text; by name, because the larger of them is not imported before it is wanted.
_TYPED = frozenset({"Input", "TextArea"})


class List(Grid):
    """The grid with the keys of the registry."""

    BINDINGS = bindings("list")
    GUARDED: ClassVar[bool] = True  # see keyguard.py


class Hints(Lines):
    """The last line: the keys that matter most here, as many as fit; last always what shows all of them."""

    DEFAULT_CSS: ClassVar[str] = "Hints { dock: bottom; height: 1; }"

    def __init__(self) -> None:
        super().__init__(id="hints")
        self._ids: tuple[str, ...] = ()
        self._typing = False

    def typing(self, now: bool) -> None:
        """Whether keys are text now: `?` would only be typed then."""
        if now != self._typing:
            self._typing = now
            self.rebuild()

    def offer(self, ids: Sequence[str]) -> None:
        """Show these actions' keys."""
        self._ids = tuple(ids)
        self.rebuild()

    def rebuild(self) -> None:
        width = self.size.width or self.app.size.width
        line: list[Part] = [part(" ")]
        key, words = ("ctrl+p", " all actions") if self._typing else ("?", " all keys")
        last: list[Part] = [part(key, "accent"), part(words, "muted")]
        for name in self._ids:
            action = BY_ID[name]
            key = key_text(self.app.keys_of(name)).split(" ")[0]  # type: ignore[attr-defined]
            more = [part(key, "accent"), part(f" {action.title.lower()}", "muted"), part("   ")]
            if length(line) + length(more) + length(last) > width:
                break
            line.extend(more)
        self.show([[*line, *last]])


def capabilities_of(screen: Any) -> frozenset[Capability] | None:
    """What the service that a screen looks at can do; None for a screen that looks at none."""
    session = getattr(screen, "session", None)
    return session.factory.capabilities if session is not None else None


def named(session: Any) -> str:
    """Which connection and whose service, as everything that acts on it says: its name and the service's title."""
    return f"{session.connection.name} · {session.factory.title}"


def refusal(session: Any, what: str) -> str:
    """Why nothing may be changed on a session now, as a sentence that begins with `what`; "" when it may be."""
    reason = session.writable
    if reason == "LOCKED":
        key = key_text(BY_ID["arm"].keys)
        return f"{what}: {session.arming.why()}. Press {key} to arm it."
    return f"{what} on this connection: {reason}." if reason else ""


class _Leavable(_Mixed):
    """What every screen and dialog can be asked. Not a node: of two, Textual takes the styles of the first alone."""

    @property
    def gone(self) -> bool:
        """Whether the person has left it for good: work that ends only now must not draw on it any more."""
        return self._pruning or not self.is_attached


class FleetScreen(_Leavable, SeenBeneath, Screen[Any]):
    """A screen on one session.

    `GROUPS`: groups of the registry that work here. `HINTS`: ids of the actions in the last line. `TAB`: which entry
    of the header's second line it belongs to. `LIVE`: it shows devices as they are now, so the fleet is polled closely.
    `OWN`: it is about its own session, not about all that are open.
    """

    GROUPS: ClassVar[tuple[str, ...]] = ()
    HINTS: ClassVar[tuple[str, ...]] = ()
    TAB: ClassVar[str] = ""
    LIVE: ClassVar[bool] = False
    OWN: ClassVar[bool] = True
    # Where there is room, production is a red frame round everything; below, the header has a red edge.
    HORIZONTAL_BREAKPOINTS = [(0, "-edge"), (FRAME_FROM, "-frame")]
    DEFAULT_CSS: ClassVar[str] = """
    FleetScreen.-production.-frame { border: round $production; }
    FleetScreen.-production.-frame.-plain { border: ascii $production; }
    """
    app: MdmApp  # type: ignore[assignment]

    def __init__(self, session: Any) -> None:
        super().__init__()
        self.session = session
        self._missed: list[object] = []
        self.set_class(session.connection.production, "-production")
        self.set_class(glyphs() is ASCII, "-plain")

    def compose(self) -> ComposeResult:
        yield Header(self.header_state, self.app.now, step=self.app.age_step)
        yield from self.body()
        yield Hints()

    def body(self) -> ComposeResult:
        """What stands between the header and the hints."""
        yield from ()

    def news(self, events: Sequence[object]) -> None:
        """Something happened; events as in `mdm_tui.services.events`. Also called for what was missed while hidden."""

    def tick(self) -> None:
        """Called about once a second while the screen is looked at: repaint ages whose text changed."""

    def in_sight(self) -> tuple[Sequence[str], str | None]:
        """The devices that are looked at: the ids of rows, and the one that is open in full."""
        return (), None

    def header_state(self) -> HeaderState:
        """What the header says here now."""
        return self.app.header_state(self)

    def concerns(self, session: Any) -> bool:
        """Whether what happens in a session is of interest here."""
        return session is self.session

    def sight_of(self, session: Any) -> tuple[Sequence[str], str | None]:
        """What of a session is looked at here, as `in_sight`."""
        return self.in_sight() if session is self.session else ((), None)

    def narrowed_anew(self) -> None:
        """The connection was narrowed to another segment."""

    def escape(self) -> bool:
        """One layer back inside the screen (a filter, a pane); False when there is none left."""
        return False

    def leaving(self) -> None:
        """The person goes back to what is under this screen."""

    def note(self, events: Iterable[object]) -> None:
        """Remember what happened while something else is on the screen."""
        self._missed.extend(events)
        if len(self._missed) > 64:
            # By far enough to know that everything is out of date; equal events are one.
            self._missed = list(dict.fromkeys(self._missed))

    def tell(self, sentence: str, severity: safe.Severity = "information") -> None:
        """A short notice."""
        safe.toast(self.app, "", sentence, severity)

    def hints(self) -> Sequence[str]:
        """Which actions the last line offers."""
        return self.HINTS

    def on_mount(self) -> None:
        can = capabilities_of(self)
        self.query_one(Hints).offer([name for name in self.hints() if BY_ID[name].offered(can)])

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        for hints in self.query(Hints):
            hints.typing(any(kind.__name__ in _TYPED for kind in type(event.widget).__mro__))

    def on_fleet_news(self, message: FleetNews) -> None:
        if self.concerns(message.session):
            self.news(message.events)

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        missed, self._missed = self._missed, []
        if missed:
            self.news(missed)
        self.app.attend()
        self.app.looked_at()
        self.tick()
        for header in self.query(Header):
            header.tick()

    def on_unmount(self, event: events.Unmount) -> None:
        self.app.looked_at()


class Once(_Leavable):
    """A dialog that answers once, whatever is pressed or clicked on it twice."""

    # Class values: a dialog's own __init__ need not know of them.
    _answered = False
    _late: tuple[Any] | None = None
    _left: Callable[[], object] | None = None

    @property
    def answered(self) -> bool:
        """Whether it is on its way out."""
        return self._answered

    def when_left(self, tell: Callable[[], object]) -> None:
        """Call this when it is gone, answered or not: a screen's end takes its dialogs with it."""
        self._left = tell

    def on_unmount(self, event: events.Unmount) -> None:
        if self._left is not None:
            self._left()

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """Close with an answer, once: Textual's takes away whatever lies on top, so a second call took another screen.

        Under another dialog the answer waits until this one is on top again.
        """
        if self._answered:
            return AwaitComplete.nothing()
        if self.app.screen is not self:
            self._late = (result,)
            return AwaitComplete.nothing()
        self._answered = True
        return super().dismiss(result)

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        if self._late is not None:
            self.dismiss(*self._late)
        # What was asked from here may be shown now.
        self.app.looked_at()  # type: ignore[attr-defined]


class FleetModal(Once, SeenBeneath, ModalScreen[Any]):
    """A dialog over a screen. `GROUPS` as on a screen; `escape` and `q` are the app's `back`, which dismisses it.

    `place`: what its frame names as the system it acts on; None for that of the screen below, "" for none.
    """

    GROUPS: ClassVar[tuple[str, ...]] = ()
    place: str | None = None
    app: MdmApp  # type: ignore[assignment]
    DEFAULT_CSS: ClassVar[str] = """
    FleetModal { align: center middle; background: transparent; }
    FleetModal > Vertical { border-title-color: $info; border-title-background: $raised; }
    """

    BINDINGS = bindings("everywhere", ("back", "quit", "help.open"))

    def _on_mount(self, event: events.Mount) -> None:
        place = self.where()
        for frame in self.query(Vertical) if place else ():
            if frame.parent is self:
                frame.border_title = safe.plain(place)  # type: ignore[assignment]

    def leave_room(self, taken: int, share: float) -> None:
        """Make this dialog's list no higher than what is left beside its other lines, so that these stay in sight.

        taken: lines of the rest, frame included; share: of the screen's height that the dialog may take.
        """
        for shown in self.query(OptionList):
            shown.styles.max_height = max(3, min(20, int(self.app.size.height * share) - taken))

    def where(self) -> str:
        """The connection and the system that this dialog is about, "" when it is about none or several."""
        if self.place is not None:
            return self.place
        stack = self.app.screen_stack
        below = stack[stack.index(self) - 1] if self in stack and stack.index(self) else None
        if isinstance(below, FleetModal):
            return below.where()
        return named(below.session) if isinstance(below, FleetScreen) and below.OWN else ""

    def action_back(self) -> None:
        """Close without an answer."""
        self.dismiss(None)

    async def action_help(self) -> None:
        self.app.show_help()

    async def action_leave(self) -> None:
        await self.app.action_leave()


def placed(dialog: FleetModal, session: Any) -> FleetModal:
    """The dialog, about this session whatever screen it stands over."""
    dialog.place = named(session)
    return dialog
