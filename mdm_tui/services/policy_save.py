"""Saving a policy: compared with the service's copy first, sent whole, read back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from mdm_tui.fleet.diff import Difference
from mdm_tui.fleet.errors import FleetError, Kind, Problem, Sent
from mdm_tui.fleet.policies import Policy
from mdm_tui.fleet.provider import Capability

from .changes import as_change
from .context import Context
from .documents import Changed, changed, is_new, load, pretty, untaken
from .drafts import Drafts
from .events import PoliciesChanged

__all__ = ["Saved", "Saver"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Saved:
    """The service holds it. base: the text as it is held now; differs: where that is not what was sent."""

    policy: Policy
    base: str
    differs: tuple[Difference, ...] = ()
    note: str = ""


class Saver:
    """Reads and writes single policies. refresh: reads the whole list."""

    def __init__(self, context: Context, drafts: Drafts, refresh: Callable[[], Awaitable[list[Policy]]]) -> None:
        self._context = context
        self._drafts = drafts
        self._refresh = refresh

    async def save(self, policy_id: str | None, mine: str, base: str = "{}") -> Saved | Changed:
        """Send a policy. base: what the edit began from, as `Opened.base`, `Changed.theirs` or `Saved.base` gave it.

        Reads the service's copy first: when it is not `base` any more, nothing is sent and the answer is `Changed`.
        Reads back what is held then. Raises `FleetError`; INVALID carries the problems.
        """
        context = self._context
        context.arming.need()
        provider = await context.ensure()
        document = load(mine)
        problems = [problem for problem in provider.check_policy(document) if not problem.warning]
        if problems or not isinstance(document, dict):
            problems = problems or [Problem((), "a policy is a JSON object")]
            what = f"{problems[0].pointer}: {problems[0].message}".removeprefix(": ")
            raise FleetError(Kind.INVALID, f"Not sent: {what}", problems=tuple(problems), sent=Sent.NEVER)
        if policy_id is None or is_new(policy_id):
            return await self._create(policy_id, document)
        return await self._update(policy_id, document, base)

    async def _create(self, draft_id: str | None, document: dict[str, Any]) -> Saved:
        key = uuid.uuid4().hex
        try:
            policy = await self._context.change(
                lambda provider: provider.create_policy(document, key), Capability.POLICY_EDIT
            )
        except FleetError as error:
            if error.sent is not Sent.MAYBE:
                raise
            what = f"It is not known whether the policy was created ({error.what})"
            raise as_change(error, what, sent=Sent.MAYBE) from error
        if draft_id is not None:
            await self._drafts.saved(draft_id, document)
        saved = await self._held(policy.id, document, policy)
        if draft_id is not None:
            await self._drafts.move(draft_id, saved.policy.id, document, saved.base)
        return saved

    async def _update(self, policy_id: str, document: dict[str, Any], base: str) -> Saved | Changed:
        context = self._context
        theirs, note = await self.current(policy_id)
        began = load(base)
        if (since := changed(began, document, self.text(theirs))) is not None:
            return since
        if context.history is not None:
            await context.history.policy_version(context.scope, theirs, context.clock.now())
        answer: Policy | None = None
        doubt: FleetError | None = None
        try:
            answer = await self._context.change(
                lambda provider: provider.update_policy(policy_id, document), Capability.POLICY_EDIT
            )
        except FleetError as error:
            if error.sent is not Sent.MAYBE:
                raise
            doubt = error
        saved = await self._held(policy_id, document, answer, note, doubt, began)
        if doubt is None or not saved.differs:
            await self._drafts.saved(policy_id, document)
        return saved

    async def current(self, policy_id: str) -> tuple[Policy, str]:
        """The service's copy now; where single policies cannot be read, the list's."""
        try:
            return await self.read(policy_id), ""
        except FleetError as error:
            if error.kind is not Kind.UNSUPPORTED:
                raise
        for policy in await self._refresh():
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
        before: Any = None,
    ) -> Saved:
        """Read back what the service holds and compare it with what was sent."""
        try:
            held, _ = await self.current(policy_id)
        except FleetError as error:
            if answer is None or doubt is not None:
                what = f"It is not known whether the policy was saved: {error.what}"
                raise as_change(error, what, sent=Sent.MAYBE) from error
            held, note = answer, f"saved, but it could not be read back: {error.what}"
            self.tell(
                await self._context.mirror.apply_policies(
                    self._context.scope, [answer], False, self._context.clock.now()
                )
            )
        text = self.text(held)
        differs = untaken(self._body(document), load(text), before)
        if doubt is not None:
            note = f"{note}; the answer was lost ({doubt.what}), this is what is held".removeprefix("; ")
        return Saved(held, text, differs, note)

    async def read(self, policy_id: str) -> Policy:
        """The service's copy, kept in the mirror; one that is gone leaves it."""
        context = self._context
        at = context.clock.now()
        try:
            policy = await context.call(lambda provider: provider.policy(policy_id))
        except FleetError as error:
            if error.kind is Kind.NOT_FOUND and await context.mirror.policy(context.scope, policy_id) is not None:
                await context.mirror.drop_policy(context.scope, policy_id)
                self.tell({policy_id})
            raise
        self.tell(await context.mirror.apply_policies(context.scope, [policy], False, at))
        return policy

    def text(self, policy: Policy) -> str:
        """The part of a policy that may be sent, as text."""
        document = json.loads(policy.raw) if policy.raw else {}
        return pretty(self._body(document if isinstance(document, dict) else {}))

    def _body(self, document: dict[str, Any]) -> dict[str, Any]:
        provider = self._context.provider
        return provider.policy_body(document) if provider is not None else document

    def tell(self, ids: set[str]) -> None:
        """Publish which policies changed, if any did."""
        if ids:
            self._context.hub.publish(PoliciesChanged(self._context.scope, frozenset(ids)))
