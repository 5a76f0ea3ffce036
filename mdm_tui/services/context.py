"""What the services of one session share: the connected provider, the stores, the hub, and what was learnt of both."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from mdm_tui.fleet.devices import Device, DeviceKey
from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.provider import Capability, Provider, ProviderFactory

from .arming import Arming
from .changes import as_change
from .clock import Clock
from .events import DetailChanged, DevicesChanged, Noticed, Severity
from .hub import Hub
from .wire import OnWire

if TYPE_CHECKING:
    from mdm_tui.config.connections import Connection
    from mdm_tui.store.history import History
    from mdm_tui.store.journal import Journal
    from mdm_tui.store.mirror import Changes, Mirror

__all__ = ["EVERY", "Context"]

T = TypeVar("T")
_log = logging.getLogger(__name__)
# More intents than a journal will ever hold open.
EVERY = 1_000_000


class Context:
    """One session's surroundings. Services take it, tests build it.

    connect: makes the provider (reads the secrets, imports the network library in a thread); called until it succeeds.
    refused: permission → (when, sentence). unsupported: capability → sentence. connected: set while there is one.
    looked: the first page of devices of this session is in the mirror; walked: all of them are.
    owner: this process, for the journal. arming: whether changes may be sent. wire: changes without an answer yet.
    closed: the service is not called any more.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        factory: ProviderFactory,
        mirror: Mirror,
        hub: Hub,
        clock: Clock,
        connect: Callable[[], Awaitable[Provider]],
        journal: Journal | None = None,
        history: History | None = None,
    ) -> None:
        self.connection = connection
        self.scope = connection.scope
        self.factory = factory
        self.mirror = mirror
        self.journal = journal
        self.history = history
        self.hub = hub
        self.clock = clock
        self.provider: Provider | None = None
        self.refused: dict[str, tuple[float, str]] = {}
        self.unsupported: dict[Capability, str] = {}
        self.connected = asyncio.Event()
        self.looked = asyncio.Event()
        self.walked = asyncio.Event()
        self.owner = ""
        self.arming = Arming(connection, clock)
        self.wire = OnWire()
        self.closed = False
        self.lost_journal: FleetError | None = None
        """Why there is no journal, where it could not be opened."""
        self._told_past = False
        self._connect = connect
        self._shown: tuple[str, ...] = ()
        self._connecting: asyncio.Future[Provider] | None = None

    # the end
    def seal(self) -> None:
        """Send no change any more, whoever asks for one and however it was confirmed; what is on the wire goes on."""
        self.arming.close()

    def close(self) -> None:
        """Call the service no more."""
        self.seal()
        self.closed = True

    def _need_open(self) -> None:
        if self.closed:
            what = f"Nothing was asked: {self.connection.name} is closed"
            raise FleetError(Kind.REFUSED, what, sent=Sent.NEVER, todo="Open it again first.")

    # the provider
    async def ensure(self) -> Provider:
        """The connected provider; connects when there is none. Raises what stands in the way, each time."""
        self._need_open()
        if self.provider is not None:
            return self.provider
        if self._connecting is not None:
            return await asyncio.shield(self._connecting)
        self._connecting = asyncio.get_running_loop().create_future()
        try:
            provider = await self._connect()
        except BaseException as error:
            if isinstance(error, FleetError):
                self._connecting.set_exception(error)
                # Nobody else may be waiting for it.
                self._connecting.exception()
            else:
                self._connecting.cancel()
            self._connecting = None
            raise
        self.provider = provider
        self.connected.set()
        self._connecting.set_result(provider)
        self._connecting = None
        return provider

    async def reconnect(self) -> None:
        """Drop the provider, so that the next call reads the secrets again; others may have other permissions."""
        self.refused.clear()
        provider = self.let_go()
        if provider is not None:
            await provider.aclose()

    def let_go(self) -> Provider | None:
        """Part with the provider, for the caller to close; what it hid stays hidden."""
        provider, self.provider = self.provider, None
        self.connected.clear()
        if provider is not None:
            # Closing forgets a session that a traceback may still show.
            self._shown = tuple(provider.hides)
        return provider

    @property
    def hidden(self) -> tuple[str, ...]:
        """What no report may repeat of the provider and of the one before it."""
        return (*self._shown, *(self.provider.hides if self.provider is not None else ()))

    def can(self, capability: Capability) -> bool:
        """Whether the provider offers it, as far as known: what the service turned out to lack is not offered."""
        return capability in self.factory.capabilities and capability not in self.unsupported

    async def call(self, work: Callable[[Provider], Awaitable[T]], capability: Capability | None = None) -> T:
        """Run one call, remembering refusals and what the service does not have. Raises `FleetError` only."""
        provider = await self.ensure()
        # Once more: connecting may have taken its time.
        self._need_open()
        try:
            return await work(provider)
        except FleetError as error:
            self.learn(error, capability)
            raise
        except (TypeError, ValueError, KeyError, AttributeError, IndexError, RecursionError) as error:
            # A provider promises FleetError only; a slip of one must cost a sentence, not the console.
            _log.exception("provider %s failed", self.factory.kind)
            raise FleetError(
                Kind.UNREADABLE, f"The answer could not be processed ({type(error).__name__})", sent=Sent.MAYBE
            ) from error

    async def change(self, work: Callable[[Provider], Awaitable[T]], capability: Capability | None = None) -> T:
        """As `call`, for what changes something: refused while the connection is locked, and not repeated by itself."""

        async def allowed(provider: Provider) -> T:
            # Here and not only before: connecting may have taken its time.
            self.arming.need()
            wired = self.wire.begin(capability)
            try:
                answer = await work(provider)
            except FleetError as error:
                self.wire.end(wired, error.sentence())
                raise
            except asyncio.CancelledError:
                self.wire.end(
                    wired, "its answer was not waited for, it may have been done: look at what the service holds"
                )
                raise
            except BaseException:
                self.wire.end(wired, "its answer was not understood")
                raise
            self.wire.end(wired, "the service confirmed it")
            return answer

        self.arming.need()
        try:
            return await self.call(allowed, capability)
        except FleetError as error:
            raise as_change(error) from error

    def learn(self, error: FleetError, capability: Capability | None = None) -> None:
        """Keep what an error says about this sign-in and this service."""
        if error.kind is Kind.FORBIDDEN and error.permission:
            self.refused[error.permission] = (self.clock.now(), error.sentence())
        elif error.kind is Kind.UNSUPPORTED and capability is not None:
            self.unsupported[capability] = error.sentence()

    # the stores
    def need_journal(self) -> Journal:
        """The journal; raises when it cannot be used, because nothing is sent that is not on disk first."""
        if self.journal is None:
            lost = self.lost_journal
            why, todo = (f": {lost.what}", lost.todo) if lost is not None else ("", "")
            what = f"The journal of commands is not open, so nothing can be sent{why}"
            raise FleetError(Kind.CONFIG, what, sent=Sent.NEVER, todo=todo)
        return self.journal

    async def past(self, work: Callable[[History], Awaitable[T]], without: T) -> T:
        """What `work` does with the history; `without` where there is none, or where it fails.

        It is kept beside everything else: a file that gives way is told once, and no answer of a service is lost or
        told as a failure for it.
        """
        if self.history is None:
            return without
        try:
            return await work(self.history)
        except FleetError as error:
            if not self._told_past:
                self._told_past = True
                self.notice("warn", f"Drafts and earlier reports cannot be kept: {error.sentence()}")
            return without

    def key(self, device_id: str) -> DeviceKey:
        """A device of this connection, by its id."""
        return DeviceKey(self.scope, device_id)

    def notice(self, severity: Severity, sentence: str) -> None:
        """Say something to the person."""
        self.hub.publish(Noticed(self.scope, severity, sentence))

    def announce(self, changes: Changes) -> None:
        """Tell what an application to the mirror changed; nothing when nothing did."""
        if not (changes.added or changes.changed or changes.removed or changes.moved):
            return
        fields = frozenset().union(*changes.changed.values()) if changes.changed else frozenset()
        ids = frozenset(changes.changed).union(changes.added, changes.removed)
        moved = bool(changes.moved or changes.added or changes.removed)
        self.hub.publish(DevicesChanged(self.scope, ids, fields, moved))

    async def keep_detail(self, device: Device, at: float) -> None:
        """Store a full view that was asked for at `at`; the mirror leaves a late one out. Tells who listens."""
        before = await self.mirror.device(self.scope, device.id)
        self.announce(await self.mirror.put_detail(self.scope, device, at))
        after = await self.mirror.device(self.scope, device.id)
        if after is None or (before is not None and before.device.raw == after.device.raw):
            return
        kept = after.device
        await self.past(lambda history: history.report(self.scope, kept, at), without=False)
        self.hub.publish(DetailChanged(self.scope, device.id))
