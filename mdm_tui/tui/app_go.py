"""Where a person can go and what the app itself does: the actions of the group `everywhere`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.text import search_key
from mdm_tui.tui import safe
from mdm_tui.tui.actions import key_text
from mdm_tui.tui.screens.base import FleetScreen
from mdm_tui.tui.theme import colour_depth, find_theme, theme_names, use_theme
from mdm_tui.tui.widgets.header import HeaderState, Tab

if TYPE_CHECKING:
    from textual.app import App
    from textual.screen import Screen

    from mdm_tui.fleet.provider import Meter, Scope
    from mdm_tui.tui.bridge import Tally

    _Base = App[int]
else:
    _Base = object

__all__ = ["Going", "header_state", "palette_provider"]

MODES = ("devices", "policies", "queue")

# What each digit needs of the service, and what the console does not have yet.
_NEEDS = {
    "policies": (Capability.POLICIES, "policies"),
    "queue": (Capability.COMMANDS, "commands"),
    "groups": (Capability.GROUPS, "groups"),
    "apps": (Capability.APPS, "a catalogue of apps"),
    "images": (Capability.IMAGES, "system images"),
    "rollouts": (Capability.ROLLOUTS, "rollouts"),
}
_LATER = {
    "activity": "Activity, the journal on a screen, is not in this version; the Queue (3) has the commands.",
    "pulse": "Pulse, the fleet at a glance, is not in this version; f on the Devices screen shows the faults.",
}


def palette_provider() -> type[Any]:
    """The palette's provider, imported when it is first opened."""
    from mdm_tui.tui.palette import Everything

    return Everything


def header_state(screen: FleetScreen, tally: Tally | None, last_known: float | None) -> HeaderState:
    """What the header says on this screen, from the session and the counted numbers.

    last_known: how old the mirror was when the console started; it is the data's age until the first poll.
    """
    session = screen.session
    connection = session.connection
    sync = session.sync
    state = sync.state if sync is not None else None
    provider = session.provider
    meter = provider.meter if provider is not None else None
    tabs = (
        Tab("devices", 1, "Devices", tally.devices if tally else None),
        Tab("policies", 2, "Policies", tally.policies if tally else None),
        Tab("queue", 3, "Queue", tally.queue if tally else None),
    )
    phase = getattr(state.phase, "value", state.phase) if state is not None else "starting"
    return HeaderState(
        name=connection.name,
        title=session.factory.title,
        production=connection.production,
        locked=session.writable,
        armed=session.arming.left(),
        arm_key=key_text(screen.app.keys_of("arm")),
        scope=f"segment {screen.app.segment_name}" if screen.app.segment else "",
        phase=str(phase),
        last_ok=state.last_ok if state and state.last_ok is not None else last_known,
        next_at=state.next_at if state else None,
        error=state.error if state else None,
        walked=state.walked or 0 if state else 0,
        total=state.total if state else None,
        refused=max(
            ((name, when) for name, (when, _said) in session.refused.items()), key=lambda one: one[1], default=None
        ),
        used=meter.used if meter else 0,
        limit=meter.limit if meter else connection.budget,
        spent=_spent(meter),
        tabs=tabs,
        current=screen.TAB,
        problems=tally.problems if tally else None,
        silent=tally.silent if tally else None,
    )


def _spent(meter: Meter | None) -> tuple[tuple[str, int], ...]:
    """Who made the calls of the last hour, the most first."""
    made = [(purpose.value, count) for purpose, count in meter.by_purpose.items() if count] if meter else []
    return tuple(sorted(made, key=lambda one: (-one[1], one[0])))


class Going(_Base):
    """The app's own actions."""

    _arming: Any = None

    if TYPE_CHECKING:
        from mdm_tui.services.session import Session

        @property
        def session(self) -> Session: ...

        now: Callable[[], float]
        paths: Any
        env: Any
        bar_history: list[str]
        segment: tuple[int, ...]
        segment_name: str
        segment_scope: Scope | None

        def spawn(self, work: Coroutine[Any, Any, Any], what: str) -> Any: ...
        def fleet_screens(self) -> Iterator[FleetScreen]: ...
        def count_again(self) -> None: ...

    def screen_makers(self) -> dict[str, Callable[[], Screen[Any]]]:
        """The modes and how the first screen of each is made; imported when it is first shown."""

        def devices() -> Screen[Any]:
            from mdm_tui.tui.screens.devices import DevicesScreen

            return DevicesScreen(self.session)

        def policies() -> Screen[Any]:
            from mdm_tui.tui.screens.policies import PoliciesScreen

            return PoliciesScreen(self.session)

        def queue() -> Screen[Any]:
            from mdm_tui.tui.screens.queue import QueueScreen

            return QueueScreen(self.session)

        return {"devices": devices, "policies": policies, "queue": queue}

    def missing(self, mode: str) -> str:
        """Why a screen cannot be shown on this connection, as a sentence; "" when it can."""
        title = self.session.factory.title
        if mode in _LATER:
            return _LATER[mode]
        if mode in _NEEDS:
            capability, words = _NEEDS[mode]
            if capability not in self.session.factory.capabilities:
                return f"{title} offers no {words} through its API, so there is nothing to show here."
            if mode not in MODES:
                return f"{title} has {words}, but this version has no screen for them yet."
        return ""

    async def action_go(self, mode: str) -> None:
        """To a screen; pressed on a screen opened from it, back to it."""
        if sentence := self.missing(mode):
            safe.toast(self, "", sentence, "warning")
            return
        if mode == self.current_mode:
            while len(self.screen_stack) > 1:
                await self.pop_screen()
            return
        await self.switch_mode(mode)

    def open_device(self, device_id: str) -> None:
        """The Device screen over whatever is shown."""
        from mdm_tui.tui.screens.device import DeviceScreen

        self.push_screen(DeviceScreen(self.session, device_id))

    async def action_back(self) -> None:
        """One layer back: inside the screen first, then the screen itself."""
        screen = self.screen
        if isinstance(screen, FleetScreen) and screen.escape():
            return
        if len(self.screen_stack) > 1:
            await self.pop_screen()

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
            self.push_screen(HelpScreen(getattr(self.screen, "GROUPS", ())))

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

    async def action_leave(self) -> None:
        """End, after asking when commands are on their way."""
        commands = self.session.commands
        busy = commands.busy() if commands is not None and hasattr(commands, "busy") else 0
        if not busy:
            self.exit(0)
            return
        from mdm_tui.tui.screens.ask import Ask

        what = "A run is" if busy == 1 else f"{busy} runs are"
        words = (
            f"{what} being sent now, and stops after the command that is on its way. What is not sent by then stays in "
            "the journal, and nothing is sent twice: the Queue (3) of the next session offers to send it, c on it."
        )
        # Not awaited here: the app's own queue must go on, or the answer could never come.
        self.push_screen(
            Ask("Quit while commands are being sent?", words, "quit"), lambda yes: self.exit(0) if yes else None
        )

    def action_arm(self) -> None:
        """Unlock a production connection for a while, or lock it again."""
        from mdm_tui.tui.screens.arm import arm

        # Not awaited here: a person answers, and the app's own queue must go on meanwhile. Once, however often asked.
        if self._arming is None or self._arming.done():
            self._arming = self.spawn(arm(self, self.session), "arm")

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
        elif name in (*MODES, *_LATER, *_NEEDS) and not rest:
            await self.action_go(name)
        elif name == "devices":
            await self._filter(rest)
        else:
            await self._find(text)

    async def _segment(self, asked: str) -> None:
        from mdm_tui.tui.screens.segment import narrow

        # Not awaited here: a person answers, and the app's own queue must go on meanwhile.
        self.spawn(narrow(self, self.session, asked), "segment")

    def set_segment(self, ids: tuple[int, ...], name: str, scope: Scope | None = None) -> None:
        """Narrow the console to these segments; () is the whole organisation. scope: the same as the service asks."""
        from mdm_tui.tui.screens.devices import DevicesScreen
        from mdm_tui.tui.screens.policies import PoliciesScreen

        self.segment, self.segment_name, self.segment_scope = ids, name, scope
        for screen in self.fleet_screens():
            if isinstance(screen, DevicesScreen):
                screen.ask_again(top=True)
            elif isinstance(screen, PoliciesScreen):
                screen.set_scope(scope)
        self.count_again()

    async def _filter(self, words: str) -> None:
        from mdm_tui.tui.screens.devices import DevicesScreen

        await self.action_go("devices")
        if isinstance(self.screen, DevicesScreen):
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
            ids = await self._named(ids, text) or ids
        if len(ids) == 1:
            self.open_device(ids[0])
        elif ids:
            await self._filter(text)
        else:
            safe.toast(self, "", f"No screen and no device is called {text!r}. ? shows what can be done.", "warning")

    async def _named(self, ids: list[str], text: str) -> list[str]:
        """Those of some devices whose whole name is this text."""
        rows = await self.session.mirror.rows(self.session.scope, ids[:500])
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
