"""The connections that are open: opening, showing, polling, counting and closing them. Mixed into the app.

Several sessions share one mirror, so that a device known to two of them can be one row. Each keeps screens of its
own (see `modes`), its own segment and its own pace of polling.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mdm_tui.config.credentials import Secret
from mdm_tui.fleet.errors import FleetError
from mdm_tui.tui import modes, safe
from mdm_tui.tui.asking import asking
from mdm_tui.tui.bridge import Bridge
from mdm_tui.tui.closing import Closing
from mdm_tui.tui.fleets_kept import Kept, Narrowed
from mdm_tui.tui.screens.base import FleetScreen

if TYPE_CHECKING:
    from mdm_tui.config.connections import Connection
    from mdm_tui.services.session import Session

    Opener = Callable[[str], Session]

__all__ = ["IDLE_AFTER", "Fleets", "Narrowed"]

IDLE_AFTER = 300.0
"""Seconds without a key or the mouse after which nobody is taken to look."""


class Fleets(Kept, Closing):
    """The app's sessions. `current` is the connection that was shown last; `known` are all that are set up."""

    sessions: dict[str, Session]
    current: str
    known: dict[str, Connection]

    if TYPE_CHECKING:
        now: Callable[[], float]
        last_touch: float

        def spawn(self, work: Coroutine[Any, Any, Any], what: str) -> asyncio.Task[Any]: ...
        def tick_header(self) -> None: ...

    def hold(
        self,
        sessions: Mapping[str, Session],
        current: str,
        connections: Mapping[str, Connection] | None,
        opener: Opener | None,
    ) -> None:
        """Begin with these sessions. opener: makes a session on the mirror that all share."""
        self.sessions = dict(sessions)
        self.current = current
        self.known = {**(connections or {}), **{name: one.connection for name, one in sessions.items()}}
        self.trouble: dict[str, str] = {}
        self.lists: dict[str, str] = {}
        """Lists of devices to register that were typed and not sent, by a session's scope."""
        self._opener = opener
        self._bridges: dict[str, Bridge] = {}
        self._starting: dict[str, asyncio.Task[Any]] = {}
        self._places: dict[str, str] = {}
        self._narrowed: dict[str, Narrowed] = {}
        self._last_known: dict[str, float] = {}
        self._past: list[Any] = []
        for session in sessions.values():
            self._add_modes(session)

    # --- which one ---

    @property
    def fleet_screen(self) -> FleetScreen | None:
        """The fleet's screen that is looked at; a dialog does not hide the one below it."""
        return next((one for one in reversed(self.screen_stack) if isinstance(one, FleetScreen)), None)

    @property
    def session(self) -> Session:
        """The session that is looked at; on a screen of all of them the one that was shown last."""
        screen = self.fleet_screen
        return screen.session if screen is not None and screen.OWN else self.sessions[self.current]

    def fleet_screens(self) -> Iterator[FleetScreen]:
        """Every screen on a fleet, shown or not."""
        for stack in list(self._screen_stacks.values()):
            for screen in list(stack):
                if isinstance(screen, FleetScreen):
                    yield screen

    # --- opening and closing ---

    def open_connection(self, name: str) -> Session | None:
        """Open a connection beside those that are open, and begin to poll it. None, after a notice, where it fails."""
        if (session := self.sessions.get(name)) is not None:
            return session
        try:
            session = self._open(name)
        except FleetError as error:
            self.trouble[name] = error.sentence()
            safe.toast(self, name, error.sentence(), "error")
            return None
        self.trouble.pop(name, None)
        self.sessions[name] = session
        self._add_modes(session)
        self.start_connection(name)
        self._both_changed()
        return session

    def _open(self, name: str) -> Session:
        from mdm_tui.fleet.errors import Kind, Sent

        connection = self.known.get(name)
        if connection is None or self._opener is None:
            names = ", ".join(self.known)
            raise FleetError(Kind.CONFIG, f"There is no connection {name!r}", sent=Sent.NEVER, todo=f"Set up: {names}.")
        for other, session in self.sessions.items():
            if session.scope == connection.scope:
                what = f"{name} is the same fleet as {other}, which is open"
                raise FleetError(Kind.CONFIG, what, sent=Sent.NEVER, todo=f"Close {other} first (@).")
        session = self._opener(name)
        session.open_store()
        return session

    def _add_modes(self, session: Session) -> None:
        for mode, make in modes.makers(session).items():
            self.add_mode(mode, make)

    def start_connection(self, name: str) -> asyncio.Task[Any]:
        """Start a session's services; its screens can be looked at meanwhile."""
        task = self._starting[name] = self.spawn(self._start(name), "start")
        return task

    async def _start(self, name: str) -> None:
        session = self.sessions[name]
        bridge = self._bridges[name] = Bridge(self, session)  # type: ignore[arg-type]
        self.spawn(bridge.run(), "bridge")
        await session.start()
        bridge.tally.want_all()
        self.tick_header()

    async def close_connection(self, name: str) -> None:
        """End a session and its screens; the last one stays. Whoever calls has asked the person."""
        session = self.sessions.get(name)
        if session is None or len(self.sessions) == 1:
            return
        rest = next(one for one in self.sessions if one != name)
        on_both = self.current_mode == modes.BOTH
        if self.session is session or (on_both and len(self.sessions) == 2):
            await self.show_connection(rest)
        elif self.current == name:
            self.current = rest
        await self._end_dialogs(session)
        for sentence in await self.settle([session]):
            safe.toast(self, "", sentence, "warning")
        if self.sessions.get(name) is not session:
            return
        del self.sessions[name]
        await self.drop_work(session)
        self._past.extend(map(Secret, session.hidden))
        if (starting := self._starting.pop(name, None)) is not None:
            await asyncio.wait([starting])
        if (bridge := self._bridges.pop(name, None)) is not None:
            bridge.close()
        for mode in modes.makers(session):
            await self.remove_mode(mode)
        both = self._screen_stacks.get(modes.BOTH, [])
        if self.current_mode != modes.BOTH and any(getattr(one, "session", None) is session for one in both[1:]):
            await self._forget_both()
        await session.stop()
        for kept in (self._places, self._narrowed, self._last_known):
            kept.pop(name, None)
        self._both_changed()
        self.tick_header()

    async def _end_dialogs(self, session: Session) -> None:
        """End what a session asks, wherever it asks it: of a connection that ends, nothing is confirmed any more."""
        for task in [*self.tasks_of(session)]:
            if task in asking:
                task.cancel()
        stack = self._screen_stacks.get(self._current_mode, [])
        while any(getattr(one, "session", None) is session for one in stack[1:]):
            await self.pop_screen()

    async def stop_all(self) -> None:
        """End every session."""
        for session in self.sessions.values():
            await session.stop()

    # --- going ---

    async def show_connection(self, name: str, screen: str = "") -> bool:
        """Show a connection where it was left, or one of its screens; opens it when it is not open."""
        session = self.open_connection(name)
        if session is None:
            return False
        screen = screen or self._places.get(name, "devices")
        self.current = name
        self._places[name] = screen
        await self.switch_mode(modes.mode_name(name, screen))
        return True

    async def show_both(self) -> None:
        """The joined list of all open connections."""
        if modes.BOTH not in self._modes:
            self.add_mode(modes.BOTH, self._make_both)
        await self.switch_mode(modes.BOTH)

    def _make_both(self) -> FleetScreen:
        from mdm_tui.tui.screens.both import BothScreen

        return BothScreen(self.sessions[self.current])

    async def _forget_both(self) -> None:
        if modes.BOTH in self._modes:
            await self.remove_mode(modes.BOTH)

    def _both_changed(self) -> None:
        for screen in self._screen_stacks.get(modes.BOTH, [])[:1]:
            screen.connections_changed()  # type: ignore[attr-defined]

    # --- attention ---

    def lock(self) -> None:
        """Lock every production connection, from any thread."""
        for session in list(self.sessions.values()):
            session.arming.lock()

    def attend(self) -> None:
        """Tell every synchronisation which devices are looked at and how closely: it sets its pace by that."""
        from mdm_tui.services.pace import Attention

        screen = self.fleet_screen
        if screen is None:
            return
        idle = self.now() - self.last_touch >= IDLE_AFTER
        for session in self.sessions.values():
            session.sync.focus(*screen.sight_of(session))
            looked = screen.LIVE and screen.concerns(session)
            session.sync.attend(Attention.IDLE if idle else Attention.ACTIVE if looked else Attention.BACKGROUND)
