"""Commands: asking, calling back, and their table. What devices do with them is in `agents`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .chance import hex_digits, object_id
from .clock import HOUR, SECOND
from .errors import NoPush, NotCancellable, NotThere
from .records import (
    ACTIVE,
    CANCELLED,
    COMMAND_COLUMNS,
    DISENROLL,
    GONE,
    LEAVING,
    PENDING,
    RECEIVED,
    Command,
    Device,
)

if TYPE_CHECKING:
    from .world import World

DEFAULT_VALIDITY = 24 * HOUR

SORTS: dict[str, str] = {
    "id": "id",
    "kind": "kind",
    "status": "status",
    "push": "push_id",
    "person": "person_id",
    "created": "created_at",
    "updated": "updated_at",
    "sent": "sent_at",
    "expires": "expires_at",
}


class CommandBook:
    """The table of commands. `open` knows which are still under way, by device.

    What was asked with a password is never written: it is known as long as this process runs.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._db = world.database
        self._secret: dict[str, dict[str, Any]] = {}
        self._number = self._db.one("SELECT coalesce(max(number), 0) FROM command")[0]
        self.open: dict[int, dict[str, None]] = {}
        for command_id, n in self._db.all(
            "SELECT id, n FROM command WHERE status IN ('pending', 'received') ORDER BY number"
        ):
            self.open.setdefault(n, {})[command_id] = None

    def get(self, command_id: str) -> Command:
        """Raises NotThere."""
        row = self._db.one(f"SELECT {COMMAND_COLUMNS} FROM command WHERE id = ?", (command_id.lower(),))
        if row is None:
            raise NotThere("command", command_id)
        return self._command(row)

    def of(self, device: Device, command_id: str) -> Command:
        """A command of this device. Raises NotThere."""
        command = self.get(command_id)
        if command.n != device.n:
            raise NotThere("command", command_id)
        return command

    def page(self, device: Device, sort: str, descending: bool, offset: int, limit: int) -> tuple[list[Command], int]:
        """A window of a device's commands, and how many there are."""
        way = "DESC" if descending else "ASC"
        rows = self._db.all(
            f"SELECT {COMMAND_COLUMNS} FROM command WHERE n = ? ORDER BY {SORTS[sort]} {way}, number {way} "
            "LIMIT ? OFFSET ?",
            (device.n, limit, offset),
        )
        total = self._db.one("SELECT count(*) FROM command WHERE n = ?", (device.n,))[0]
        return [self._command(row) for row in rows], total

    def create(self, device: Device, kind: str, params: dict[str, Any] | None, validity: int | None = None) -> Command:
        """Queue a command; `validity` in ms. Raises NotThere if the device has left, NoPush on disenrolment."""
        if device.state == GONE:
            raise NotThere("device", device.id)
        if kind == DISENROLL:
            return self._disenroll(device, params, validity)
        return self._insert(device, kind, params, validity)

    def _disenroll(self, device: Device, params: dict[str, Any] | None, validity: int | None) -> Command:
        """As documented: an active command is used again, an expired one is renewed, no push token changes nothing."""
        if not device.has_push:
            raise NoPush
        with self._db.transaction():
            for command_id in self.open.get(device.n, {}):
                command = self.get(command_id)
                if command.kind == DISENROLL:
                    return command
            command = self._insert(device, DISENROLL, params, validity)
            if device.state != LEAVING:
                self._world.devices.change(device, state=LEAVING)
        return command

    def _insert(self, device: Device, kind: str, params: dict[str, Any] | None, validity: int | None) -> Command:
        now = self._world.clock.now()
        self._number += 1
        number = self._number
        command = Command(
            id=object_id(now, 5, number, self._world.seed),
            number=number,
            n=device.n,
            person_id=device.person_id,
            kind=kind,
            params=params,
            status=PENDING,
            push_id=hex_digits(24, self._world.seed, 6, number) if device.has_push else None,
            results=[],
            created_at=now,
            updated_at=now,
            sent_at=None,
            delivered_at=None,
            received_at=None,
            expires_at=now + (DEFAULT_VALIDITY if validity is None else validity),
        )
        written = params
        if params and params.get("password"):
            self._secret[command.id] = params
            written = {"withheld": True}
        with self._db.transaction():
            self._db.run(
                f"INSERT INTO command ({COMMAND_COLUMNS}) VALUES ({','.join('?' * 15)})",
                (
                    command.id,
                    number,
                    command.n,
                    command.person_id,
                    kind,
                    json.dumps(written),
                    PENDING,
                    command.push_id,
                    "[]",
                    now,
                    now,
                    None,
                    None,
                    None,
                    command.expires_at,
                ),
            )
        self.open.setdefault(device.n, {})[command.id] = None
        self._world.agents.queue_command(command)
        return command

    def cancel(self, device: Device, command: Command) -> Command:
        """Call back a pending command. Raises NotCancellable. Without its disenrolment the device is active again."""
        if command.status != PENDING:
            raise NotCancellable
        with self._db.transaction():
            self.change(command, status=CANCELLED)
            if command.kind == DISENROLL and device.state == LEAVING:
                self._world.devices.change(device, state=ACTIVE)
        return command

    def change(self, command: Command, **columns: Any) -> Command:
        """Write columns and bump updatedAt."""
        columns["updated_at"] = self._world.clock.now()
        for name, value in columns.items():
            setattr(command, name, value)
        written = {name: json.dumps(value) if name == "results" else value for name, value in columns.items()}
        names = ", ".join(f"{name} = ?" for name in written)
        with self._db.transaction():
            self._db.run(f"UPDATE command SET {names} WHERE id = ?", [*written.values(), command.id])
        if command.status not in (PENDING, RECEIVED):
            self.open.get(command.n, {}).pop(command.id, None)
        return command

    def validity_from_seconds(self, seconds: float) -> int:
        """The contract gives no unit; seconds is the likely one."""
        return round(seconds * SECOND)

    def _command(self, row: tuple[Any, ...]) -> Command:
        command = Command(*row)
        command.params = self._secret.get(command.id) or json.loads(row[5])
        command.results = json.loads(row[8])
        return command
