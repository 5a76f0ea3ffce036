"""Policies: listed, opened, drafted, checked, saved without overwriting anybody, assigned."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from mdm_tui.fleet.devices import DeviceChanges
from mdm_tui.fleet.diff import Difference, differences
from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.policies import Policy
from mdm_tui.fleet.provider import Capability, Page, Scope

from .context import Context
from .devices import Devices, UpdateOutcome
from .documents import Changed, Checked, check, is_new, load, new_id, pretty
from .drafts import Drafts
from .policy_save import Saved, Saver

__all__ = ["Changed", "Opened", "Policies", "Saved"]

T = TypeVar("T")

_MAX_PAGES = 1_000
_LONG_TEXT = 20_000


@dataclass(frozen=True, slots=True)
class Opened:
    """A policy ready for the editor.

    id: the policy's, or `new:…` for one the service does not have yet. policy: as the service holds it (None for a
    new one). base: the text to compare with, the part that may be sent. draft: the person's unsaved text, if any;
    draft_base: what that draft began from. stale: what to know of how `base` was read, "" when there is nothing.
    fresh: it was read from the service now; else it is what was last seen, and `stale` says why.
    draft_at: when the draft was written, epoch seconds.
    """

    id: str
    policy: Policy | None
    base: str
    draft: str | None = None
    draft_base: str | None = None
    stale: str = ""
    draft_at: float | None = None
    fresh: bool = True


class Policies:
    """What the policy screens do."""

    def __init__(self, context: Context, devices: Devices) -> None:
        self._context = context
        self._devices = devices
        self._drafts = Drafts(context, "policy")
        self._saver = Saver(context, self._drafts, self.refresh)
        self.error: FleetError | None = None

    async def stop(self) -> None:
        """Write the drafts that are still waiting."""
        await self._drafts.stop()

    # lists
    async def refresh(self) -> list[Policy]:
        """Read all policies into the mirror. Raises `FleetError`; what is held stays."""
        context = self._context
        at = context.clock.now()
        found: dict[str, Policy] = {}
        complete = False
        try:
            for number in range(1, _MAX_PAGES):
                page = await self._context.call(
                    lambda provider, number=number: provider.policies(
                        number, context.connection.page_size, sort="createdAt:asc"
                    ),
                    Capability.POLICIES,
                )
                found.update((policy.id, policy) for policy in page.items)
                if not page.has_next or not page.items:
                    # A list that lost entries between two pages must not remove them here.
                    complete = page.total is None or page.total == len(found)
                    break
        except FleetError as error:
            self.error = error
            raise
        self.error = None
        self._saver.tell(await context.mirror.apply_policies(context.scope, list(found.values()), complete, at))
        return await context.mirror.policies(context.scope)

    async def page(
        self, page: int = 1, limit: int = 50, *, sort: str = "", name: str = "", scope: Scope | None = None
    ) -> Page[Policy]:
        """One page as the service sorts and filters it; what it holds goes into the mirror as well."""
        context = self._context
        at = context.clock.now()
        found = await self._context.call(
            lambda provider: provider.policies(page, limit, sort=sort, name=name, scope=scope), Capability.POLICIES
        )
        self._saver.tell(await context.mirror.apply_policies(context.scope, found.items, False, at))
        return found

    async def templates(self) -> list[Policy]:
        """The service's templates. Raises UNSUPPORTED where it has none."""
        context = self._context
        return await context.call(lambda provider: provider.policy_templates())

    # the editor
    async def open(self, policy_id: str) -> Opened:
        """A policy for the editor, read now; where that fails, as last seen, with the reason. Drafts are kept by id."""
        context = self._context
        draft = await self._drafts.get(policy_id)
        mine, began, when = (draft.mine, draft.base, draft.at) if draft is not None else (None, None, None)
        if is_new(policy_id):
            return Opened(policy_id, None, "{}", mine, began, draft_at=when)
        fresh = True
        try:
            policy, stale = await self._saver.current(policy_id)
        except FleetError as error:
            held = await context.mirror.policy(context.scope, policy_id)
            if held is None:
                raise
            policy, stale, fresh = held, error.sentence(), False
        return Opened(policy_id, policy, self._saver.text(policy), mine, began, stale, when, fresh)

    def new(self, start: Policy | None = None) -> Opened:
        """An editor for a policy that is not there yet, empty or from a template or another policy."""
        base = self._saver.text(start) if start is not None else pretty({"name": ""})
        return Opened(new_id(), None, base)

    def draft(self, policy_id: str, base: str, mine: str) -> None:
        """Keep what is typed; written shortly after the last key, and when the session ends."""
        self._drafts.put(policy_id, base, mine)

    async def drop_draft(self, policy_id: str) -> None:
        """Forget a draft."""
        await self._drafts.drop(policy_id)

    async def drafts(self) -> list[str]:
        """Ids with a draft; new ones begin with `new:`."""
        return await self._drafts.ids()

    async def check(self, text: str) -> Checked:
        """Problems with their lines: syntax always, the contract once connected. Long texts in a thread."""
        provider = self._context.provider
        contract = provider.check_policy if provider is not None else None
        if len(text) > _LONG_TEXT:
            return await asyncio.to_thread(check, text, contract)
        return check(text, contract)

    def differences(self, base: str, mine: str) -> list[Difference]:
        """What `mine` changes. Raises `FleetError` INVALID when one of them is not JSON."""
        return differences(load(base), load(mine))

    async def save(self, policy_id: str | None, mine: str, base: str = "{}") -> Saved | Changed:
        """See `Saver.save`."""
        return await self._saver.save(policy_id, mine, base)

    async def delete(self, policy_id: str) -> None:
        """Delete a policy at the service. Raises `FleetError`, CONFLICT when it is in use."""
        context = self._context
        context.arming.need("Nothing was deleted")
        await context.change(lambda provider: provider.delete_policy(policy_id), Capability.POLICY_EDIT)
        await context.mirror.drop_policy(context.scope, policy_id)
        await self._drafts.drop(policy_id)
        self._saver.tell({policy_id})

    async def assign(
        self, policy_id: str, device_id: str, base: str, *, mine_wins: Iterable[str] = ()
    ) -> UpdateOutcome:
        """Assign a policy directly to a device. base: the device's raw text that the person saw."""
        changes = DeviceChanges({"policy_id": policy_id})
        return await self._devices.update(device_id, changes, base, mine_wins=mine_wins)
