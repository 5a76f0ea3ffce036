"""Devices: finding, paging, changing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .clock import DAY, Clock
from .database import Database
from .errors import NotThere
from .policies import PolicyBook
from .records import DEVICE_COLUMNS, Device

# Sort keys that the database can serve itself.
SORTS: dict[str, str] = {
    "n": "n",
    "id": "id",
    "name": "name",
    "segment": "segment_id",
    "state": "state",
    "policy": "policy_id",
    "policy_name": "(SELECT name FROM policy WHERE policy.id = device.policy_id)",
    "person": "person_id",
    "person_email": "(SELECT email FROM person WHERE person.id = device.person_id)",
    "provider": "provider_id",
    "updated": "updated_at",
    "created": "created_at",
    "enrolled": "coalesce(enrolled_at, created_at)",
    "reported": "reported_at",
    "serial": "serial",
    "imei": "imei",
    "mac": "mac",
    "applied_policy": "applied_id",
    "applied_at": "applied_at",
}


@dataclass(slots=True)
class DeviceFilter:
    """Which devices; fields that are None or empty do not filter. Several states or tags mean any of them."""

    states: Sequence[str] = ()
    tags: Sequence[str] = ()
    person_id: str | None = None
    policy_id: str | None = None
    segments: Iterable[int] | None = None
    deleted: bool = False
    _params: list[Any] = field(default_factory=list)

    def clause(self) -> tuple[str, list[Any]]:
        """The WHERE text and its parameters."""
        parts: list[str] = []
        params: list[Any] = []
        if self.states:
            parts.append(f"state IN ({','.join('?' * len(self.states))})")
            params += self.states
        if not self.deleted and "gone" not in self.states:
            parts.append("state <> 'gone'")
        if self.tags:
            marks = ",".join("?" * len(self.tags))
            parts.append(f"n IN (SELECT n FROM device_tag WHERE tag IN ({marks}))")
            params += self.tags
        if self.person_id:
            parts.append("person_id = ?")
            params.append(self.person_id.lower())
        if self.policy_id:
            parts.append("policy_id = ?")
            params.append(self.policy_id.lower())
        if self.segments is not None:
            wanted = sorted(self.segments)
            parts.append(f"segment_id IN ({','.join('?' * len(wanted))})")
            params += wanted
        return (" WHERE " + " AND ".join(parts) if parts else ""), params


class DeviceBook:
    """The table of devices. Every change that a caller could see goes through `touch` or `change`."""

    def __init__(self, database: Database, clock: Clock, policies: PolicyBook) -> None:
        self._db = database
        self._clock = clock
        self._policies = policies
        self._total: int | None = None

    def get(self, device_id: str) -> Device:
        """By identifier. Raises NotThere."""
        row = self._db.one(f"SELECT {DEVICE_COLUMNS} FROM device WHERE id = ?", (device_id.lower(),))
        if row is None:
            raise NotThere("device", device_id)
        return Device(*row)

    def at(self, n: int) -> Device:
        """By running number."""
        return Device(*self._db.one(f"SELECT {DEVICE_COLUMNS} FROM device WHERE n = ?", (n,)))

    def count(self, wanted: DeviceFilter) -> int:
        """How many devices the filter means. The plain total is remembered until a device comes or goes."""
        clause, params = wanted.clause()
        if params or wanted.deleted:
            return self._db.one(f"SELECT count(*) FROM device{clause}", params)[0]
        if self._total is None:
            self._total = int(self._db.one(f"SELECT count(*) FROM device{clause}")[0])
        return self._total

    def page(self, wanted: DeviceFilter, sort: str, descending: bool, offset: int, limit: int) -> list[Device]:
        """A window of the list, in the order of one of SORTS; equal keys follow the running number."""
        clause, params = wanted.clause()
        way = "DESC" if descending else "ASC"
        order = f"{SORTS[sort]} {way}" if sort == "n" else f"{SORTS[sort]} {way}, n {way}"
        # First the window of numbers, which an index holds, then the rows: skipped rows are never read.
        rows = self._db.all(
            f"SELECT {DEVICE_COLUMNS} FROM device WHERE n IN "
            f"(SELECT n FROM device{clause} ORDER BY {order} LIMIT ? OFFSET ?) ORDER BY {order}",
            [*params, limit, offset],
        )
        return [Device(*row) for row in rows]

    def numbers_by(self, wanted: DeviceFilter, key: Callable[[Device], Any], descending: bool) -> list[int]:
        """All matching running numbers, ordered by a computed key. Costs one look at every device: call in a thread."""
        clause, params = wanted.clause()
        with self._db.reading() as connection:
            rows: Iterable[Any] = connection.execute(f"SELECT {DEVICE_COLUMNS} FROM device{clause}", params)
            keyed = [(_rank(key(device)), device.n) for device in map(_device, rows)]
        keyed.sort(reverse=descending)
        return [n for _, n in keyed]

    def several(self, numbers: Sequence[int]) -> list[Device]:
        """Devices by running number, in the order given."""
        marks = ",".join("?" * len(numbers))
        rows = self._db.all(f"SELECT {DEVICE_COLUMNS} FROM device WHERE n IN ({marks})", numbers)
        found = {row[0]: Device(*row) for row in rows}
        return [found[n] for n in numbers if n in found]

    def change(self, device: Device, **columns: Any) -> Device:
        """Write columns (names of `Device`) and bump updatedAt. Tags, state and policy keep their side tables right."""
        now = self._clock.now()
        columns["updated_at"] = now
        if "policy_id" in columns or "assignments" in columns:
            policy_id = columns.get("policy_id", device.policy_id)
            assignments = json.loads(columns.get("assignments", device.assignments))
            columns["effective_id"] = self._policies.effective(policy_id, assignments)
        if "state" in columns and columns["state"] != device.state:
            history = json.loads(device.history)
            history.append([columns["state"], now])
            columns["history"] = json.dumps(history)
            self._total = None
        with self._db.transaction():
            names = ", ".join(f"{name} = ?" for name in columns)
            self._db.run(f"UPDATE device SET {names} WHERE n = ?", [*columns.values(), device.n])
            if "tags" in columns:
                self._db.run("DELETE FROM device_tag WHERE n = ?", (device.n,))
                tags = dict.fromkeys(json.loads(columns["tags"]))
                self._db.many("INSERT INTO device_tag VALUES (?,?)", [(tag, device.n) for tag in tags])
        for name, value in columns.items():
            setattr(device, name, value)
        return device

    def touch_policy(self, policy_id: str, after: int, limit: int) -> list[int]:
        """Bump updatedAt of the next devices that obey a policy, from running number `after`; which ones."""
        rows = self._db.all(
            "SELECT n FROM device WHERE effective_id = ? AND n > ? AND state <> 'gone' ORDER BY n LIMIT ?",
            (policy_id, after, limit),
        )
        numbers = [row[0] for row in rows]
        if numbers:
            with self._db.transaction():
                self._db.run(
                    f"UPDATE device SET updated_at = ? WHERE n IN ({','.join('?' * len(numbers))})",
                    [self._clock.now(), *numbers],
                )
        return numbers

    def tags(self) -> list[str]:
        """Tags in use, sorted."""
        return [row[0] for row in self._db.all("SELECT DISTINCT tag FROM device_tag ORDER BY tag")]

    def note(self, n: int, moment: int, kind: str, detail: str = "") -> None:
        """Remember that something happened on a device, for the events of its report."""
        self._db.run("INSERT INTO happening VALUES (?,?,?,?)", (n, moment, kind, detail))
        # A report shows a day; what is older can go.
        self._db.run("DELETE FROM happening WHERE n = ? AND at < ?", (n, moment - 3 * DAY))

    def happenings(self, n: int, since: int) -> list[tuple[int, str, str]]:
        """(time, kind, detail), oldest first."""
        return self._db.all(
            "SELECT at, kind, detail FROM happening WHERE n = ? AND at >= ? ORDER BY at, rowid", (n, since)
        )


def _device(row: sqlite3.Row | tuple[Any, ...]) -> Device:
    return Device(*row)


def _rank(value: Any) -> tuple[int, Any]:
    """A total order over mixed values: nothing, then booleans and numbers, then text, then the rest as text."""
    if value is None:
        return (0, 0)
    if isinstance(value, (bool, int, float)):
        return (1, value)
    return (2, value if isinstance(value, str) else json.dumps(value, sort_keys=True))
