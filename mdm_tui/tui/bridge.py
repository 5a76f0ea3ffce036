"""From the services to the screens: events become Textual messages for the one screen that is looked at.

Every other screen only keeps a note that something changed, and catches up when it is shown again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual.message import Message

from mdm_tui.fleet.provider import Capability
from mdm_tui.tui import safe
from mdm_tui.tui.modes import SCREENS

if TYPE_CHECKING:
    from mdm_tui.tui.app import MdmApp

__all__ = ["Bridge", "FleetNews", "Tally"]

_SEVERITY: dict[str, safe.Severity] = {"info": "information", "good": "information", "warn": "warning", "bad": "error"}
# What is counted as items of the mirror: the screen, and where the type of its items stands.
_ITEMS = {
    "groups": ("groups", "Group"),
    "apps": ("catalogue", "CatalogueApp"),
    "images": ("catalogue", "Image"),
    "rollouts": ("rollouts", "Rollout"),
}
_LATE = 0.2  # seconds that counts may lag behind, so that a burst of changes is counted once


class FleetNews(Message, bubble=False):
    """What happened in a session since the last one; `events` are those of `mdm_tui.services.events`."""

    def __init__(self, session: Any, events: Sequence[object]) -> None:
        super().__init__()
        self.session = session
        self.events = list(events)

    def of(self, *kinds: type) -> list[Any]:
        """The events of these kinds."""
        return [event for event in self.events if isinstance(event, kinds)]


class Tally:
    """The numbers in the header, counted off the loop and never more often than they can be read."""

    def __init__(self, app: MdmApp, session: Any) -> None:
        self.app = app
        self.session = session
        self.devices: int | None = None
        self.problems: int | None = None
        self.silent: int | None = None
        self.counted: dict[str, int] = {}
        self._wanted: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def policies(self) -> int | None:
        return self.counted.get("policies")

    @property
    def queue(self) -> int | None:
        return self.counted.get("queue")

    def of(self, screen: str) -> int | None:
        """What the header counts for a screen; None where that is not known."""
        return self.devices if screen == "devices" else self.counted.get(screen)

    def want_all(self) -> None:
        """Count everything again soon."""
        offered = self.session.factory.capabilities
        self.want(*(place.key for place in SCREENS if place.needs is None or place.needs in offered))

    def want(self, *what: str) -> None:
        """Count these again soon; names of screens."""
        if self._closed:
            return
        self._wanted.update(what)
        if self._task is None or self._task.done():
            self._task = self.app.spawn(self._count(), "counting")

    async def _count(self) -> None:
        from mdm_tui.store.threads import Interrupted

        while self._wanted:
            wanted, self._wanted = self._wanted, set()
            session = self.session
            if "devices" in wanted:
                try:
                    counts = await session.mirror.counts(self.app.whole_fleet(session))
                    self.devices, self.problems, self.silent = counts.total, counts.problems, counts.silent
                except Interrupted:
                    self._wanted.add("devices")
            if "policies" in wanted and Capability.POLICIES in session.factory.capabilities:
                self.counted["policies"] = len(await session.mirror.policies(session.scope))
            if (
                "queue" in wanted
                and session.commands is not None
                and Capability.COMMANDS in session.factory.capabilities
            ):
                self.counted["queue"] = sum(1 for item in await session.commands.queue() if not item.state.ended)
            for name in wanted & _ITEMS.keys():
                kind = _item_kind(name)
                found = len(await session.mirror.items(session.scope, kind, raw=False))
                # None are there, or nobody has asked yet: only the first is a number.
                if found or await session.mirror.listed_at(session.scope, kind) is not None:
                    self.counted[name] = found
            self.app.tick_header()
            await asyncio.sleep(_LATE)

    def close(self) -> None:
        """Count nothing more."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()


def _item_kind(name: str) -> type[Any]:
    from importlib import import_module

    module, kind = _ITEMS[name]
    return getattr(import_module(f"mdm_tui.fleet.{module}"), kind)


class Bridge:
    """Carries one session's events to the app until it is closed."""

    def __init__(self, app: MdmApp, session: Any) -> None:
        self.app = app
        self.session = session
        self.tally = Tally(app, session)
        self._walked: float | None = None

    async def run(self) -> None:
        """Until the subscription ends."""
        subscription = self.session.hub.subscribe()
        self.tally.want_all()
        async for events in subscription:
            self.deliver(events)

    def close(self) -> None:
        """Count nothing more; the session's end ends the rest."""
        self.tally.close()

    def deliver(self, events: Sequence[object]) -> None:
        """Give a batch to the screen that is looked at; the others are told that they are out of date."""
        from mdm_tui.services import events as kinds

        app = self.app
        for event in events:
            if isinstance(event, kinds.Noticed):
                elsewhere = len(app.sessions) > 1 and app.session is not self.session
                title = self.session.connection.name if elsewhere else ""
                safe.toast(app, title, event.sentence, _SEVERITY[event.severity])
            elif isinstance(event, kinds.DevicesChanged):
                self.tally.want("devices")
            elif isinstance(event, kinds.PoliciesChanged):
                self.tally.want("policies")
            elif isinstance(event, kinds.CommandsChanged):
                self.tally.want("queue")
            elif isinstance(event, kinds.ItemsChanged):
                self.tally.want(event.kind)
            elif isinstance(event, kinds.SyncChanged) and self.session.sync.state.last_ok != self._walked:
                # Another console on this home may have written the rows: to this one's walk they are unchanged.
                self._walked = self.session.sync.state.last_ok
                self.tally.want("devices", "policies")
        active = app.screen
        for screen in app.fleet_screens():
            if screen is not active and screen.concerns(self.session):
                screen.note(events)
        active.post_message(FleetNews(self.session, events))
        app.news_seen += 1
        app.tick_header()
