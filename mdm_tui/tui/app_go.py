"""Where a person can go and what the app itself does: the actions of the group `everywhere`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.text import search_key
from mdm_tui.tui import modes, safe
from mdm_tui.tui.screens.base import FleetScreen, capabilities_of
from mdm_tui.tui.theme import colour_depth, find_theme, theme_names, use_theme

if TYPE_CHECKING:
    from textual.app import App

    from mdm_tui.config.connections import Connection

    _Base = App[int]
else:
    _Base = object

__all__ = ["Going", "palette_provider"]


def palette_provider() -> type[Any]:
    """The palette's provider, imported when it is first opened."""
    from mdm_tui.tui.palette import Everything

    return Everything


class Going(_Base):
    """The app's own actions."""

    _arming: Any = None

    if TYPE_CHECKING:
        from mdm_tui.services.session import Session

        @property
        def session(self) -> Session: ...

        sessions: dict[str, Session]
        current: str
        known: dict[str, Connection]
        now: Callable[[], float]
        paths: Any
        env: Any
        bar_history: list[str]

        def spawn(self, work: Coroutine[Any, Any, Any], what: str) -> Any: ...
        def fleet_screens(self) -> Iterator[FleetScreen]: ...
        async def action_leave(self) -> None: ...
        async def show_connection(self, name: str, screen: str = "") -> bool: ...
        async def show_both(self) -> None: ...

    async def action_go(self, screen: str) -> None:
        """To a screen of the connection that is looked at; pressed on a screen opened from it, back to it."""
        await self.go_to(self.session, screen)

    async def go_to(self, session: Session, screen: str) -> None:
        """To a screen of one session."""
        if sentence := modes.missing(session, screen):
            safe.toast(self, "", sentence, "warning")
            return
        name = session.connection.name
        if self.current_mode == modes.mode_name(name, screen):
            while len(self.screen_stack) > 1:
                await self._leave_screen()
            return
        await self.show_connection(name, screen)

    async def action_both(self) -> None:
        """The joined list of all open connections; pressed on a screen opened from it, back to it."""
        if self.current_mode == modes.BOTH:
            while len(self.screen_stack) > 1:
                await self.pop_screen()
        elif len(self.sessions) > 1:
            await self.show_both()
        elif len(self.known) > 1:
            safe.toast(self, "", "One connection is open; @ opens another beside it.", "warning")
        else:
            safe.toast(self, "", "One connection is set up: there is nothing to join it with.", "warning")

    def action_register(self) -> None:
        """Register devices on the connection that is looked at."""
        from mdm_tui.tui.screens.register import open_register

        open_register(self, self.session)

    def action_connections(self) -> None:
        """Which connection to look at."""
        from mdm_tui.tui.screens.connections import choose_connection

        self.spawn(choose_connection(self), "connections")  # type: ignore[arg-type]

    def open_device(self, device_id: str, session: Session | None = None) -> None:
        """The Device screen over whatever is shown. session: None for the one that is looked at."""
        from mdm_tui.tui.screens.device import DeviceScreen

        self.push_screen(DeviceScreen(session or self.session, device_id))

    async def _leave_screen(self) -> None:
        """Away from a screen for good; it may have something to say."""
        if isinstance(self.screen, FleetScreen):
            self.screen.leaving()
        await self.pop_screen()

    async def action_back(self) -> None:
        """One layer back: inside the screen first, then the screen itself."""
        screen = self.screen
        if isinstance(screen, FleetScreen) and screen.escape():
            return
        if len(self.screen_stack) > 1:
            await self._leave_screen()
        elif self.current_mode == modes.BOTH:
            await self.show_connection(self.current)

    def action_command_palette(self) -> None:
        """The palette, once."""
        from mdm_tui.tui.palette import Palette

        if not Palette.is_open(self):  # type: ignore[arg-type]
            self.push_screen(Palette(id="--command-palette"))

    def action_help(self) -> None:
        self.show_help()

    def show_help(self) -> None:
        """The keys that work on the screen that is shown."""
        from mdm_tui.tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(getattr(self.screen, "GROUPS", ()), capabilities_of(self.screen)))

    async def action_command_bar(self) -> None:
        from mdm_tui.tui.widgets.command_bar import CommandBar

        if not self.screen.query(CommandBar):
            await self.screen.mount(CommandBar())

    def action_copy_or_clear(self) -> None:
        """ctrl+c: clears a filter or closes a layer of the screen; it never quits."""
        screen = self.screen
        if not (isinstance(screen, FleetScreen) and screen.escape()):
            safe.toast(self, "", "ctrl+q quits; ctrl+c copies what is selected or clears what is typed.")

    def action_stay(self) -> None:
        """ctrl+z: a stopped console follows no command, and where no shell waits nothing would start it again."""
        safe.toast(self, "", "ctrl+z does not stop the console: it goes on following commands. ctrl+q quits.")

    def action_arm(self) -> None:
        """Unlock a production connection for a while, or lock it again."""
        from mdm_tui.tui.screens.arm import arm

        # Not awaited here: a person answers, and the app's own queue must go on meanwhile. Once, however often asked.
        if self._arming is None or self._arming.done():
            own = getattr(self.screen, "arm", None)
            self._arming = self.spawn(own() if own is not None else arm(self, self.session), "arm")

    # --- the command bar and the themes ---

    async def do_line(self, text: str) -> None:
        """As `go_line`, with what a service refuses told as a notice."""
        try:
            await self.go_line(text)
        except FleetError as error:
            safe.toast(self, "", error.sentence(), "error")

    async def go_line(self, text: str) -> None:
        """Do what a line of the command bar says. Raises `FleetError` when a service cannot."""
        verb, _space, rest = text.partition(" ")
        rest = rest.strip()
        name = verb.lower()
        if name in ("quit", "q", "exit"):
            await self.action_leave()
        elif name == "help":
            self.show_help()
        elif name == "theme":
            self.choose_theme(rest)
        elif name == "filter":
            await self._filter(rest)
        elif name == "device":
            await self._find(rest)
        elif name == "segment":
            await self._segment(rest)
        elif name == "connect":
            await self._connect(rest)
        elif name == "register" and not rest:
            self.action_register()
        elif name == "both" and not rest:
            await self.action_both()
        elif name in (*(place.key for place in modes.SCREENS), *modes.LATER) and not rest:
            await self.action_go(name)
        elif name == "devices":
            await self._filter(rest)
        else:
            await self._find(text)

    async def _segment(self, asked: str) -> None:
        from mdm_tui.tui.screens.segment import narrow

        # Not awaited here: a person answers, and the app's own queue must go on meanwhile.
        self.spawn(narrow(self, self.session, asked), "segment")

    async def _connect(self, name: str) -> None:
        if not name:
            self.action_connections()
            return
        fitting = [one for one in self.known if one.casefold().startswith(name.casefold())]
        await self.show_connection(fitting[0] if name not in self.known and len(fitting) == 1 else name)

    async def _filter(self, words: str) -> None:
        from mdm_tui.tui.screens.devices import DevicesScreen

        takes = getattr(self.screen, "filter_by", None) if self.current_mode == modes.BOTH else None
        if takes is None:
            await self.action_go("devices")
        if takes is not None:
            takes(words)
        elif isinstance(self.screen, DevicesScreen):
            self.screen.filter_by(words)

    async def _find(self, text: str) -> None:
        """Open the one device that is called so; several are shown as a list."""
        if not text:
            safe.toast(self, "", "Say which device: a name, a serial or an id.", "warning")
            return
        session = self.session
        ids = await session.mirror.find(session.scope, text)
        if len(ids) != 1:
            from mdm_tui.store.mirror import View

            ids = ids or await session.mirror.ids(View(session.scope, words=tuple(text.split()), now=self.now()))
            ids = await self._named(session, ids, text) or ids
        if len(ids) == 1:
            self.open_device(ids[0], session)
        elif ids:
            await self._filter(text)
        else:
            safe.toast(self, "", f"No screen and no device is called {text!r}. ? shows what can be done.", "warning")

    async def _named(self, session: Session, ids: list[str], text: str) -> list[str]:
        """Those of some devices whose whole name is this text."""
        rows = await session.mirror.rows(session.scope, ids[:500])
        wanted = search_key(text).strip()
        return [key for key, row in rows.items() if search_key(str(row.values.get("name") or "")) == wanted]

    def theme_choices(self) -> list[str]:
        """Names of the themes there are."""
        return theme_names(self.paths.config / "themes")

    def choose_theme(self, name: str) -> None:
        """Another theme from now on."""
        theme, problem = find_theme(name, self.paths.config / "themes")
        if problem:
            safe.toast(self, "", problem, "warning")
            return
        use_theme(self, theme, colour_depth(self.env))
        self.refresh()

    def copy_text(self, text: str, what: str) -> None:
        """Put clean text on the clipboard of the person's terminal (OSC 52), and say so."""
        clean = safe.tidy_lines(text)
        self.copy_to_clipboard(clean)
        safe.toast(self, "", f"{what} copied, where the terminal allows it.")
