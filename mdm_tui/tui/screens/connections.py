"""The connections that are set up: which are open and how each is; shows another one, opens several, closes one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from mdm_tui.fleet.text import clean
from mdm_tui.tui import safe
from mdm_tui.tui.actions import BY_ID, bindings, key_text
from mdm_tui.tui.header_state import phase_of
from mdm_tui.tui.screens.ask import Ask
from mdm_tui.tui.screens.base import FleetModal, placed
from mdm_tui.tui.screens.dialogs import answer, keys_line
from mdm_tui.tui.widgets.grid_text import fit, glyphs
from mdm_tui.tui.widgets.header import HeaderState, freshness
from mdm_tui.tui.widgets.options import Options

if TYPE_CHECKING:
    from mdm_tui.tui.app import MdmApp

__all__ = ["Connections", "Line", "choose_connection", "close_asked", "line_of"]


_FOOT = (("connection.show", "show"), ("connection.open", "open beside"), ("connection.close", "close"))


def _key(action_id: str) -> str:
    return key_text(BY_ID[action_id].keys).split(" ")[0]


class Line(NamedTuple):
    """One connection as it is shown. role: of the state."""

    name: str
    title: str
    organization: str
    production: bool
    open: bool
    here: bool
    state: str
    role: str


def line_of(app: MdmApp, name: str) -> Line:
    """What is known of a connection now."""
    connection = app.known[name]
    session = app.sessions.get(name)
    here = session is not None and session is app.session
    if session is None:
        problem = app.trouble.get(name, "")
        state, role = (problem, "bad") if problem else ("closed", "muted")
    else:
        state, role = _state(app, session)
    organization = str(getattr(connection, "organization", ""))
    return Line(
        name, _title(app, name), organization, bool(connection.production), session is not None, here, state, role
    )


def _state(app: MdmApp, session: Any) -> tuple[str, str]:
    sync = session.sync.state
    last = sync.last_ok if sync.last_ok is not None else app.last_known(session)
    seen = HeaderState(
        session.connection.name, phase=phase_of(sync), last_ok=last, next_at=sync.next_at, error=sync.error,
        walked=sync.walked or 0, total=sync.total,
    )  # fmt: skip
    words, role = freshness(seen, app.now(), step=app.age_step, room=400)
    if sync.error is not None and seen.phase == "signed_out":
        words, role = sync.error.sentence(), "bad"
    sending = app.sending([session]).total
    if session.arming.left() > 0 and session.connection.production:
        words, role = f"ARMED, {words}", "warn"
    return f"{words}{f', sending {sending}' if sending else ''}", role


def _title(app: MdmApp, name: str) -> str:
    if (session := app.sessions.get(name)) is not None:
        return session.factory.title
    from mdm_tui.services.titles import title_of

    return title_of(app.known[name].provider)


class Connections(FleetModal):
    """Answers (what, name): `show`, `open` or `close`; None when left."""

    GROUPS: ClassVar[tuple[str, ...]] = ("connections",)
    place = ""
    BINDINGS = [*bindings("connections")]
    DEFAULT_CSS: ClassVar[str] = """
    Connections > Vertical { width: 100%; max-width: 116; height: auto; max-height: 90%; background: $raised;
        border: round $line; padding: 0 1; }
    Connections OptionList { height: auto; max-height: 20; border: none; background: $raised; padding: 0;
        scrollbar-size-vertical: 1; }
    Connections OptionList:focus { border: none; }
    Connections .why { height: auto; max-height: 4; margin-top: 1; }
    """

    def __init__(self, now: str = "") -> None:
        """now: the connection the cursor starts on."""
        super().__init__()
        self._now = now
        self._shown: dict[str, tuple[Line, int]] = {}

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(safe.plain("Connections", bold=True))
            yield Options()
            yield Static(classes="why")
            yield Static(keys_line(*[(_key(name), words) for name, words in _FOOT], ("esc", "back")))

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        names = list(self.app.known)
        for name in names:
            options.add_option(Option(self._label(line_of(self.app, name)), id=name))
        options.highlighted = names.index(self._now) if self._now in names else 0
        options.focus()
        self.leave_room(9, 0.9)
        self.set_interval(1.0, self._tick)
        self.call_after_refresh(self._tick)

    def on_resize(self) -> None:
        self._shown.clear()
        self.leave_room(9, 0.9)
        self.call_after_refresh(self._tick)

    def _tick(self) -> None:
        """Say anew what changed."""
        options = self.query_one(OptionList)
        width = options.size.width
        for name in self.app.known:
            line = line_of(self.app, name)
            if self._shown.get(name) != (line, width):
                self._shown[name] = (line, width)
                options.replace_option_prompt(name, self._label(line, width))
        self._say_why()

    def _label(self, line: Line, width: int = 0) -> safe.Content:
        """Sign, name, system, organisation, production, state."""
        signs = glyphs()
        width = width or 74
        wide = width >= 96
        sign = signs.cursor if line.here else signs.active if line.open else signs.disabled
        name, title, organization = (18, 16, 28) if wide else (12, 16, 8)
        taken = 2 + name + 1 + title + 1 + organization + 1 + 11
        return safe.join(
            (f"{sign} ", "accent" if line.here else "good" if line.open else "muted"),
            (f"{fit(line.name, name)} ", "text"),
            (f"{fit(line.title, title)} ", "muted"),
            (f"{fit(line.organization, organization, middle=True)} ", "muted"),
            (f"{'PRODUCTION' if line.production else '':<11}", "production"),
            (fit(clean(line.state, 400), max(width - taken - 1, 8)).rstrip(), line.role),
        )

    def _say_why(self) -> None:
        name = self._chosen()
        line = line_of(self.app, name) if name else None
        whole = "" if line is None else f"{line.name}: {clean(line.state, 400)}"
        self.query_one(".why", Static).update(safe.plain(whole, line.role if line is not None else ""))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        self._say_why()

    def _chosen(self) -> str:
        at = self.query_one(OptionList).highlighted
        names = list(self.app.known)
        return names[at] if at is not None and at < len(names) else ""

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(("show", event.option.id or ""))

    def action_show(self) -> None:
        self.dismiss(("show", self._chosen()))

    def action_open(self) -> None:
        name = self._chosen()
        if name in self.app.sessions:
            safe.toast(self.app, "", f"{name} is open already.")
        elif self.app.open_connection(name) is not None:
            safe.toast(self.app, "", f"{name} is open beside {self.app.session.connection.name}.")
        self._tick()

    def action_close(self) -> None:
        self.dismiss(("close", self._chosen()))


async def choose_connection(app: MdmApp) -> None:
    """Ask which connection, and do it. To be run by `app.spawn`."""
    if any(isinstance(screen, Connections) for screen in app.screen_stack):
        return
    now = app.session.connection.name
    while chosen := await answer(app, Connections(now), anywhere=True):
        what, now = chosen
        if what == "show":
            await app.show_connection(now)
            return
        await close_asked(app, now)


async def close_asked(app: MdmApp, name: str) -> None:
    """Close a connection, after asking when something is being sent on it. To be run by `app.spawn`."""
    session = app.sessions.get(name)
    if session is None:
        safe.toast(app, "", f"{name} is not open.", "warning")
        return
    if len(app.sessions) == 1:
        safe.toast(app, "", f"{name} is the only one that is open; ctrl+q leaves the console.", "warning")
        return
    if sending := replace(app.sending([session]), questions=app.questions_of(session)):
        words = sending.words(quitting=False)
        if not await answer(
            app, placed(Ask(f"Close {name} while {sending.what}?", words, "close it"), session), anywhere=True
        ):
            return
    await app.close_connection(name)
    safe.toast(app, "", f"{name} is closed.")
