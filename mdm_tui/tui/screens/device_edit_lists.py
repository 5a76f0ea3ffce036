"""The lists that the form of a device chooses from: policies, people, segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.report import get
from mdm_tui.fleet.text import clean
from mdm_tui.tui.screens.device_form import Form
from mdm_tui.tui.screens.dialogs import Item, Prompt, Search, answer, filtered

__all__ = ["Lists", "policy_items", "segment_items"]

_SAFE = 2**53 - 1


def policy_items(policies: Sequence[Any]) -> list[Item]:
    """Policies to choose from, by name."""
    found = [policy for policy in policies if policy.id and not policy.unreadable]
    found.sort(key=lambda policy: (policy.name.casefold(), policy.id))
    return [Item(policy.id, clean(policy.name) or policy.id, _version(policy)) for policy in found]


def _version(policy: Any) -> str:
    words = [f"v{policy.version}" if policy.version is not None else "", clean(policy.description, 40)]
    return "  ".join(word for word in words if word)


def segment_items(segments: Sequence[Any]) -> list[Item]:
    """Segments as their tree, parents before their children."""
    below: dict[int | None, list[Any]] = {}
    ids = {segment.id for segment in segments}
    for segment in segments:
        below.setdefault(segment.parent if segment.parent in ids else None, []).append(segment)
    made: list[Item] = []
    seen: set[int] = set()
    stack = [(segment, 0) for segment in reversed(below.get(None, []))]
    while stack:
        segment, depth = stack.pop()
        if segment.id in seen:
            continue
        seen.add(segment.id)
        made.append(Item(str(segment.id), clean(segment.name) or str(segment.id), str(segment.id), depth))
        stack.extend((child, depth + 1) for child in reversed(below.get(segment.id, [])))
    return made


class Lists:
    """Asks the services for what can be chosen, and keeps the names for the form."""

    def __init__(self, session: Any, form: Form) -> None:
        self._session = session
        self._form = form

    def learn(self, report: Mapping[str, Any]) -> None:
        """Names that the device's own report holds."""
        for key, words in (
            ("policy.assigned.id", "policy.assigned.name"),
            ("policy.assignedId", "policy.assigned.name"),
            ("identity.user.id", "identity.user.email"),
        ):
            held, name = get(report, key), get(report, words)
            if isinstance(held, str) and isinstance(name, str) and name:
                self._form.names[held] = name

    async def names(self) -> None:
        """Names of policies and segments, as far as they can be had; a failure costs only names."""
        for policy in await self._session.mirror.policies(self._session.scope):
            self._form.names.setdefault(policy.id, policy.name)
        try:
            for segment in await self._session.devices.segments():
                self._form.names.setdefault(str(segment.id), segment.name)
        except FleetError:
            return

    async def choose(self, app: Any, key: str) -> Any:
        """Ask for a policy, a person or a segment; its id, None when the person went back."""
        if key == "policy_id":
            return await self._policy(app)
        if key == "user_id":
            return await self._user(app)
        return await self._segment(app)

    async def _policy(self, app: Any) -> str | None:
        session = self._session
        policies = await session.mirror.policies(session.scope)
        if not policies:
            try:
                policies = await session.policies.refresh()
            except FleetError as error:
                return await self._typed(app, "Policy", f"{error.sentence()} Its id can be typed.")
        for policy in policies:
            self._form.names[policy.id] = policy.name
        return await answer(app, Search("Which policy?", filtered(policy_items(policies))))

    async def _user(self, app: Any) -> str | None:
        async def load(text: str) -> list[Item]:
            page = await self._session.devices.users(text.strip())
            for user in page.items:
                self._form.names[user.id] = user.email or user.name
            return [Item(user.id, clean(user.email) or user.id, clean(user.name)) for user in page.items]

        return await answer(app, Search("Which user?", load, hint="type a name or an address"))

    async def _segment(self, app: Any) -> int | None:
        try:
            segments = await self._session.devices.segments()
        except FleetError as error:
            typed = await self._typed(app, "Segment", f"{error.sentence()} Its number can be typed.")
            return int(typed) if typed is not None and typed.isdigit() else None
        chosen = await answer(app, Search("Which segment?", filtered(segment_items(segments))))
        for segment in segments:
            self._form.names[str(segment.id)] = segment.name
        return int(chosen) if chosen is not None else None

    async def _typed(self, app: Any, title: str, words: str) -> str | None:
        text = await answer(app, Prompt(title, words))
        return text.strip() or None if text is not None else None

    async def priority(self, app: Any, name: str, now: int) -> int | None:
        """Ask for a priority; the lower number wins."""

        def check(text: str) -> str:
            try:
                number = int(text.strip())
            except ValueError:
                return "A whole number, please."
            return "" if abs(number) <= _SAFE else f"The contract allows -{_SAFE} to {_SAFE}."

        words = "The lower number wins. Numbers are kept as they are, never counted anew."
        text = await answer(app, Prompt(f"Priority of {clean(name, 60)}", words, str(now), check=check))
        return int(text.strip()) if text is not None else None
