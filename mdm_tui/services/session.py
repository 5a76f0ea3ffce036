"""One connection's services, bound together. The first frame needs its mirror alone; the rest follows."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.provider import Capability, Provider, ProviderFactory
from mdm_tui.providers import factory as find_factory
from mdm_tui.store.mirror import Mirror

from .clock import Clock, SystemClock
from .context import Context
from .events import Noticed
from .hub import Hub
from .pace import Attention
from .session_services import Services
from .sync import Sync

if TYPE_CHECKING:
    from mdm_tui.config.connections import Connection
    from mdm_tui.config.credentials import Secret
    from mdm_tui.config.paths import Paths
    from mdm_tui.store.history import History
    from mdm_tui.store.journal import Journal

    from .arming import Arming

__all__ = ["Session"]

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Session(Services):
    """Everything for one connection.

    `open_store()` opens the mirror: enough for the first frame. `start()` opens the journal and the history, imports
    the provider in a thread and begins to poll; what is wrong with secrets, host or files is told (`sync.state.error`,
    notices). `stop()` ends all within a second.
    """

    def __init__(
        self,
        connection: Connection,
        paths: Paths,
        *,
        clock: Clock | None = None,
        env: Mapping[str, str] | None = None,
        transport: Any = None,
        secrets: Mapping[str, Secret] | None = None,
        mirror: Mirror | None = None,
        poll_seconds: float = 15.0,
        dice: random.Random | None = None,
    ) -> None:
        """transport: instead of the network. secrets: instead of those looked up. mirror: another's, kept open."""
        super().__init__()
        self.connection = connection
        self.scope = connection.scope
        self.paths = paths
        self.secrets: Mapping[str, Secret] = secrets or {}
        self.factory: ProviderFactory = find_factory(connection.provider)
        self.clock: Clock = clock or SystemClock()
        self.hub = Hub(self.clock)
        self._env: Mapping[str, str] = env if env is not None else {}
        self._given = secrets is not None
        self._tried: object = None
        self._transport = transport
        self._poll_seconds = poll_seconds
        self._dice = dice
        self._mirror = mirror
        self._shared = mirror is not None
        self._context: Context | None = None
        self._sync: Sync | None = None
        self._started = self._stopped = False
        self._journal_trouble = ""

    # the parts
    def open_store(self) -> None:
        """Open the mirror and build the services; no network library is imported. Raises `FleetError`."""
        if self._context is not None:
            return
        if self._mirror is None:
            self._mirror = Mirror.open(self.paths.mirror, clock=self.clock.now)
        context = self._context = Context(
            self.connection,
            factory=self.factory,
            mirror=self._mirror,
            hub=self.hub,
            clock=self.clock,
            connect=self._connect,
        )
        self._sync = Sync(
            context,
            poll_seconds=self._poll_seconds,
            refresh=self._refresh,
            others=lambda: self._credentials() != self._tried,
            dice=self._dice,
        )

    @property
    def context(self) -> Context:
        return _there(self._context)

    @property
    def mirror(self) -> Mirror:
        return _there(self._mirror)

    @property
    def sync(self) -> Sync:
        return _there(self._sync)

    def _refresh(self, device_id: str) -> Awaitable[object]:
        return self.devices.refresh(device_id)

    @property
    def journal(self) -> Journal | None:
        """None before the start, and when the file cannot be used: then nothing can be sent."""
        return self.context.journal

    @property
    def history(self) -> History | None:
        return self.context.history

    @property
    def provider(self) -> Provider | None:
        """None until connected."""
        return self.context.provider

    @property
    def refused(self) -> dict[str, tuple[float, str]]:
        """Permissions that turned out to be lacking: when, and the sentence."""
        return self.context.refused

    @property
    def unsupported(self) -> dict[Capability, str]:
        """What the service turned out not to offer, with the sentence."""
        return self.context.unsupported

    @property
    def hidden(self) -> tuple[str, ...]:
        """Texts that no report may repeat: the secrets, and the session that the service gave for them."""
        held = tuple(secret.reveal() for secret in self.secrets.values())
        return (*held, *(self._context.hidden if self._context is not None else ()))

    def can(self, capability: Capability) -> bool:
        """Whether a screen may offer it."""
        return self.context.can(capability)

    @property
    def writable(self) -> str:
        """ "" when changes may be sent, else the reason in a word or two (RULES §4)."""
        if self.connection.read_only:
            return "READ-ONLY"
        if self._journal_trouble:
            return "JOURNAL"
        if self._sync is not None and self._sync.state.phase == "signed_out":
            return self.sign_in
        return self.arming.reason()

    @property
    def sign_in(self) -> str:
        """What the service takes for a sign-in, in a word: TOKEN where a token is all it wants."""
        return "TOKEN" if tuple(self.factory.secrets) == ("token",) else "SIGN-IN"

    @property
    def arming(self) -> Arming:
        """Locks and unlocks a production connection."""
        return self.context.arming

    # life
    async def start(self) -> None:
        """Begin; answers before the first look at the service has ended."""
        self.open_store()
        if self._started:
            return
        self._started = True
        if self.mirror.notice:
            self.hub.publish(Noticed(self.scope, "warn", self.mirror.notice))
        await asyncio.to_thread(_import_services, self.factory.capabilities)
        await self.open_files()
        if Capability.COMMANDS in self.factory.capabilities:
            try:
                await self.commands.start()
            except FleetError as error:
                self._lost_journal(error)
        await self.sync.start()
        await self.overview.start()
        if self.can(Capability.GROUPS):
            await self.groups.start()
        if self.can(Capability.DEVICE_REGISTER):
            try:
                await self.registration.start()
            except FleetError as error:
                self._lost_journal(error)

    async def open_files(self) -> None:
        """Open journal and history, in a thread; what cannot be opened is told and done without."""
        context = self.context

        def journal() -> Journal:
            from mdm_tui.store.journal import Journal
            from mdm_tui.store.owner import current

            context.owner = current()
            return Journal.open(self.paths.journal, self.clock.now)

        def history() -> History:
            from mdm_tui.store.history import History

            return History.open(self.paths.history, clock=self.clock.now)

        try:
            context.journal = await asyncio.to_thread(journal)
        except FleetError as error:
            self._lost_journal(error)
        try:
            context.history = await asyncio.to_thread(history)
        except FleetError as error:
            context.notice("warn", f"Drafts and earlier reports cannot be kept: {error.sentence()}")

    def _lost_journal(self, error: FleetError) -> None:
        self._journal_trouble = error.sentence()
        self.context.lost_journal = error
        self.context.notice("bad", f"No command can be sent, because the journal cannot be used: {error.sentence()}")

    async def connect(self) -> Provider:
        """Connect now (the command line); the services do it by themselves."""
        return await self.context.ensure()

    async def stop(self) -> None:
        """End the polling, record what is on the wire, write the drafts, close the files."""
        if self._context is None or self._stopped:
            return
        self._stopped = True
        (context := self._context).seal()
        editing = (self._devices, self._policies, self._rollouts)
        for service in (self._registration, self._groups, self._overview, self._sync, self._commands, *editing):
            if service is None:
                continue
            try:
                await service.stop()
            except FleetError:
                _log.exception("stopping %s", type(service).__name__)
        context.close()
        self.hub.close()
        provider = context.let_go()
        if provider is not None:
            try:
                async with asyncio.timeout(0.3):
                    await provider.aclose()
            except (TimeoutError, OSError, RuntimeError):
                _log.debug("the connections were not closed in time")
        mine = None if self._shared else self._mirror
        await asyncio.to_thread(_close, (context.journal, context.history, mine))

    async def _connect(self) -> Provider:
        """Read the secrets and connect; the libraries are imported in a thread. Raises `FleetError`."""
        found = self._tried = self._credentials()
        if isinstance(found, str):
            raise FleetError(Kind.SIGNED_OUT, found, sent=Sent.NEVER)
        self.secrets = found
        return await asyncio.to_thread(self._make)

    def _credentials(self) -> Mapping[str, Secret] | str:
        """What a new connection would sign in with, or why there is nothing to sign in with."""
        return self.secrets if self._given else _look_up(self.connection, self.factory.secrets, self._env)

    def _make(self) -> Provider:
        given = {} if self._transport is None else {"transport": self._transport}
        times: dict[str, Any] = {"clock": self.clock.now, "sleep": self.clock.sleep}
        return self.factory.connect(self.connection, self.secrets, **times, **given)  # type: ignore[arg-type]

    def _on_screen(self) -> frozenset[str]:
        sync = self._sync
        return frozenset() if sync is None else frozenset(filter(None, (*sync.visible, sync.opened)))

    def _looked_at(self) -> bool:
        """Whether somebody is at a screen of this session, and the service answers."""
        return self._answers() and self.sync.pace.attention is Attention.ACTIVE

    def _answers(self) -> bool:
        return self._sync is not None and self._sync.state.phase in ("fresh", "syncing")


def _import_services(capabilities: Collection[Capability]) -> None:
    """In a thread, so that the event loop answers meanwhile: all that a session uses without being asked to."""
    from . import catalogue, commands, devices, overview, policies  # noqa: F401

    if Capability.GROUPS in capabilities:
        from . import groups  # noqa: F401
    if Capability.DEVICE_REGISTER in capabilities:
        from . import registration  # noqa: F401
    if Capability.ROLLOUTS in capabilities:
        from . import rollouts  # noqa: F401


def _close(stores: Sequence[Journal | History | Mirror | None]) -> None:
    for store in stores:
        if store is not None:
            try:
                store.close()
            except (FleetError, OSError):
                _log.exception("closing a file")


def _look_up(connection: Connection, names: Sequence[str], env: Mapping[str, str]) -> Mapping[str, Secret] | str:
    from mdm_tui.config.credentials import secrets
    from mdm_tui.config.errors import ConfigError

    try:
        return secrets(connection, names, env)
    except ConfigError as error:
        return error.sentence().rstrip(".")


def _there(part: T | None) -> T:
    if part is None:
        raise RuntimeError("open_store() comes first")
    return part
