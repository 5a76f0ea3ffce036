"""The same device in other open connections: said on its screen, and a way there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mdm_tui.fleet.devices import DeviceKey
from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.provider import Capability
from mdm_tui.services.twins import Twins
from mdm_tui.tui.screens.dialogs import answer
from mdm_tui.tui.widgets.grid_text import glyphs

if TYPE_CHECKING:
    from mdm_tui.services.session import Session
    from mdm_tui.tui.app import MdmApp

__all__ = ["also_in", "go_related", "sentence"]

Also = Sequence[tuple["Session", str]]


async def also_in(app: MdmApp, session: Session, device_id: str) -> Also:
    """The other open sessions that know the device, with its id there; none where nothing can be joined."""
    if len(app.sessions) < 2:
        return []
    twins = Twins(lambda: [session, *(one for one in app.sessions.values() if one is not session)])
    try:
        keys = await twins.of(DeviceKey(session.scope, device_id))
    except FleetError:
        return []
    by_scope = {one.scope: one for one in app.sessions.values()}
    return [(by_scope[key.connection], key.id) for key in keys if key.connection in by_scope]


def sentence(also: Also) -> str:
    """`⇄ also in depot · …`; "" where it is in no other."""
    names = ", ".join(f"{session.connection.name} · {session.factory.title}" for session, _id in also)
    return f"{glyphs().both} also in {names}; o goes there" if names else ""


async def go_related(screen: Any, also: Also, here: Any) -> None:
    """Ask whether to go to the device in another system or to what is related here. here: does the latter."""
    from mdm_tui.tui.screens.ask import Choose

    options = [(session.scope, f"This device in {session.connection.name} · {session.factory.title}", "")
               for session, _id in also]  # fmt: skip
    title = f"What in {screen.session.connection.name} it belongs to"
    kinds = ((Capability.POLICIES, "policy"), (Capability.GROUPS, "group"))
    what = " or ".join(word for capability, word in kinds if screen.session.can(capability))
    chosen = await answer(screen.app, Choose("Related", [*options, ("here", title, what)]))
    if chosen == "here":
        await here()
        return
    for session, device_id in also:
        if session.scope == chosen and session.connection.name in screen.app.sessions:
            screen.app.open_device(device_id, session)
