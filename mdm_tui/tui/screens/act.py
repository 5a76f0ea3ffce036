"""Acting on devices: which command, with what, on whom exactly, and the confirmation that cannot be a slip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mdm_tui.fleet.commands import COMMANDS, CommandSpec
from mdm_tui.fleet.devices import DeviceKey
from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.report import get
from mdm_tui.fleet.text import clean
from mdm_tui.tui import safe
from mdm_tui.tui.modes import mode_name
from mdm_tui.tui.screens.base import placed, refusal
from mdm_tui.tui.screens.dialogs import answer

__all__ = ["open_act"]

# More targets than this are not each read again to see whether their name was altered for display.
_NAMES_READ = 50
_HAS_APP = "has-app"


def open_act(screen: Any, session: Any, ids: Sequence[str]) -> None:
    """Ask for a command for these devices. The ids are frozen here; nothing is sent before the typed confirmation."""
    frozen = tuple(dict.fromkeys(ids))
    if not frozen:
        screen.tell("No device to act on: mark some with space, or put the cursor on one.")
        return
    can = session.factory.capabilities
    asks = Capability.DEVICE_HAS_APP in can and len(frozen) == 1
    if Capability.COMMANDS not in can and not asks:
        screen.tell(f"{session.factory.title} takes no commands through its API.", "warning")
        return
    if Capability.COMMANDS not in can:
        screen.app.spawn(_ask(screen.app, session, frozen[0]), "act")
        return
    if sentence := refusal(session, "Nothing can be sent"):
        screen.tell(sentence, "warning")
        return
    screen.app.spawn(_act(screen.app, session, frozen), "act")


async def _ask(app: Any, session: Any, device_id: str) -> None:
    """The questions to a device that takes no commands."""
    from mdm_tui.tui.screens.ask import Choose
    from mdm_tui.tui.screens.device_apps import ask_app

    options = [(_HAS_APP, "Is an app installed?", "asks for one package")]
    if await answer(app, placed(Choose("Ask about this device", options), session)) == _HAS_APP:
        await ask_app(app, session, device_id)


async def _act(app: Any, session: Any, ids: tuple[str, ...]) -> None:
    spec = await _choose(app, session, len(ids))
    if spec == _HAS_APP:
        from mdm_tui.tui.screens.device_apps import ask_app

        await ask_app(app, session, ids[0])
        return
    if not isinstance(spec, CommandSpec):
        return
    params: Mapping[str, Any] | None = {}
    if spec.params:
        from mdm_tui.tui.screens.act_form import ActForm

        apps = await _apps(session, ids) if any(param.kind == "packages" for param in spec.params) else []
        params = await answer(app, placed(ActForm(spec, len(ids), apps, await _name(session, ids)), session))
        if params is None:
            return
    try:
        plan = await session.commands.plan(spec.name, [DeviceKey(session.scope, one) for one in ids], params, None, "")
    except FleetError as error:
        safe.toast(app, spec.title, error.sentence(), "error")
        return
    from mdm_tui.tui.screens.act_confirm import ActConfirm

    altered = await _altered(session, [target.device.id for target in plan.will])
    sent = await answer(app, ActConfirm(session, plan, altered))
    if not sent:
        safe.toast(app, spec.title, "Nothing was sent.")
        return
    from mdm_tui.tui.screens.queue import QueueScreen

    count = len(plan.will)
    words = f"{spec.title} for {count} device{'s' if count != 1 else ''}: in the journal, being sent."
    safe.toast(app, "", words)
    if app.current_mode != mode_name(session.connection.name, "queue"):
        await app.go_to(session, "queue")
    for screen in app.fleet_screens():
        if isinstance(screen, QueueScreen) and screen.session is session:
            screen.show_newest()


async def _choose(app: Any, session: Any, count: int) -> CommandSpec | str | None:
    from mdm_tui.tui.screens.ask import Choose

    offered = [COMMANDS[name] for name in session.factory.commands if name in COMMANDS]
    options = [(spec.name, f"{'!' if spec.destructive else ' '} {spec.title:<16}", _note(spec)) for spec in offered]
    if count == 1 and Capability.DEVICE_HAS_APP in session.factory.capabilities:
        options.append((_HAS_APP, "  Is an app installed?", "asks for one package"))
    title = "Send to this device" if count == 1 else f"Send to {count} devices"
    key = await answer(app, placed(Choose(title, options), session))
    return COMMANDS.get(key, key) if key else None


async def _name(session: Any, ids: tuple[str, ...]) -> str:
    """What a single target is called, "" for several."""
    rows = await session.mirror.rows(session.scope, ids) if len(ids) == 1 else {}
    return next((str(row.values.get("name") or row.id) for row in rows.values()), "")


def _note(spec: CommandSpec) -> str:
    return "cannot be undone" if spec.irreversible else "destructive" if spec.destructive else ""


async def _apps(session: Any, ids: tuple[str, ...]) -> list[tuple[str, str]]:
    """(package, name) of the apps of a single target, from its report or the service; none is no hindrance."""
    if len(ids) != 1:
        return []
    found: dict[str, str] = {}
    stored = await session.mirror.device(session.scope, ids[0])
    rows = get(session.devices.report(stored.device.raw), "applications") if stored is not None else None
    for row in rows if isinstance(rows, list) else ():
        package = get(row, "packageName")
        if isinstance(package, str):
            found[package] = clean(get(row, "displayName") or "")
    try:
        for app in await session.devices.apps(ids[0]) if not found else ():
            found[app.package] = clean(app.name)
    except FleetError:
        pass
    return sorted(found.items())


async def _altered(session: Any, ids: Sequence[str]) -> frozenset[str]:
    """Devices whose name is shown otherwise than it is, because it holds what a terminal must not be given."""
    found: set[str] = set()
    for device_id in ids[:_NAMES_READ]:
        stored = await session.mirror.device(session.scope, device_id)
        name = get(session.devices.report(stored.device.raw), "identity.displayName") if stored is not None else None
        if isinstance(name, str) and name.strip() and clean(name) != name:
            found.add(device_id)
    return frozenset(found)
