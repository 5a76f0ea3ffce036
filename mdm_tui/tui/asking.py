"""Which screen a piece of work began on: what it asks a person later is asked there, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.tui import safe
from mdm_tui.tui.screens.base import FleetScreen, Once

if TYPE_CHECKING:
    from textual.app import App
    from textual.screen import Screen

    from mdm_tui.services.session import Session

    _Base = App[int]
else:
    _Base = object

__all__ = ["Asking", "Origin", "asking"]

asking: Final[set[asyncio.Task[Any] | None]] = set()
"""Tasks that wait for a person, or for the moment at which that person can be asked."""

# Work of no screen: keys on their way to one, and what a session does by itself.
_NOBODYS: Final = frozenset({"keys", "early keys", "start", "bridge", "counting"})


@dataclass(frozen=True, slots=True)
class Origin:
    """The fleet's screen that was looked at, and the dialogs that were open over it."""

    screen: FleetScreen
    over: tuple[Screen[Any], ...] = ()

    @property
    def session(self) -> Session | None:
        """Whose work it is; None on a screen of all connections."""
        return self.screen.session if self.screen.OWN else None


class Asking(_Base):
    """Mixed into the app: knows of every piece of work where it began."""

    if TYPE_CHECKING:
        sessions: dict[str, Session]
        _tasks: set[asyncio.Task[Any]]

        @property
        def fleet_screen(self) -> FleetScreen | None: ...
        @property
        def session(self) -> Session: ...

    def hold_origins(self) -> None:
        """Begin with none."""
        self._origins: WeakKeyDictionary[asyncio.Task[Any], Origin] = WeakKeyDictionary()
        self._lookers: list[asyncio.Future[None]] = []

    def note_origin(self, task: asyncio.Task[Any]) -> None:
        """Work begins: where the work began that began it, else on the screen that is looked at."""
        origin = self._origins.get(asyncio.current_task() or task) or self._here()
        if origin is not None and task.get_name() not in _NOBODYS:
            self._origins[task] = origin

    def _here(self) -> Origin | None:
        stack = self._screen_stacks.get(self._current_mode, [])
        at = next((at for at in range(len(stack) - 1, -1, -1) if isinstance(stack[at], FleetScreen)), None)
        return None if at is None else Origin(stack[at], tuple(stack[at + 1 :]))  # type: ignore[arg-type]

    def tasks_of(self, session: Session) -> Iterator[asyncio.Task[Any]]:
        """Work that began on a session's screens and has not ended, but not the one that asks."""
        for task, origin in list(self._origins.items()):
            if origin.session is session and not task.done() and task is not asyncio.current_task():
                yield task

    def questions_of(self, session: Session) -> int:
        """How many questions of a session wait for an answer."""
        return sum(task in asking for task in self.tasks_of(session))

    def looked_at(self) -> None:
        """Another screen is looked at, or one was left: what waits for its own may be shown now."""
        waiting, self._lookers = self._lookers, []
        for one in waiting:
            if not one.done():
                one.set_result(None)

    async def until_shown(self, dialog: Screen[Any]) -> None:
        """Until the screen is looked at that this task began on, with nothing open over it that came later.

        A notice says that a question waits. Raises `FleetError` when that screen is left for good.
        """
        task = asyncio.current_task()
        origin = self._origins.get(task) if task is not None else None
        told = False
        while origin is not None and not self._shows(origin):
            owner = origin.screen
            if owner.gone or (origin.session is not None and origin.session not in self.sessions.values()):
                what = "Nothing was sent: the screen that asks for your answer was left"
                raise FleetError(Kind.REFUSED, what, sent=Sent.NEVER, todo="Begin again there if it is still wanted.")
            if not told:
                told = True
                self._tell(origin, dialog)
            look = asyncio.get_running_loop().create_future()
            self._lookers.append(look)
            await look

    def _shows(self, origin: Origin) -> bool:
        stack = self._screen_stacks.get(self._current_mode, [])
        top = next((one for one in reversed(stack) if not (isinstance(one, Once) and one.answered)), None)
        return top is origin.screen or (origin.screen in stack and top in origin.over)

    def _tell(self, origin: Origin, dialog: Screen[Any]) -> None:
        name = origin.screen.session.connection.name
        words = getattr(dialog, "awaits", "a question waits for your answer")
        if origin.session is not None and origin.session is not self.session:
            where = f"@ {name}"
        elif origin.screen in self.screen_stack:
            where = "close what is open over it"
        else:
            where = f"go back to {origin.screen.TAB or 'its screen'}"
        safe.toast(self, "", f"{name}: {words}: {where}", "warning")
