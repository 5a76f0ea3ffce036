"""Reading commands back, on services that offer much and on those that offer little."""

from __future__ import annotations

from mdm_tui.fleet.commands import Command, PushStatus
from mdm_tui.fleet.errors import FleetError, Kind

from .command_plan import BASELINE
from .context import Context

__all__ = ["Reading"]


class Reading:
    """What the service says of a command and its device. What is read goes into the mirror as well.

    push_unsupported: why nothing is known of pushes, "" while it is or may be.
    """

    def __init__(self, context: Context) -> None:
        self.push_unsupported = ""
        self._context = context
        self._single_unsupported = False

    async def command(self, device_id: str, command_id: str) -> Command | None:
        """The command as the service holds it now; None when it, or its device, is not there any more."""
        context = self._context
        if not self._single_unsupported:
            try:
                command = await context.call(lambda provider: provider.command(device_id, command_id))
            except FleetError as error:
                if error.kind is Kind.NOT_FOUND:
                    return None
                if error.kind is not Kind.UNSUPPORTED:
                    raise
                # Documented services have the list alone.
                self._single_unsupported = True
            else:
                await self._keep(device_id, [command])
                return command
        try:
            return next((command for command in await self.listed(device_id) if command.id == command_id), None)
        except FleetError as error:
            if error.kind is not Kind.NOT_FOUND:
                raise
            return None

    async def listed(self, device_id: str) -> list[Command]:
        """The device's newest commands."""
        page = await self._context.call(lambda provider: provider.device_commands(device_id, 1, BASELINE))
        await self._keep(device_id, page.items)
        return page.items

    async def push(self, command: Command) -> PushStatus | None:
        """What the push service says, None where it is not offered."""
        if self.push_unsupported:
            return None
        try:
            return await self._context.call(lambda provider: provider.push_status(command.device_id, command.id))
        except FleetError as error:
            if error.kind in (Kind.UNSUPPORTED, Kind.FORBIDDEN):
                self.push_unsupported = error.sentence()
            # The command itself was read: that is what counts.
            return None

    async def device_state(self, device_id: str) -> str:
        """The device's state at the service, `DELETED` when it is not there any more."""
        context = self._context
        at = context.clock.now()
        try:
            device = await context.call(lambda provider: provider.device(device_id))
        except FleetError as error:
            if error.kind is Kind.NOT_FOUND:
                return "DELETED"
            if error.kind is not Kind.UNSUPPORTED:
                raise
            rows = await context.mirror.rows(context.scope, [device_id])
            row = rows.get(device_id)
            return str(row.values.get("state") or "") if row is not None else "DELETED"
        await context.keep_detail(device, at)
        return str(device.values.get("state") or "")

    async def _keep(self, device_id: str, commands: list[Command]) -> None:
        context = self._context
        await context.mirror.apply_commands(context.scope, device_id, commands, context.clock.now())
