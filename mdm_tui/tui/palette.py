"""The palette (ctrl+p): every action that works here, the screens, the themes. Content only, never markup."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.dom import DOMNode

from mdm_tui.tui import safe
from mdm_tui.tui.actions import Action, for_groups, key_text
from mdm_tui.tui.screens.base import Once, capabilities_of
from mdm_tui.tui.widgets.options import paged

if TYPE_CHECKING:
    from mdm_tui.tui.app import MdmApp

__all__ = ["Everything", "Palette"]


class Palette(Once, CommandPalette):
    """Textual's palette, closed by a double click as by one, and paged on a terminal of any size."""

    # Narrower than its frame a line has no width at all, and Textual cannot wrap it.
    DEFAULT_CSS: ClassVar[str] = "Palette CommandList { min-width: 12; }"

    def _action_command_list(self, action: str) -> None:
        paged(partial(super()._action_command_list, action))


class Everything(Provider):
    """Actions of the registry for the screen below the palette, connections and themes."""

    @property
    def _app(self) -> MdmApp:
        return self.app  # type: ignore[return-value]

    def _entries(self) -> Iterator[tuple[str, str, str, Callable[[], Any]]]:
        """Title, keys, help and what to do."""
        groups = [*getattr(self.screen, "GROUPS", ()), "everywhere"]
        for action in for_groups(groups, capabilities_of(self.screen)):
            if action.palette:
                yield action.title, key_text(self._app.keys_of(action.id)), action.help, partial(self._do, action)
        if len(self._app.known) > 1:
            for name in self._app.known:
                yield f"Connection {name}", "", "", partial(self._app.show_connection, name)
        for name in self._app.theme_choices():
            yield f"Theme {name}", "", "", partial(self._app.choose_theme, name)

    async def _do(self, action: Action) -> None:
        owner: DOMNode = self.screen
        if "everywhere" in action.where:
            owner = self.app
        elif "list" in action.where and self.focused is not None:
            owner = self.focused
        await self.app.run_action(action.do, owner)

    async def discover(self) -> Hits:
        for title, keys, words, do in self._entries():
            yield DiscoveryHit(_label(title, keys), do, text=title, help=words or None)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, keys, words, do in self._entries():
            score = matcher.match(title)
            if score > 0:
                yield Hit(score, _label(title, keys), do, text=title, help=words or None)


def _label(title: str, keys: str) -> safe.Content:
    return safe.join((title, "text"), (f"   {keys}" if keys else "", "accent"))
