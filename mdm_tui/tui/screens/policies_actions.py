"""What a person can do on the Policies screen. Mixed into `PoliciesScreen`, which has the state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.provider import Scope
from mdm_tui.fleet.text import clean, search_key
from mdm_tui.services.documents import is_new
from mdm_tui.tui.screens.base import refusal
from mdm_tui.tui.screens.dialogs import Item, Search, Typed, answer, filtered

if TYPE_CHECKING:
    from mdm_tui.tui.screens.held_screen import HeldListScreen as _Base
    from mdm_tui.tui.screens.policies_source import PoliciesSource
else:
    _Base = object

__all__ = ["PoliciesActions", "device_search", "marked_devices"]

_LISTED = 10


class PoliciesActions(_Base):
    """The actions of the group `policies`."""

    if TYPE_CHECKING:
        source: PoliciesSource
        scope: Scope | None

        async def ask(self) -> None: ...

    # --- what is shown ---

    def action_refresh_now(self) -> None:
        self.app.spawn(self._refresh(), "policies")

    async def _refresh(self) -> None:
        await self.ask()
        if self.sentence:
            self.tell(self.sentence, "warning")

    def action_scope(self) -> None:
        self.app.spawn(self._scope(), "segment")

    async def _scope(self) -> None:
        from mdm_tui.tui.screens.segment import narrow

        try:
            await narrow(self.app, self.session, "")
        except FleetError as error:
            self.tell(error.sentence(), "warning")

    # --- acting ---

    def action_act(self) -> None:
        """What can be done with the policy under the cursor, and what is looked at."""
        from mdm_tui.tui.screens.ask import Choose

        policy = self.source.policy(self.grid.cursor_id)
        name = "Policies" if policy is None else clean(policy.name, 40) or "(no name)"
        marked = len(marked_devices(self.app, self.session))
        to = f"the {marked:,} marked" if marked else "one that is chosen"
        options = [
            ("assign", "Assign to devices", to),
            ("duplicate", "Copy", "a new policy that begins as this one"),
            ("delete", "Delete", "after it was typed"),
        ]
        options = [*(options if policy is not None else ()), ("scope", "Segment…", ":segment")]
        does = {
            "assign": self.action_assign, "duplicate": self.action_duplicate, "delete": self.action_delete,
            "scope": self.action_scope,
        }  # fmt: skip
        self.app.push_screen(Choose(name, options), lambda key: does[key]() if key else None)

    def action_duplicate(self) -> None:
        """A new policy that begins as the one under the cursor."""
        from mdm_tui.tui.screens.editor import PolicyScreen

        policy = self.source.policy(self.grid.cursor_id)
        if policy is not None:
            self.warn_locked()
            self.app.push_screen(PolicyScreen(self.session, opened=self.session.policies.new(policy)))

    # --- opening ---

    def open_policy(self, policy_id: str) -> None:
        """The policy's screen over this one."""
        from mdm_tui.tui.screens.editor import PolicyScreen

        self.app.push_screen(PolicyScreen(self.session, policy_id))

    def action_edit(self) -> None:
        if self.grid.cursor_id is not None:
            self.warn_locked()
            self.open_policy(self.grid.cursor_id)

    def action_new(self) -> None:
        self.warn_locked()
        self.app.spawn(self._new(), "new policy")

    async def _new(self) -> None:
        """From nothing, from a template, from another policy, or an unsaved one of before."""
        from mdm_tui.tui.screens.editor import PolicyScreen

        policies = self.session.policies
        items = [Item("empty", "An empty policy")]
        items += [Item(key, "An unsaved new policy", "kept from before") for key in self.source.drafts if is_new(key)]
        starts: dict[str, Any] = {}
        try:
            for number, template in enumerate(await policies.templates()):
                starts[f"template:{number}"] = template
                items.append(Item(f"template:{number}", clean(template.name) or "(no name)", "template"))
        except FleetError as error:
            self.tell(f"No templates: {error.sentence()}")
        under = self.source.policy(self.grid.cursor_id)
        if under is not None:
            starts["copy"] = under
            items.append(Item("copy", f"A copy of {clean(under.name, 60)}"))
        key = await answer(self.app, Search("A new policy from", filtered(items)))
        if key is None:
            return
        if is_new(key):
            self.open_policy(key)
            return
        self.app.push_screen(PolicyScreen(self.session, opened=policies.new(starts.get(key))))

    # --- copying ---

    def action_copy(self) -> None:
        policies = self.targets()
        if policies:
            text = "\n".join(f"{policy.name} v{policy.version or '-'}, id {policy.id}" for policy in policies)
            self.app.copy_text(text, "The policy" if len(policies) == 1 else f"{len(policies)} policies")

    # --- deleting ---

    def action_delete(self) -> None:
        policy = self.source.policy(self.grid.cursor_id)
        if policy is None:
            return
        if sentence := refusal(self.session, "Nothing can be deleted"):
            self.tell(sentence, "warning")
            return
        self.app.spawn(self._delete(policy), "delete policy")

    async def _delete(self, policy: Any) -> None:
        from mdm_tui.tui.screens.policies_devices import devices_with

        having = await devices_with(self.session, policy.id)
        name = clean(policy.name, 80) or "(no name)"
        lines = [
            (f"{name}  v{policy.version if policy.version is not None else '-'}  id {policy.id}", ""),
            ("It is removed from the service. The contract names no way to bring it back.", "warn"),
            (f"{len(having):,} devices known here have it." if having else "No device known here has it.",
             "warn" if having else "muted"),
        ]  # fmt: skip
        expects = f"delete {policy.id[-6:]}"
        if not await answer(self.app, Typed(f"Delete the policy {name}", lines, expects, to="delete it")):
            return
        try:
            await self.session.policies.delete(policy.id)
        except FleetError as error:
            self.tell(f"{name} was not deleted. {error.sentence()}", "error")
        else:
            self.tell(f"{name} is deleted.")

    # --- assigning ---

    def action_assign(self) -> None:
        policy = self.source.policy(self.grid.cursor_id)
        if policy is not None:
            self.app.spawn(assign(self, self.session, policy.id, policy.name), "assign")


async def assign(screen: Any, session: Any, policy_id: str, name: str) -> None:
    """Assign a policy to the devices marked on the Devices screen, else to one that is chosen."""
    if sentence := refusal(session, "Nothing can be changed"):
        screen.tell(sentence, "warning")
        return
    ids = marked_devices(screen.app, session)
    if not ids:
        chosen = await answer(
            screen.app,
            Search("Assign to which device?", device_search(session, screen.app.now), hint="name, serial, model, user"),
        )
        if chosen is None:
            return
        ids = [chosen]
    rows = await session.mirror.rows(session.scope, ids)
    if not await _confirmed(screen, name, ids, rows):
        return
    failed: list[str] = []
    for device_id in ids:
        label = clean(rows[device_id].values.get("name") or device_id) if device_id in rows else device_id
        try:
            stored = await session.mirror.device(session.scope, device_id)
            if stored is None:
                failed.append(f"{label}: not known here")
                continue
            outcome = await session.policies.assign(policy_id, device_id, stored.device.raw)
            if not outcome.ok:
                failed.append(f"{label}: {outcome.sentence()}")
        except FleetError as error:
            failed.append(f"{label}: {error.sentence()}")
    done = len(ids) - len(failed)
    if done:
        words = "1 device" if done == 1 else f"{done} devices"
        screen.tell(
            f"{clean(name)} is assigned to {words}; whether it is applied, the device says with its next report."
        )
    for sentence in failed[:3]:
        screen.tell(sentence, "error")
    if len(failed) > 3:
        screen.tell(f"and {len(failed) - 3} more devices were not changed.", "error")


async def _confirmed(screen: Any, name: str, ids: Sequence[str], rows: Any) -> bool:
    lines: list[tuple[str, str]] = []
    for device_id in ids[:_LISTED]:
        values = rows[device_id].values if device_id in rows else {}
        now = clean(values.get("policy") or "no policy")
        words = f"  {clean(values.get('name') or '-')}  {clean(values.get('serial') or '-')}  {device_id}"
        lines.append((f"{words}   now: {now}", ""))
    if len(ids) > _LISTED:
        lines.append((f"  and {len(ids) - _LISTED} more", "muted"))
    lines.append(("It becomes the directly assigned policy; assignments with priorities stay.", "muted"))
    serial = str(rows[ids[0]].values.get("serial") or "") if ids[0] in rows else ""
    one = serial if serial.isascii() and serial.isalnum() and len(serial) > 3 else ids[0][-6:]
    expects = one if len(ids) == 1 else f"assign {len(ids)}"
    many = "1 device" if len(ids) == 1 else f"{len(ids)} devices"
    title = f"Assign {clean(name, 60)} to {many}"
    return bool(await answer(screen.app, Typed(title, lines, expects, to="assign")))


def marked_devices(app: Any, session: Any) -> list[str]:
    """Ids of the devices marked on a session's Devices screen."""
    for screen in app.fleet_screens():
        if type(screen).__name__ == "DevicesScreen" and screen.session is session:
            return list(screen.grid.marks)
    return []


def _nearness(name: str, typed: str) -> int:
    if name == typed:
        return 0
    return 1 if name.startswith(typed) else 2 if typed in name else 3


def device_search(session: Any, now: Any) -> Any:
    """What a `Search` for a device loads."""
    from mdm_tui.store.mirror import View

    async def load(text: str) -> list[Item]:
        ids = await session.mirror.ids(View(session.scope, words=tuple(text.split()), now=now()))
        rows = await session.mirror.rows(session.scope, ids[:500])
        found = [
            Item(key, clean(rows[key].values.get("name") or key), clean(rows[key].values.get("serial") or ""))
            for key in ids
            if key in rows
        ]
        # Words are found in serials and ids too: who is called by this very text comes first.
        typed = search_key(text).strip()
        return sorted(found, key=lambda item: _nearness(search_key(item.title), typed))[:50]

    return load
