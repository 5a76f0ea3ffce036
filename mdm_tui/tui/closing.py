"""Leaving a connection or the console: what is on the wire gets a short while for its answer, and that is told."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from mdm_tui.tui import safe
from mdm_tui.tui.asking import Asking
from mdm_tui.tui.sending import Sending, change_of

if TYPE_CHECKING:
    from mdm_tui.services.session import Session

__all__ = ["GRACE", "Closing"]

GRACE = 3.0
"""Seconds for which the answers of changes are waited for at the end."""


class Closing(Asking):
    """Mixed into the app: what is being sent, and how it is ended."""

    grace: ClassVar[float] = GRACE

    if TYPE_CHECKING:
        farewell: list[str]

        def spawn(self, work: Coroutine[Any, Any, Any], what: str) -> asyncio.Task[Any]: ...

    def sending(self, sessions: Iterable[Session] | None = None) -> Sending:
        """What is being sent, in these sessions or in all."""
        runs = registrations = 0
        changes: list[str] = []
        for session in self.sessions.values() if sessions is None else sessions:
            commands = session.commands
            runs += commands.busy() if commands is not None and hasattr(commands, "busy") else 0
            registrations += session.registering
            context = getattr(session, "context", None)
            changes += [change_of(one.capability) for one in context.wire.waiting] if context is not None else []
        return Sending(runs, registrations, tuple(changes))

    async def settle(self, sessions: Iterable[Session]) -> list[str]:
        """Send no further change, and wait a short while for the answers; a sentence on each change and its outcome.

        Who still waits for an answer then is told to stop: the service may do it all the same.
        """
        waiting = []
        for session in sessions:
            context = getattr(session, "context", None)
            if context is not None and context.wire.waiting:
                context.seal()
                waiting += [(session.connection.name, one) for one in context.wire.waiting]
        if not waiting:
            return []
        safe.toast(self, "", f"Waiting up to {self.grace:g} seconds for the answer of what is on the wire.")
        tasks = {one.task for _name, one in waiting if one.task is not None} - {asyncio.current_task()}
        if tasks:
            await asyncio.wait(tasks, timeout=self.grace)
        told = []
        for name, one in waiting:
            unknown = f"no answer in {self.grace:g} seconds, it may have been done: look at what the service holds"
            told.append(f"{name}: {change_of(one.capability)}: {one.outcome or unknown}".rstrip(".") + ".")
        await _cancel(tasks)
        return told

    async def action_leave(self) -> None:
        """End, after asking when something is on its way."""
        sending = self.sending()
        if not sending:
            self.exit(0)
            return
        from mdm_tui.tui.screens.ask import Ask

        # Not awaited here: the app's own queue must go on, or the answer could never come.
        dialog = Ask(f"Quit while {sending.what}?", sending.words(quitting=True), "quit")
        dialog.place = ""
        self.push_screen(dialog, self._left)

    def _left(self, yes: bool | None) -> None:
        # Nothing is answered: Textual would await the task, and the keys would wait with it.
        if yes:
            self.spawn(self._leave(), "leave")

    async def _leave(self) -> None:
        """End, when what is on the wire was answered or had its time; what came of it is said where the console was."""
        self.farewell += await self.settle(list(self.sessions.values()))
        self.exit(0)

    async def drop_work(self, session: Session) -> None:
        """Take away what a session's screens ask, and stop the work that began on them; nothing of it is sent."""
        await _cancel(set(self.tasks_of(session)))


async def _cancel(tasks: set[asyncio.Task[object]]) -> None:
    left = {task for task in tasks if not task.done() and task is not asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=1.0)
