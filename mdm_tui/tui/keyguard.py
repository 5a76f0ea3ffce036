"""Tells typing from a scanner or a paste: on a list, four printable characters within 30 ms are query text (RULES §2).

Keys that only move the cursor are passed on at once, so that moving costs nothing; a key that acts waits until
the window has passed. A held key repeats itself and is no scanner.

Keys that come before the screen they are for has its parts wait until it has.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from textual import events

if TYPE_CHECKING:
    from mdm_tui.tui.app import MdmApp

__all__ = ["KEY_WINDOW", "Bursts", "EarlyKeys", "KeyGuard"]

KEY_WINDOW: Final = 0.03
_MANY: Final = 4
_HARMLESS: Final = frozenset("jkhlgGnN")


class KeyGuard:
    """Sees every key before the app does. window: seconds, 0 lets everything pass."""

    def __init__(self, app: MdmApp, window: float) -> None:
        self.app = app
        self.window = window
        self._seen: list[tuple[float, events.Key]] = []
        self._held: list[events.Key] = []
        self._text: list[str] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def holds(self, event: events.Key | events.Paste) -> bool:
        """Whether the key was taken; it comes back through `app.pass_key` or as text for the screen's filter."""
        screen = self.app.screen
        takes = getattr(screen, "take_text", None)
        focused = screen.focused
        # A dialog without a line to type in is guarded as a whole.
        whole = getattr(screen, "GUARDED", False) and isinstance(event, events.Key)
        if takes is None or not (whole or getattr(focused, "GUARDED", False)):
            return False
        if isinstance(event, events.Paste):
            takes(event.text, apply=True)
            event.stop()
            return True
        if not self.window:
            return False
        return self._key(event)

    def _key(self, event: events.Key) -> bool:
        now = event.time
        character = event.character if event.is_printable else None
        if self._text is not None:
            # In the middle of a burst: enter ends it, as scanners do.
            if event.key == "enter":
                self._finish(apply=True)
                return True
            if character is not None:
                self._text.append(character)
                self._arm()
                return True
            self._finish(apply=False)
            return False
        if character is None:
            if self._held and event.key != "escape":
                self._held.append(event)
                return True
            return False
        self._seen = [(at, key) for at, key in self._seen if now - at <= self.window]
        self._seen.append((now, event))
        characters = [key.character or "" for _at, key in self._seen]
        if len(characters) >= _MANY and len(set(characters)) > 1:
            self._text, self._held, self._seen = characters, [], []
            self._arm()
            return True
        if character in _HARMLESS and not self._held:
            return False
        self._held.append(event)
        if len(self._held) == 1:
            self._arm()
        return True

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self.window, self._rest)

    def _rest(self) -> None:
        self._timer = None
        if self._text is not None:
            self._finish(apply=False)
            return
        held, self._held = self._held, []
        if held:
            self.app.spawn(self._replay(held), "keys")

    async def _replay(self, held: list[events.Key]) -> None:
        for event in held:
            await self.app.pass_key(event)

    def _finish(self, *, apply: bool) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        text, self._text = "".join(self._text or ()), None
        takes: Any = getattr(self.app.screen, "take_text", None)
        if takes is not None and text:
            takes(text, apply=apply)


class Bursts:
    """Tells the enter of a scanner in a dialog, where every key is text. window: seconds, 0 takes all for typing."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._seen: list[tuple[float, str]] = []
        self._in_one = False

    def ended_by(self, event: events.Key) -> bool:
        """Take in a key; whether it is the enter right after a text that nobody types so fast."""
        now = event.time
        fresh = [(at, key) for at, key in self._seen if now - at <= self._window]
        if not fresh:
            self._in_one = False
        if event.key == "enter":
            ended, self._in_one, self._seen = self._in_one, False, []
            return ended
        self._seen = [*fresh, (now, event.character or "")] if event.is_printable else []
        if len(self._seen) >= _MANY and len({key for _at, key in self._seen}) > 1:
            self._in_one = self._window > 0
        return False


class EarlyKeys:
    """Keys that are faster than a screen is made: they wait for it, in their order, and are not lost.

    A key that a widget did not want comes back to the app for its bindings, and by then another screen may be on
    top that has no parts yet: its actions would look for them in vain.
    """

    def __init__(self, app: MdmApp) -> None:
        self.app = app
        self._waiting: deque[events.Key | events.Paste] = deque()
        self._handing = False

    def holds(self, event: events.Key | events.Paste) -> bool:
        """Whether the key was taken; it comes back through `app.hear`."""
        if not self._handing and self.app.screen.is_mounted:
            return False
        self._waiting.append(event)
        if not self._handing:
            self._handing = True
            self.app.spawn(self._hand_on(), "early keys")
        return True

    async def _hand_on(self) -> None:
        try:
            while self._waiting:
                # Each key may put another screen on top, which is waited for in its turn.
                while not (screen := self.app.screen).is_mounted:
                    await screen._mounted_event.wait()
                await self.app.hear(self._waiting.popleft())
        finally:
            self._handing = False
