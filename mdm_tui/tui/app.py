"""The app: wiring only. Sessions, modes, the bridge and the header's clock; what is drawn stands in the screens."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.filter import ANSIToTruecolor, LineFilter

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.provider import Capability
from mdm_tui.tui import app_go, look, safe, signals
from mdm_tui.tui.actions import BY_ID, bindings, check_keymap
from mdm_tui.tui.app_fail import Failing
from mdm_tui.tui.bridge import Bridge
from mdm_tui.tui.keyguard import KEY_WINDOW, EarlyKeys, KeyGuard
from mdm_tui.tui.screens.base import FleetScreen
from mdm_tui.tui.theme import colour_depth, find_theme, use_theme
from mdm_tui.tui.widgets import grid_text
from mdm_tui.tui.widgets.header import Header, HeaderState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.screen import Screen

    from mdm_tui.fleet.provider import Scope
    from mdm_tui.services.session import Session
    from mdm_tui.store.mirror import View

__all__ = ["MdmApp", "run"]

IDLE_AFTER = 300.0
"""Seconds without a key or the mouse after which nobody is taken to look."""


def _hears(event: events.Event) -> bool:
    return False


class MdmApp(app_go.Going, Failing, App[int]):
    """The console on one or more sessions; `current` is the one that is looked at."""

    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar[set[Any]] = {app_go.palette_provider}
    DEFAULT_MODE = "devices"
    BINDINGS: ClassVar[list[Any]] = [*bindings("everywhere"), Binding("ctrl+z", "stay", show=False)]
    TITLE = "mdm-tui"
    CSS = look.CSS

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
    ) -> None:
        super().__init__()
        self.sessions = dict(sessions)
        self.current = current
        self.settings = settings
        self.paths = paths
        self.env = env
        self.now = clock
        self.notice = notice
        self.age_step = 10 if settings.low_bandwidth else 1
        self.crash_message = ""
        self.last_key = float("-inf")
        self.last_touch = clock()
        self.bar_history: list[str] = []
        self.segment: tuple[int, ...] = ()
        self.segment_name = ""
        self.segment_scope: Scope | None = None
        self.news_seen = 0
        self.last_known: float | None = None
        self._keymap_wanted = dict(keymap or {})
        self._bridges: dict[str, Bridge] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._guard = KeyGuard(self, key_window)
        self._early = EarlyKeys(self)
        for name, make in self.screen_makers().items():
            self.add_mode(name, make)
        theme, problem = find_theme(settings.theme, paths.config / "themes")
        use_theme(self, theme, colour_depth(env))
        self._problems = [problem] if problem else []

    @property
    def session(self) -> Session:
        """The session that is looked at."""
        return self.sessions[self.current]

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
        self.spawn(self._start(self.current), "start")
        self.set_interval(1.0, self._tick)
        if not self.is_headless:
            signals.before_stopping(self.lock)
        # The shell has written over the screen.
        self.app_resume_signal.subscribe(self, lambda _app: self.refresh(layout=True))

    async def _start(self, name: str) -> None:
        session = self.sessions[name]
        bridge = self._bridges[name] = Bridge(self, session)
        self.spawn(bridge.run(), "bridge")
        await session.start()
        bridge.tally.want("devices", "policies", "queue")
        self.tick_header()
        if session.can(Capability.POLICIES):
            # For the count in the header; what goes wrong is the Policies screen's to say.
            with contextlib.suppress(FleetError):
                await session.policies.refresh()
            bridge.tally.want("policies")

    async def on_unmount(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for session in self.sessions.values():
            await session.stop()

    def end(self, code: int) -> None:
        """End with a return code; may be called from any thread and from a signal handler."""
        self.lock()
        loop = getattr(self, "_loop", None)
        if loop is not None:
            loop.call_soon_threadsafe(lambda: self.exit(code, return_code=code))

    def lock(self) -> None:
        """Lock every production connection, from any thread."""
        for session in self.sessions.values():
            session.arming.lock()

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

    @property
    def fleet_screen(self) -> FleetScreen | None:
        """The fleet's screen that is looked at; a dialog does not hide the one below it."""
        return next((one for one in reversed(self.screen_stack) if isinstance(one, FleetScreen)), None)

    def attend(self) -> None:
        """Tell the synchronisation which devices are looked at and how closely: it sets its pace by that."""
        from mdm_tui.services.pace import Attention

        screen = self.fleet_screen
        if screen is None:
            return
        sync = screen.session.sync
        sync.focus(*screen.in_sight())
        if self.now() - self.last_touch >= IDLE_AFTER:
            sync.attend(Attention.IDLE)
        else:
            sync.attend(Attention.ACTIVE if screen.LIVE else Attention.BACKGROUND)

    def tick_header(self) -> None:
        """Repaint what changed in the header of the screen that is looked at, also where a dialog stands over it."""
        screen = self.fleet_screen
        for header in screen.query(Header) if screen is not None else ():
            header.tick()

    def header_state(self, screen: FleetScreen) -> HeaderState:
        """What the header of this screen says now."""
        bridge = self._bridges.get(self.current)
        return app_go.header_state(screen, bridge.tally if bridge else None, self.last_known)

    def fleet_total(self) -> int | None:
        """How many devices the current session knows, None while that has not been counted."""
        bridge = self._bridges.get(self.current)
        return bridge.tally.devices if bridge else None

    def whole_fleet(self, session: Session) -> View:
        """The view of everything in a session, or in the segment that the console is narrowed to."""
        from mdm_tui.store.mirror import View

        return View(session.scope, now=self.now(), segment=self.segment)

    def count_again(self) -> None:
        """Count the devices of the current session soon."""
        if bridge := self._bridges.get(self.current):
            bridge.tally.want("devices")

    # --- errors ---

    def spawn(self, work: Coroutine[Any, Any, Any], what: str) -> asyncio.Task[Any]:
        """Run something beside the screens; a `FleetError` becomes a notice, anything else ends the console."""
        task = asyncio.get_running_loop().create_task(work, name=what)
        self._tasks.add(task)
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
            self.session.arming.touch()
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

    def fleet_screens(self) -> Iterator[FleetScreen]:
        """Every screen on a fleet, shown or not."""
        for stack in self._screen_stacks.values():
            for screen in stack:
                if isinstance(screen, FleetScreen):
                    yield screen


def run(
    connections: Mapping[str, Any],
    current: str,
    settings: Any,
    paths: Any,
    env: Mapping[str, str],
    secrets: Mapping[str, Mapping[str, Any]] | None = None,
    notice: str = "",
) -> int:
    """Open the console on `current`, one of `connections`; answers with the exit code.

    secrets: what is already at hand, by connection and name (the demo's). notice: a sentence to begin with.
    """
    # Nothing of what is made before the first frame is garbage; `_first_frame` turns it on again.
    gc.disable()
    from mdm_tui.services.session import Session

    known = (secrets or {}).get(current)
    session = Session(connections[current], paths, env=env, secrets=known, poll_seconds=settings.poll_seconds)
    session.open_store()
    grid_text.set_glyphs(grid_text.suited(env, sys.stdout.encoding))
    app = MdmApp({current: session}, current, settings, paths, env, notice=notice, keymap=settings.keys)
    with signals.handled(app.end, tty=sys.stdin.fileno()):
        code = app.run(mouse=settings.mouse)
    signals.let_go()
    if app.crash_message:
        print(app.crash_message, file=sys.stderr)
        return 1
    return code if isinstance(code, int) else app.return_code or 0
