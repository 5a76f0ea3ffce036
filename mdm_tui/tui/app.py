"""The app: wiring only. Start, end, keys and the clock; sessions stand in `fleets`, what is drawn in the screens."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.filter import ANSIToTruecolor, LineFilter

from mdm_tui.fleet.errors import FleetError
from mdm_tui.tui import app_go, look, modes, safe, signals
from mdm_tui.tui.actions import BY_ID, bindings, check_keymap
from mdm_tui.tui.app_fail import Failing
from mdm_tui.tui.fleets import Fleets
from mdm_tui.tui.header_state import header_state
from mdm_tui.tui.keyguard import KEY_WINDOW, EarlyKeys, KeyGuard
from mdm_tui.tui.screens.base import FleetScreen
from mdm_tui.tui.theme import colour_depth, find_theme, use_theme
from mdm_tui.tui.widgets import grid_text
from mdm_tui.tui.widgets.header import Header, HeaderState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.screen import Screen

    from mdm_tui.config.connections import Connection
    from mdm_tui.services.session import Session
    from mdm_tui.tui.fleets import Opener

__all__ = ["MdmApp", "run"]


def _hears(event: events.Event) -> bool:
    return False


class MdmApp(app_go.Going, Fleets, Failing, App[int]):
    """The console on one or more sessions; `current` is the one that is looked at."""

    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar[set[Any]] = {app_go.palette_provider}
    BINDINGS: ClassVar[list[Any]] = [*bindings("everywhere"), Binding("ctrl+z", "stay", show=False)]
    TITLE = "mdm-tui"
    CSS = look.CSS

    def _refresh_notifications(self) -> None:
        safe.fewer(self)
        super()._refresh_notifications()

    def __init__(
        self,
        sessions: Mapping[str, Session],
        current: str,
        settings: Any,
        paths: Any,
        env: Mapping[str, str],
        *,
        notice: str = "",
        clock: Callable[[], float] = time.time,
        key_window: float = KEY_WINDOW,
        keymap: Mapping[str, str] | None = None,
        connections: Mapping[str, Connection] | None = None,
        opener: Opener | None = None,
        beside: Sequence[str] = (),
    ) -> None:
        """connections: all that are set up; opener: makes a session for one of them, on the mirror that all share.

        beside: names of those that are opened as soon as the first has started.
        """
        self.DEFAULT_MODE = modes.mode_name(current, "devices")  # type: ignore[misc]
        super().__init__()
        self.hold_origins()
        self.hold(sessions, current, connections, opener)
        self._beside = tuple(beside)
        self.settings = settings
        self.paths = paths
        self.env = env
        self.now = clock
        self.notice = notice
        self.age_step = 10 if settings.low_bandwidth else 1
        self.crash_message = ""
        self.farewell: list[str] = []
        self.last_key = float("-inf")
        self.last_touch = clock()
        self.bar_history: list[str] = []
        self.news_seen = 0
        self._keymap_wanted = dict(keymap or {})
        self._tasks: set[asyncio.Task[Any]] = set()
        self.key_window = key_window
        self._guard = KeyGuard(self, key_window)
        self._early = EarlyKeys(self)
        theme, problem = find_theme(settings.theme, paths.config / "themes")
        use_theme(self, theme, colour_depth(env))
        self._problems = [problem] if problem else []

    def get_line_filters(self) -> Sequence[LineFilter]:
        # The terminal's own sixteen colours must stay what they are; Textual notices a theme of theirs too late.
        own = self.native_ansi_color
        found = [item for item in super().get_line_filters() if not (own and isinstance(item, ANSIToTruecolor))]
        return [*found, safe.guard]

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        return ()

    # --- from start to end ---

    def on_mount(self) -> None:
        mistakes = check_keymap(self._keymap_wanted)
        self._problems += mistakes
        if not mistakes:
            self.set_keymap(self._keymap_wanted)
        self.call_after_refresh(self._first_frame)

    def _first_frame(self) -> None:
        """The mirror's rows are on the screen: now load and start everything else."""
        gc.enable()
        gc.freeze()
        asyncio.get_running_loop().set_exception_handler(self._on_loop_error)
        for sentence in [*self._problems, *([self.notice] if self.notice else [])]:
            safe.toast(self, "", sentence, "warning" if sentence in self._problems else "information")
        self.spawn(self._start_all(), "start")
        self.set_interval(1.0, self._tick)
        if not self.is_headless:
            signals.before_stopping(self.lock)
        # The shell has written over the screen.
        self.app_resume_signal.subscribe(self, lambda _app: self.refresh(layout=True))

    async def _start_all(self) -> None:
        """The connection that is looked at first; the others when it has begun."""
        await asyncio.wait([self.start_connection(self.current)])
        for name in self._beside:
            if name not in self.sessions:
                self.open_connection(name)

    async def on_unmount(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.stop_all()

    def end(self, code: int) -> None:
        """End with a return code; may be called from any thread and from a signal handler."""
        self.lock()
        loop = getattr(self, "_loop", None)
        if loop is not None:
            loop.call_soon_threadsafe(lambda: self.exit(code, return_code=code))

    # --- time ---

    def _tick(self) -> None:
        for session in self.sessions.values():
            if sentence := session.arming.ended():
                safe.toast(self, "", sentence, "warning")
        self.attend()
        self.tick_header()
        screen = self.screen
        if isinstance(screen, FleetScreen):
            screen.tick()

    def tick_header(self) -> None:
        """Repaint what changed in the header of the screen that is looked at, also where a dialog stands over it."""
        screen = self.fleet_screen
        for header in screen.query(Header) if screen is not None else ():
            header.tick()

    def header_state(self, screen: FleetScreen) -> HeaderState:
        """What the header of this screen says now."""
        return header_state(screen, self.tally_of(screen.session), self.last_known(screen.session))

    # --- errors ---

    def spawn(self, work: Coroutine[Any, Any, Any], what: str) -> asyncio.Task[Any]:
        """Run something beside the screens; a `FleetError` becomes a notice, anything else ends the console."""
        # Not by `create_task`: from Python 3.12 on Textual has that begin the work at once, before anybody knows of it.
        task = asyncio.Task(work, loop=asyncio.get_running_loop(), name=what)
        self._tasks.add(task)
        self.note_origin(task)
        task.add_done_callback(self._spawned)
        return task

    def spawned(self, task: asyncio.Task[Any] | None) -> bool:
        """Whether a task was made by `spawn`: it may wait for a person without holding up the keys."""
        return task in self._tasks

    def _spawned(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, FleetError):
            safe.toast(self, "", error.sentence(), "error")
        elif isinstance(error, Exception):
            self._handle_exception(error)

    # --- keys ---

    async def on_event(self, event: events.Event) -> None:
        # A key comes here twice: from the terminal, and bubbled back from the widget it was forwarded to.
        if isinstance(event, events.InputEvent):
            self.last_touch = self.now()
        if isinstance(event, (events.Key, events.Paste)) and not event.is_forwarded:
            self.last_key = self.now()
            for session in self.sessions.values():
                session.arming.touch()
            if self._guard.holds(event):
                return
        await self.pass_key(event)

    async def pass_key(self, event: events.Event) -> None:
        """What the guard does not hold back, or found to be a key after all."""
        if not (isinstance(event, (events.Key, events.Paste)) and self._early.holds(event)):
            await self.hear(event)

    async def hear(self, event: events.Event) -> None:
        """Hand an event on to a screen that stands."""
        if isinstance(event, events.InputEvent) and getattr(self.screen, "deaf", _hears)(event):
            # A dialog that has just appeared drops what was meant for the screen below it.
            return
        await super().on_event(event)

    def keys_of(self, action_id: str) -> str:
        """The keys an action has now, the person's own first."""
        return self._keymap_wanted.get(action_id) or BY_ID[action_id].keys


def run(
    connections: Mapping[str, Any],
    current: str,
    settings: Any,
    paths: Any,
    env: Mapping[str, str],
    secrets: Mapping[str, Mapping[str, Any]] | None = None,
    notice: str = "",
    beside: Sequence[str] = (),
) -> int:
    """Open the console on `current`, one of `connections`; answers with the exit code.

    secrets: what is already at hand, by connection and name (the demo's). notice: a sentence to begin with.
    beside: connections that are opened too, after the first frame.
    """
    # Nothing of what is made before the first frame is garbage; `_first_frame` turns it on again.
    gc.disable()
    from mdm_tui.services.session import Session
    from mdm_tui.store.mirror import Mirror

    mirror = Mirror.open(paths.mirror, clock=time.time)

    def make(name: str) -> Session:
        known = (secrets or {}).get(name)
        return Session(
            connections[name], paths, env=env, secrets=known, mirror=mirror, poll_seconds=settings.poll_seconds
        )

    session = make(current)
    session.open_store()
    grid_text.set_glyphs(grid_text.suited(env, sys.stdout.encoding))
    app = MdmApp(
        {current: session}, current, settings, paths, env, notice=notice, keymap=settings.keys,
        connections=connections, opener=make, beside=[name for name in beside if name != current],
    )  # fmt: skip
    with signals.handled(app.end, tty=sys.stdin.fileno()):
        code = app.run(mouse=settings.mouse)
    mirror.close()
    signals.let_go()
    for sentence in app.farewell:
        print(sentence, file=sys.stderr)
    if app.crash_message:
        print(app.crash_message, file=sys.stderr)
        return 1
    return code if isinstance(code, int) else app.return_code or 0
