"""Units: devices as the site's registry knows them. Most stand for a simulated device, some are known only here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .catalog import MODELS
from .chance import mix
from .clock import HOUR, MINUTE
from .errors import NotThere, Refused
from .products import PRODUCTS
from .site import uuid_text
from .unit_apps import InstalledPackage, installed_on

if TYPE_CHECKING:
    from .world import World

UNIT_COLUMNS = (
    "u, uuid, n, serial, manufacturer, brand, model, product, group_uuid, enabled, enrolled_at, checked_in_at, "
    "disconnected_at, client_version, rtc, online, os, build, ab, license, auto_renew, created_at, updated_at, sdk, "
    "built_at, region, silent, enrol_after, license_uuid"
)
UNIT_MARKS = ",".join("?" * 29)

# Sort keys. Those with an index of their own: u, uuid, serial, group, updated, created, checked_in, model.
SORTS: dict[str, str] = {
    "u": "u",
    "uuid": "uuid",
    "serial": "serial",
    "manufacturer": "manufacturer",
    "brand": "brand",
    "model": "model",
    "group": "group_uuid",
    "enabled": "enabled",
    "online": "online",
    "enrolled": "enrolled_at",
    "checked_in": "checked_in_at",
    "disconnected": "disconnected_at",
    "client": "client_version",
    "rtc": "rtc",
    "os": "os",
    "build": "build",
    "product": "product",
    "created": "created_at",
    "updated": "updated_at",
}


@dataclass(slots=True)
class UnitRecord:
    """A row of `unit`; times are milliseconds.

    n: the simulated device it stands for. build, built_at, region: what its partitions hold. silent: the client no
    longer talks to the site. enrol_after: from when on a new or reset unit may enrol.
    """

    u: int
    uuid: str
    n: int | None
    serial: str
    manufacturer: str
    brand: str
    model: str
    product: str
    group_uuid: str | None
    enabled: bool
    enrolled_at: int | None
    checked_in_at: int | None
    disconnected_at: int | None
    client_version: int
    rtc: bool
    online: bool
    os: str
    build: str
    ab: bool
    license: str
    auto_renew: bool
    created_at: int
    updated_at: int
    sdk: int
    built_at: int
    region: str
    silent: bool
    enrol_after: int | None
    license_uuid: str | None

    def row(self) -> tuple[Any, ...]:
        """The values in the order of UNIT_COLUMNS."""
        return tuple(getattr(self, name) for name in self.__slots__)


_BOOLEANS = tuple(
    index
    for index, name in enumerate(UnitRecord.__slots__)
    if name in ("enabled", "rtc", "online", "ab", "auto_renew", "silent")
)


def unit_of(row: Sequence[Any]) -> UnitRecord:
    """A record from a row of UNIT_COLUMNS."""
    values = list(row)
    for index in _BOOLEANS:
        values[index] = bool(values[index])
    return UnitRecord(*values)


@dataclass(frozen=True, slots=True)
class UnitDraft:
    """A unit as it is registered. Empty texts say nothing: what is known of it stays."""

    serial: str
    manufacturer: str = ""
    brand: str = ""
    model: str = ""
    enabled: bool = True
    group_uuid: str | None = None


@dataclass(frozen=True, slots=True)
class UnitFilter:
    """Which units; None and empty do not filter, several values mean any of them."""

    groups: Sequence[str] = ()
    serials: Sequence[str] = ()
    uuids: Sequence[str] = ()
    manufacturers: Sequence[str] = ()
    brands: Sequence[str] = ()
    models: Sequence[str] = ()
    enabled: bool | None = None
    online: bool | None = None
    rtc: bool | None = None
    enrolled: bool | None = None
    nothing: bool = False

    def clause(self) -> tuple[str, list[Any]]:
        """The WHERE text and its parameters."""
        parts: list[str] = ["0"] if self.nothing else []
        params: list[Any] = []
        for column, several in (
            ("group_uuid", [uuid.lower() for uuid in self.groups]),
            ("serial", self.serials),
            ("uuid", [uuid.lower() for uuid in self.uuids]),
            ("manufacturer", self.manufacturers),
            ("brand", self.brands),
            ("model", self.models),
        ):
            if several:
                parts.append(f"{column} IN ({','.join('?' * len(several))})")
                params += several
        for column, wanted in (("enabled", self.enabled), ("online", self.online), ("rtc", self.rtc)):
            if wanted is not None:
                parts.append(f"{column} = ?")
                params.append(int(wanted))
        if self.enrolled is not None:
            parts.append(f"enrolled_at IS {'NOT ' if self.enrolled else ''}NULL")
        return (" WHERE " + " AND ".join(parts) if parts else ""), params


class UnitBook:
    """The table of units."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._db = world.database
        self.by_device: dict[int, list[int]] = {}
        for u, n in self._db.all("SELECT u, n FROM unit WHERE n IS NOT NULL AND silent = 0"):
            self.by_device.setdefault(n, []).append(u)

    def get(self, uuid: str) -> UnitRecord:
        """Raises NotThere."""
        return self._one("uuid = ?", uuid.lower(), uuid)

    def at(self, u: int) -> UnitRecord:
        """By running number. Raises NotThere."""
        return self._one("u = ?", u, u)

    def by_serial(self, serial: str) -> UnitRecord:
        """The first unit with exactly this serial number. Raises NotThere."""
        return self._one("serial = ? ORDER BY u LIMIT 1", serial, serial)

    def _one(self, clause: str, value: str | int, named: object) -> UnitRecord:
        row = self._db.one(f"SELECT {UNIT_COLUMNS} FROM unit WHERE {clause}", (value,))
        if row is None:
            raise NotThere("device", named)
        return unit_of(row)

    def exists(self, serial: str) -> bool:
        """Whether a unit has exactly this serial number. Nothing has none."""
        return bool(serial) and self._db.one("SELECT 1 FROM unit WHERE serial = ? LIMIT 1", (serial,)) is not None

    def count(self, wanted: UnitFilter) -> int:
        """How many units the filter means."""
        clause, params = wanted.clause()
        return self._db.one(f"SELECT count(*) FROM unit{clause}", params)[0]

    def page(
        self, wanted: UnitFilter, sort: str = "u", descending: bool = False, offset: int = 0, limit: int = 100
    ) -> list[UnitRecord]:
        """A window of the list in the order of one of SORTS; equal keys follow the running number."""
        clause, params = wanted.clause()
        way = "DESC" if descending else "ASC"
        order = f"u {way}" if sort == "u" else f"{SORTS[sort]} {way}, u {way}"
        # First the window of numbers, which an index holds, then the rows: skipped rows are never read.
        rows = self._db.all(
            f"SELECT {UNIT_COLUMNS} FROM unit WHERE u IN "
            f"(SELECT u FROM unit{clause} ORDER BY {order} LIMIT ? OFFSET ?) ORDER BY {order}",
            [*params, limit, offset],
        )
        return [unit_of(row) for row in rows]

    def numbers_by(
        self,
        wanted: UnitFilter,
        keep: Callable[[UnitRecord], bool],
        key: Callable[[UnitRecord], Any],
        descending: bool,
    ) -> list[int]:
        """Running numbers of all that match and are kept, ordered by a computed key, then by number.

        Costs one look at every unit: call in a thread.
        """
        clause, params = wanted.clause()
        with self._db.reading() as connection:
            units = map(unit_of, connection.execute(f"SELECT {UNIT_COLUMNS} FROM unit{clause}", params))
            keyed = [(key(unit), unit.u) for unit in units if keep(unit)]
        keyed.sort(reverse=descending)
        return [u for _, u in keyed]

    def several(self, numbers: Sequence[int]) -> list[UnitRecord]:
        """Units by running number, in the order given."""
        marks = ",".join("?" * len(numbers))
        rows = self._db.all(f"SELECT {UNIT_COLUMNS} FROM unit WHERE u IN ({marks})", numbers)
        found = {row[0]: unit_of(row) for row in rows}
        return [found[u] for u in numbers if u in found]

    def by_model(self, wanted: UnitFilter) -> dict[str, int]:
        """How many of each model the filter means."""
        clause, params = wanted.clause()
        return dict(self._db.all(f"SELECT model, count(*) FROM unit{clause} GROUP BY model", params))

    def installed(self, uuid: str) -> list[InstalledPackage]:
        """What is on a unit now. Raises NotThere."""
        return installed_on(self._world, self.get(uuid))

    def logs(self, uuid: str, offset: int = 0, limit: int = 100) -> tuple[list[tuple[int, str, str]], int]:
        """((time, category, text) newest first, how many there are). Raises NotThere."""
        u = self.get(uuid).u
        rows = self._db.all(
            "SELECT at, category, text FROM unit_log WHERE u = ? ORDER BY at DESC, rowid DESC LIMIT ? OFFSET ?",
            (u, limit, offset),
        )
        return rows, self._db.one("SELECT count(*) FROM unit_log WHERE u = ?", (u,))[0]

    def note(self, u: int, category: str, text: str) -> None:
        """Remember what happened to a unit."""
        self._db.run("INSERT INTO unit_log VALUES (?,?,?,?)", (u, self._world.clock.now(), category, text))

    def change(self, unit: UnitRecord, **columns: Any) -> UnitRecord:
        """Write columns (names of `UnitRecord`) and bump the time of the last change."""
        columns["updated_at"] = self._world.clock.now()
        names = ", ".join(f"{name} = ?" for name in columns)
        self._db.run(f"UPDATE unit SET {names} WHERE u = ?", [*columns.values(), unit.u])
        for name, value in columns.items():
            setattr(unit, name, value)
        return unit

    def save(
        self, rows: Sequence[UnitDraft], license_uuid: str | None = None, auto_renew: bool = False
    ) -> list[UnitRecord]:
        """Register units; one that exists already loses its status and has to enrol again.

        Each draws a free license of the model, else a trial license. Raises Refused for an empty serial number,
        NotThere for an unknown group or license model; then nothing is written.
        """
        for draft in rows:
            if not draft.serial.strip():
                raise Refused("a device needs a serial number")
        for group in dict.fromkeys(draft.group_uuid for draft in rows if draft.group_uuid):
            self._world.groups.get(group)
        if license_uuid is not None:
            self._world.licenses.get(license_uuid)
        with self._db.transaction():
            saved = [self._save(draft, license_uuid, auto_renew) for draft in rows]
        self._world.rollouts.scope_changed()
        return saved

    def _save(self, draft: UnitDraft, license_uuid: str | None, auto_renew: bool) -> UnitRecord:
        world = self._world
        now = world.clock.now()
        group = draft.group_uuid.lower() if draft.group_uuid else None
        if self.exists(draft.serial):
            unit = self.by_serial(draft.serial)
            world.licenses.give_back(unit.license_uuid)
            license_name, license_id = world.licenses.take(license_uuid)
            said = {name: getattr(draft, name) for name in ("manufacturer", "brand", "model") if getattr(draft, name)}
            self.note(unit.u, "register", "saved again: the status was reset")
            if unit.silent and unit.n is not None:
                self.by_device.setdefault(unit.n, []).append(unit.u)
            return self.change(
                unit,
                **said,
                group_uuid=group or unit.group_uuid,
                enabled=draft.enabled,
                enrolled_at=None,
                checked_in_at=None,
                disconnected_at=None,
                online=False,
                silent=False,
                enrol_after=now + 2 * HOUR + mix(world.seed, unit.u, 9101, now) % (24 * HOUR),
                license=license_name,
                license_uuid=license_id,
                auto_renew=auto_renew,
            )
        license_name, license_id = world.licenses.take(license_uuid)
        return self._add(draft, group, license_name, license_id, auto_renew)

    def _add(
        self, draft: UnitDraft, group: str | None, license_name: str, license_id: str | None, auto_renew: bool
    ) -> UnitRecord:
        world = self._world
        now = world.clock.now()
        u = self._db.one("SELECT coalesce(max(u), 0) + 1 FROM unit")[0]
        linked = self._db.all("SELECT n FROM device WHERE serial = ? AND state <> 'gone' LIMIT 2", (draft.serial,))
        n = linked[0][0] if len(linked) == 1 else None
        product = PRODUCTS.get(draft.model)
        if n is not None:
            product = PRODUCTS[MODELS[world.devices.at(n).model].name]
        unit = UnitRecord(
            u=u, uuid=uuid_text(world.salt, 9102, u), n=n, serial=draft.serial, manufacturer=draft.manufacturer,
            brand=draft.brand, model=draft.model, product=product.id if product else "", group_uuid=group,
            enabled=draft.enabled, enrolled_at=None, checked_in_at=None, disconnected_at=None, client_version=0,
            rtc=False, online=False, os="", build="", ab=bool(product and product.ab), license=license_name,
            auto_renew=auto_renew, created_at=now, updated_at=now, sdk=0, built_at=0, region="", silent=False,
            enrol_after=now + 10 * MINUTE + mix(world.seed, u, 9103) % HOUR, license_uuid=license_id,
        )  # fmt: skip
        self._db.run(f"INSERT INTO unit ({UNIT_COLUMNS}) VALUES ({UNIT_MARKS})", unit.row())
        if n is not None:
            self.by_device.setdefault(n, []).append(u)
        return unit
