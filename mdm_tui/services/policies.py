"""Policies: listed, opened, drafted, checked, saved without overwriting anybody, assigned."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from mdm_tui.fleet.devices import DeviceChanges
from mdm_tui.fleet.diff import Conflict, Difference, differences, merge
from mdm_tui.fleet.errors import FleetError, Kind, Problem, Sent
from mdm_tui.fleet.policies import Policy
from mdm_tui.fleet.provider import Capability, Page, Provider, Scope

from .context import Context
from .devices import Devices, UpdateOutcome
from .drafts import Drafts
from .events import PoliciesChanged
from .policy_check import Checked, check, pretty

__all__ = ["Changed", "Opened", "Policies", "Saved"]

T = TypeVar("T")

_MAX_PAGES = 1_000
_LONG_TEXT = 20_000
NEW = "new:"


@dataclass(frozen=True, slots=True)
class Opened:
    """A policy ready for the editor.

    id: the policy's, or `new:…` for one the service does not have yet. policy: as the service holds it (None for a
    new one). base: the text to compare with, the part that may be sent. draft: the person's unsaved text, if any;
    draft_base: what that draft began from. stale: why `base` is not fresh from the service, "" when it is.
    """

    id: str
    policy: Policy | None
    base: str
    draft: str | None = None
    draft_base: str | None = None
    stale: str = ""


@dataclass(frozen=True, slots=True)
class Saved:
    """The service holds it. base: the text as it is held now; differs: where that is not what was sent."""

    policy: Policy
    base: str
    differs: tuple[Difference, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """Nothing was sent: the service's copy is another one by now.

    theirs: its text. theirs_changes: what they did to the base. merged: both sides' changes in one text, with mine
    where both changed the same (`conflicts`). Save again with `base=theirs` once a person has decided.
    """

    theirs: str
    theirs_changes: tuple[Difference, ...]
    merged: str
    conflicts: tuple[Conflict, ...]


class Policies:
    """What the policy screens do."""

    def __init__(self, context: Context, devices: Devices) -> None:
        self._context = context
        self._devices = devices
        self._drafts = Drafts(context, "policy")
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
                page = await self._ask(
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
        self._tell(await context.mirror.apply_policies(context.scope, list(found.values()), complete, at))
        return await context.mirror.policies(context.scope)

    async def page(
        self, page: int = 1, limit: int = 50, *, sort: str = "", name: str = "", scope: Scope | None = None
    ) -> Page[Policy]:
        """One page as the service sorts and filters it; what it holds goes into the mirror as well."""
        context = self._context
        at = context.clock.now()
        found = await self._ask(
            lambda provider: provider.policies(page, limit, sort=sort, name=name, scope=scope), Capability.POLICIES
        )
        self._tell(await context.mirror.apply_policies(context.scope, found.items, False, at))
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
        mine, began = (draft.mine, draft.base) if draft is not None else (None, None)
        if policy_id.startswith(NEW):
            return Opened(policy_id, None, "{}", mine, began)
        stale = ""
        try:
            policy = await self._read(policy_id)
        except FleetError as error:
            held = await context.mirror.policy(context.scope, policy_id)
            if held is None:
                raise
            policy, stale = held, error.sentence()
        return Opened(policy_id, policy, self._text(policy), mine, began, stale)

    def new(self, start: Policy | None = None) -> Opened:
        """An editor for a policy that is not there yet, empty or from a template or another policy."""
        base = self._text(start) if start is not None else pretty({"name": ""})
        return Opened(f"{NEW}{uuid.uuid4().hex[:12]}", None, base)

    def draft(self, policy_id: str, base: str, mine: str) -> None:
        """Keep what is typed; written shortly after the last key, and when the session ends."""
        self._drafts.put(policy_id, base, mine)

    async def drop_draft(self, policy_id: str) -> None:
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
        return differences(_load(base), _load(mine))

    async def save(self, policy_id: str | None, mine: str, base: str = "{}") -> Saved | Changed:
        """Send a policy. base: what the edit began from, as `Opened.base`, `Changed.theirs` or `Saved.base` gave it.

        Reads the service's copy first: when it is not `base` any more, nothing is sent and the answer is `Changed`.
        Reads back what is held then. Raises `FleetError`; INVALID carries the problems.
        """
        context = self._context
        if context.connection.read_only:
            raise FleetError(Kind.READ_ONLY, "Nothing was sent", sent=Sent.NEVER)
        provider = await context.ensure()
        document = _load(mine)
        problems = [problem for problem in provider.check_policy(document) if not problem.warning]
        if problems or not isinstance(document, dict):
            problems = problems or [Problem((), "a policy is a JSON object")]
            what = f"{problems[0].pointer}: {problems[0].message}".removeprefix(": ")
            raise FleetError(Kind.INVALID, f"Not sent: {what}", problems=tuple(problems), sent=Sent.NEVER)
        if policy_id is None or policy_id.startswith(NEW):
            return await self._create(policy_id, document)
        return await self._update(policy_id, document, base)

    async def _create(self, draft_id: str | None, document: dict[str, Any]) -> Saved:
        key = uuid.uuid4().hex
        try:
            policy = await self._ask(lambda provider: provider.create_policy(document, key), Capability.POLICY_EDIT)
        except FleetError as error:
            if error.sent is not Sent.MAYBE:
                raise
            raise FleetError(
                error.kind,
                f"It is not known whether the policy was created ({error.what}): look for it in the list before "
                "saving it again",
                where=error.where,
                status=error.status,
                sent=Sent.MAYBE,
            ) from error
        if draft_id is not None:
            await self._drafts.drop(draft_id)
        return await self._held(policy.id, document, policy)

    async def _update(self, policy_id: str, document: dict[str, Any], base: str) -> Saved | Changed:
        context = self._context
        theirs, note = await self._theirs(policy_id)
        held = self._text(theirs)
        if changes := differences(_load(base), _load(held)):
            both = merge(_load(base), document, _load(held))
            return Changed(held, tuple(changes), pretty(both.document), both.conflicts)
        if context.history is not None:
            await context.history.policy_version(context.scope, theirs, context.clock.now())
        answer: Policy | None = None
        doubt: FleetError | None = None
        try:
            answer = await self._ask(
                lambda provider: provider.update_policy(policy_id, document), Capability.POLICY_EDIT
            )
        except FleetError as error:
            if error.sent is not Sent.MAYBE:
                raise
            doubt = error
        saved = await self._held(policy_id, document, answer, note, doubt)
        if doubt is None or not saved.differs:
            await self._drafts.drop(policy_id)
        return saved

    async def _theirs(self, policy_id: str) -> tuple[Policy, str]:
        """The service's copy now; where single policies cannot be read, the list's."""
        try:
            return await self._read(policy_id), ""
        except FleetError as error:
            if error.kind is not Kind.UNSUPPORTED:
                raise
        for policy in await self.refresh():
            if policy.id == policy_id:
                return policy, "compared with the list: the service has no way to read one policy"
        raise FleetError(Kind.NOT_FOUND, "The policy is not at the service any more", sent=Sent.NEVER)

    async def _held(
        self,
        policy_id: str,
        document: dict[str, Any],
        answer: Policy | None,
        note: str = "",
        doubt: FleetError | None = None,
    ) -> Saved:
        """Read back what the service holds and compare it with what was sent."""
        try:
            held, _ = await self._theirs(policy_id)
        except FleetError as error:
            if answer is None or doubt is not None:
                raise FleetError(
                    error.kind, f"It is not known whether the policy was saved: {error.what}", sent=Sent.MAYBE
                ) from error
            held, note = answer, f"saved, but it could not be read back: {error.what}"
            self._tell(
                await self._context.mirror.apply_policies(
                    self._context.scope, [answer], False, self._context.clock.now()
                )
            )
        text = self._text(held)
        wanted = self._body(document)
        # What the service filled in by itself is no difference from what was asked.
        differs = tuple(item for item in differences(wanted, _load(text)) if item.kind != "added")
        if doubt is not None:
            note = f"{note}; the answer was lost ({doubt.what}), this is what is held".removeprefix("; ")
        return Saved(held, text, differs, note)

    async def delete(self, policy_id: str) -> None:
        """Delete a policy at the service. Raises `FleetError`, CONFLICT when it is in use."""
        context = self._context
        if context.connection.read_only:
            raise FleetError(Kind.READ_ONLY, "Nothing was deleted", sent=Sent.NEVER)
        await self._ask(lambda provider: provider.delete_policy(policy_id), Capability.POLICY_EDIT)
        await context.mirror.drop_policy(context.scope, policy_id)
        await self._drafts.drop(policy_id)
        self._tell({policy_id})

    async def assign(
        self, policy_id: str, device_id: str, base: str, *, mine_wins: Iterable[str] = ()
    ) -> UpdateOutcome:
        """Assign a policy directly to a device. base: the device's raw text that the person saw."""
        changes = DeviceChanges({"policy_id": policy_id})
        return await self._devices.update(device_id, changes, base, mine_wins=mine_wins)

    # shared
    async def _read(self, policy_id: str) -> Policy:
        context = self._context
        at = context.clock.now()
        try:
            policy = await context.call(lambda provider: provider.policy(policy_id))
        except FleetError as error:
            if error.kind is Kind.NOT_FOUND and await context.mirror.policy(context.scope, policy_id) is not None:
                await context.mirror.drop_policy(context.scope, policy_id)
                self._tell({policy_id})
            raise
        self._tell(await context.mirror.apply_policies(context.scope, [policy], False, at))
        return policy

    def _text(self, policy: Policy) -> str:
        """The part of a policy that may be sent, as text."""
        document = json.loads(policy.raw) if policy.raw else {}
        return pretty(self._body(document if isinstance(document, dict) else {}))

    def _body(self, document: dict[str, Any]) -> dict[str, Any]:
        provider = self._context.provider
        return provider.policy_body(document) if provider is not None else document

    async def _ask(self, work: Callable[[Provider], Awaitable[T]], capability: Capability) -> T:
        return await self._context.call(work, capability)

    def _tell(self, ids: set[str]) -> None:
        if ids:
            self._context.hub.publish(PoliciesChanged(self._context.scope, frozenset(ids)))


def _load(text: str) -> Any:
    checked = check(text, None)
    if not checked.ok:
        first = checked.problems[0]
        raise FleetError(Kind.INVALID, f"Line {first.line}: {first.message}", sent=Sent.NEVER)
    return checked.document
