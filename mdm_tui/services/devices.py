"""One device: read in full, edited, and what surrounds it (people, segments, tags, apps)."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from mdm_tui.fleet.devices import App, Device, DeviceChanges, Segment, User
from mdm_tui.fleet.errors import FleetError, Kind, Problem, Sent
from mdm_tui.fleet.provider import Capability, Page, Provider
from mdm_tui.fleet.report import Report
from mdm_tui.fleet.text import clean

from .changes import as_change
from .context import Context
from .edits import Clash, editable, equal, merge, references, unreadable_assignments
from .events import DevicesChanged
from .tasks import Tasks

if TYPE_CHECKING:
    from mdm_tui.store.mirror import Stored

__all__ = ["Devices", "Difference", "UpdateOutcome"]

T = TypeVar("T")

# The platform itself is a package of one word, `android`.
_PACKAGE = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that the service holds otherwise than asked."""

    key: str
    asked: Any
    held: Any


@dataclass(frozen=True, slots=True)
class UpdateOutcome:
    """What became of an edit.

    sent: what the PUT held (neutral names), empty when nothing had to be sent. clashes: what somebody else changed
    meanwhile: nothing was sent, ask the person and call again with `mine_wins`. kept: others' changes that stayed.
    differs: where the service holds something else than asked. device: as the service holds it now.
    error: the PUT's outcome is not known for sure, but what is held now was read.
    """

    device: Device
    sent: dict[str, Any]
    clashes: tuple[Clash, ...] = ()
    kept: tuple[str, ...] = ()
    differs: tuple[Difference, ...] = ()
    error: FleetError | None = None

    @property
    def ok(self) -> bool:
        """The service holds what was asked."""
        return not self.clashes and not self.differs

    def sentence(self) -> str:
        """What happened, as one line."""
        if self.clashes:
            keys = ", ".join(clash.key.replace("_", " ") for clash in self.clashes)
            return f"Not sent: somebody else changed {keys} meanwhile. Choose which value stays."
        if self.differs:
            keys = ", ".join(item.key.replace("_", " ") for item in self.differs)
            return f"The service now holds something else than asked in: {keys}."
        if not self.sent:
            return "Nothing to send: the service already holds these values."
        text = "Saved, and read back from the service."
        return f"{text} {'; '.join(self.kept)[:1].upper()}{'; '.join(self.kept)[1:]}." if self.kept else text


class Devices:
    """Reads and edits single devices."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._tasks = Tasks()
        self._reading: dict[str, asyncio.Task[Device]] = {}
        self.problems: dict[str, FleetError] = {}

    async def stop(self) -> None:
        await self._tasks.stop()

    # reading
    async def open(self, device_id: str) -> Stored | None:
        """What the mirror holds, at once; the full view is fetched behind it and told by `DetailChanged`."""
        stored = await self._context.mirror.device(self._context.scope, device_id)
        self._read(device_id)
        return stored

    async def refresh(self, device_id: str) -> Device:
        """Read the device in full, now. Raises `FleetError`; a device the service no longer has leaves the mirror."""
        # Shielded: who asked may go away, the answer is still worth keeping.
        return await asyncio.shield(self._read(device_id))

    def report(self, raw: str) -> Report:
        """The report of a stored device's raw text; empty when it cannot be read."""
        try:
            document = json.loads(raw)
        except (ValueError, RecursionError):
            return {}
        return self._context.factory.report(document) if isinstance(document, dict) else {}

    def editable(self, raw: str) -> dict[str, Any]:
        """The values that an edit form starts from, by the names of `DeviceChanges`."""
        return editable(self.report(raw))

    def _read(self, device_id: str) -> asyncio.Task[Device]:
        running = self._reading.get(device_id)
        if running is None:
            running = self._tasks.spawn(self._fetch(device_id), f"device {device_id}")
            self._reading[device_id] = running
            running.add_done_callback(lambda task: self._read_ended(device_id, task))
        return running

    def _read_ended(self, device_id: str, task: asyncio.Task[Device]) -> None:
        if self._reading.get(device_id) is task:
            del self._reading[device_id]

    async def _fetch(self, device_id: str) -> Device:
        context = self._context
        at = context.clock.now()
        try:
            device = await context.call(lambda provider: provider.device(device_id))
        except FleetError as error:
            self.problems[device_id] = error
            if error.kind is Kind.NOT_FOUND:
                await self._gone(device_id)
            raise
        self.problems.pop(device_id, None)
        await context.keep_detail(device, at)
        return device

    async def _gone(self, device_id: str) -> None:
        context = self._context
        if context.provider is None or await context.mirror.device(context.scope, device_id) is None:
            return
        await context.mirror.drop(context.scope, [device_id])
        context.hub.publish(DevicesChanged(context.scope, frozenset({device_id}), moved=True))

    # editing
    def check(self, changes: DeviceChanges) -> list[Problem]:
        """The contract's limits, before anything is sent; nothing to say while there is no connection."""
        provider = self._context.provider
        return provider.check_changes(changes) if provider is not None else []

    async def update(
        self, device_id: str, changes: DeviceChanges, base: str, *, mine_wins: Iterable[str] = ()
    ) -> UpdateOutcome:
        """Send an edit. base: the raw text that the form was filled from; mine_wins: clashes already decided.

        Reads the device first, merges tags and assignments with what others did, sends only what differs, reads
        back. Raises `FleetError` when nothing was sent, or when what is held now could not be read.
        """
        context = self._context
        context.arming.need()
        provider = await context.ensure()
        if problems := [item for item in provider.check_changes(changes) if not item.warning]:
            raise FleetError(Kind.INVALID, problems[0].message, problems=tuple(problems), sent=Sent.NEVER)
        now = await self._current(device_id)
        report = self.report(now.raw)
        if "assignments" in changes.values and (odd := unreadable_assignments(report)):
            raise FleetError(
                Kind.REFUSED,
                f"{odd} of the device's policy assignments cannot be read, and sending the list would drop them",
                sent=Sent.NEVER,
            )
        merged = merge(self.editable(base), changes.values, editable(report), mine_wins=mine_wins)
        if merged.clashes or not merged.values:
            return UpdateOutcome(now, {}, merged.clashes, merged.kept)
        doubt: FleetError | None = None
        answer: Device | None = None
        try:
            answer = await context.change(
                lambda connected: connected.update_device(device_id, DeviceChanges(merged.values)),
                Capability.DEVICE_EDIT,
            )
        except FleetError as error:
            if error.kind is Kind.NOT_FOUND:
                raise await self._missing(device_id, merged.values, error) from error
            if error.sent is not Sent.MAYBE:
                raise
            # It may have been stored: only reading it back tells.
            doubt = error
        held = await self._read_back(device_id, answer, doubt)
        values = self.editable(held.raw)
        differs = tuple(
            Difference(key, asked, values.get(key))
            for key, asked in merged.values.items()
            if not equal(key, asked, values.get(key))
        )
        return UpdateOutcome(held, merged.values, (), merged.kept, differs, doubt)

    async def _missing(self, device_id: str, values: dict[str, Any], error: FleetError) -> FleetError:
        """A change was answered with "not found": the device, or, where it is still there, what the change names."""
        named = references(values)
        if not named:
            return error
        try:
            await self._fetch(device_id)
        except FleetError:
            return error
        titles = list(named.values())
        which = f"one of these does not: {', '.join(titles)}" if len(titles) > 1 else f"{titles[0]} does not"
        return FleetError(
            Kind.INVALID,
            f"Nothing was changed: the device exists, but {which}",
            where=error.where,
            status=error.status,
            code=error.code,
            sent=error.sent,
            problems=tuple(Problem((key,), f"the service may not have {words}") for key, words in named.items()),
            todo="Choose another and send it again.",
        )

    async def _current(self, device_id: str) -> Device:
        """The device as the service holds it; where it has no full view, the list's row of the last look."""
        try:
            return await self._fetch(device_id)
        except FleetError as error:
            stored = await self._context.mirror.device(self._context.scope, device_id)
            if error.kind is not Kind.UNSUPPORTED or stored is None:
                raise
            return stored.device

    async def _read_back(self, device_id: str, answer: Device | None, doubt: FleetError | None) -> Device:
        try:
            return await self._fetch(device_id)
        except FleetError as error:
            if error.kind is Kind.UNSUPPORTED and answer is not None:
                # No full view to read: the answer to the change is the service's own word.
                context = self._context
                context.announce(await context.mirror.apply(context.scope, [answer], at=context.clock.now(), walk=None))
                return answer
            state = "may have been saved" if doubt is not None else "was accepted"
            what = f"The change {state}, but the device could not be read back: {error.what}"
            raise as_change(error, what, sent=Sent.MAYBE) from error

    # around it
    async def apps(self, device_id: str) -> list[App]:
        """The applications the service reports apart from the device."""
        return await self._ask(lambda provider: provider.device_apps(device_id), Capability.DEVICE_APPS)

    async def has_app(self, device_id: str, package: str) -> str:
        """As `app_of`, as a sentence."""
        found, asked = await self.app_of(device_id, package)
        return self.told_of(found, package, asked=asked)

    @staticmethod
    def told_of(found: App | None, package: str, *, asked: bool) -> str:
        """What `app_of` found, as a sentence."""
        wanted = package.strip()
        source = "as the service says" if asked else "in the list of its apps"
        if found is None:
            return f"{wanted} is not on the device, {source}."
        code = f" ({found.version_code})" if found.version_code else ""
        named = f", version code {found.version_code}" if found.version_code else ""
        version = f", version {found.version}{code}" if found.version else named
        return f"{wanted} is installed{version}, {source}."

    async def app_of(self, device_id: str, package: str) -> tuple[App | None, bool]:
        """The app if it is on a device, and whether the service was asked for that one. Raises `FleetError`.

        Where the service cannot be asked for one package, its list of the device's apps is read.
        """
        context = self._context
        wanted = package.strip()
        if not _PACKAGE.fullmatch(wanted):
            raise FleetError(
                Kind.INVALID, f"{clean(package, 120)!r} is no package name", sent=Sent.NEVER,
                todo="Give it whole, as com.example.app.",
            )  # fmt: skip
        found: App | None = None
        if asked := context.can(Capability.DEVICE_HAS_APP):
            try:
                found = await context.call(
                    lambda provider: provider.device_has_app(device_id, wanted), Capability.DEVICE_HAS_APP
                )
            except FleetError as error:
                asked = error.kind is not Kind.UNSUPPORTED
                if asked:
                    raise
        if not asked:
            found = next((app for app in await self.apps(device_id) if app.package == wanted), None)
        return found, asked

    async def users(self, search: str = "", page: int = 1, limit: int = 50) -> Page[User]:
        """People a device can be linked to."""
        return await self._ask(lambda provider: provider.users(search, page, limit), Capability.USERS)

    async def segments(self) -> list[Segment]:
        return await self._ask(lambda provider: provider.segments(), Capability.SEGMENTS)

    async def tags(self) -> list[str]:
        return await self._ask(lambda provider: provider.tags(), Capability.TAGS)

    async def history(self, device_id: str) -> Sequence[Any]:
        """When the report differed: `(at, digest)`, newest as the store orders them."""
        scope, nothing = self._context.scope, list[tuple[float, str]]()
        return await self._context.past(lambda history: history.reports(scope, device_id), without=nothing)

    async def _ask(self, work: Callable[[Provider], Awaitable[T]], capability: Capability) -> T:
        context = self._context
        if not context.can(capability):
            sentence = context.unsupported.get(capability, f"{context.factory.title} does not offer it")
            raise FleetError(Kind.UNSUPPORTED, sentence.split(". ")[0], sent=Sent.NEVER)
        return await context.call(work, capability)
