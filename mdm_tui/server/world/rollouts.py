"""Rollouts: their documents, kept whole, and where each unit in their scope stands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import NotThere, Refused
from .rollout_words import Wishes, read, stamp_name
from .units import UnitDraft

if TYPE_CHECKING:
    from .world import World

WAITING, DOWNLOADING, INSTALLING, DONE, FAILED, REFUSED = (
    "waiting",
    "downloading",
    "installing",
    "done",
    "failed",
    "refused",
)
FINAL = (DONE, FAILED, REFUSED)

COLUMNS = "uuid, name, document, enabled, revision, created_at, updated_at"


@dataclass(frozen=True, slots=True)
class RolloutRecord:
    """One rollout. document: as it was saved, nothing left out. revision: counts the saves."""

    uuid: str
    name: str
    document: dict[str, Any]
    enabled: bool
    revision: int
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class UnitProgress:
    """Where one unit stands: state is one of the six words above, reason says why it waits, failed or was refused."""

    uuid: str
    serial: str
    state: str
    reason: str
    step: int
    attempts: int
    at: int


class RolloutBook:
    """The table of rollouts."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._db = world.database
        # Documents as read, until the next save.
        self._wishes: dict[str, tuple[int, Wishes]] = {}
        self._read: dict[str, RolloutRecord] = {}

    def all(self) -> list[RolloutRecord]:
        """Every rollout, oldest first."""
        return [_rollout(row) for row in self._db.all(f"SELECT {COLUMNS} FROM rollout ORDER BY rowid")]

    def get(self, uuid: str) -> RolloutRecord:
        """Raises NotThere."""
        row = self._db.one(f"SELECT {COLUMNS} FROM rollout WHERE uuid = ?", (uuid.lower(),))
        if row is None:
            raise NotThere("profile", uuid)
        return _rollout(row)

    def current(self, uuid: str) -> RolloutRecord:
        """As `get`, for the many steps of one rollout: the document is read again only when it has changed."""
        known = self._read.get(uuid)
        row = self._db.one("SELECT revision, updated_at FROM rollout WHERE uuid = ?", (uuid,))
        if known is None or row is None or (known.revision, known.updated_at) != tuple(row):
            self._read.pop(uuid, None)
            known = self._read[uuid] = self.get(uuid)
        return known

    def save(self, uuid: str | None, document: Mapping[str, Any]) -> RolloutRecord:
        """Create (uuid None) or replace whole. Unknown devices in the scope are registered.

        Raises NotThere for an unknown rollout, Refused for an app or image that was not uploaded.
        """
        wishes = read(document)
        self._check(wishes)
        now = self._world.clock.now()
        kept = json.loads(json.dumps(document))
        options = kept.get("profile")
        name = options.get("name") if isinstance(options, dict) else None
        if not isinstance(name, str) or not name:
            name = stamp_name(now)
            kept["profile"] = {**(options if isinstance(options, dict) else {}), "name": name}
        enabled = kept.get("enabled") is not False
        with self._db.transaction():
            if uuid is None:
                uuid = self._world.fresh_uuid()
                self._db.run(
                    f"INSERT INTO rollout ({COLUMNS}) VALUES (?,?,?,?,?,?,?)",
                    (uuid, name, json.dumps(kept), int(enabled), 1, now, now),
                )
            else:
                uuid = self.get(uuid).uuid
                self._db.run(
                    "UPDATE rollout SET name = ?, document = ?, enabled = ?, revision = revision + 1, updated_at = ? "
                    "WHERE uuid = ?",
                    (name, json.dumps(kept), int(enabled), now, uuid),
                )
                self._db.run("DELETE FROM rollout_unit WHERE rollout = ?", (uuid,))
            if not wishes.everyone:
                self._register(wishes)
        saved = self.get(uuid)
        self._world.rollout_agents.planned(saved)
        return saved

    def _check(self, wishes: Wishes) -> None:
        for kind, refs, book in (
            ("app", [app.ref for app in wishes.apps], self._world.packages),
            ("system image", wishes.images, self._world.images),
        ):
            for ref in refs:
                try:
                    book.get(ref)
                except NotThere:
                    raise Refused(f"the {kind} {ref} has not been uploaded") from None

    def _register(self, wishes: Wishes) -> None:
        unknown = [
            entry
            for entry in dict.fromkeys(wishes.devices)
            if entry.strip()
            and self._db.one("SELECT 1 FROM unit WHERE serial = ? OR uuid = ? LIMIT 1", (entry, entry.lower())) is None
        ]
        if unknown:
            self._world.units.save([UnitDraft(entry) for entry in unknown])

    def remove(self, uuid: str) -> None:
        """Forget a rollout and its progress."""
        with self._db.transaction():
            self._db.run("DELETE FROM rollout_unit WHERE rollout = ?", (uuid,))
            self._db.run("DELETE FROM rollout WHERE uuid = ?", (uuid,))

    def wishes(self, rollout: RolloutRecord) -> Wishes:
        """What the document asks for."""
        known = self._wishes.get(rollout.uuid)
        if known is None or known[0] != rollout.revision:
            known = self._wishes[rollout.uuid] = (rollout.revision, read(rollout.document))
        return known[1]

    def scope_clause(self, wishes: Wishes) -> tuple[str, list[Any]]:
        """Which units are in scope, as a condition on `unit`: all, or those directly in a group, and those named."""
        if wishes.everyone:
            return "enabled = 1", []
        listed = json.dumps(wishes.devices)
        low = json.dumps([entry.lower() for entry in wishes.devices])
        return (
            "enabled = 1 AND (group_uuid IN (SELECT value FROM json_each(?)) "
            "OR (serial <> '' AND serial IN (SELECT value FROM json_each(?))) "
            "OR uuid IN (SELECT value FROM json_each(?)))",
            [json.dumps(wishes.groups), listed, low],
        )

    def progress(self, uuid: str) -> list[UnitProgress]:
        """Where each unit in scope stands. Raises NotThere."""
        rollout = self.get(uuid)
        rows = self._db.all(
            "SELECT unit.uuid, serial, state, reason, step, attempts, at FROM rollout_unit JOIN unit USING (u) "
            "WHERE rollout = ? ORDER BY u",
            (rollout.uuid,),
        )
        return [UnitProgress(*row) for row in rows]

    def tally(self, uuid: str) -> dict[str, int]:
        """How many units stand in each state, in one query. Raises NotThere."""
        rollout = self.get(uuid)
        return dict(
            self._db.all("SELECT state, count(*) FROM rollout_unit WHERE rollout = ? GROUP BY state", (rollout.uuid,))
        )

    def unscope(self, rollout: RolloutRecord, entries: set[str]) -> None:
        """Take units (serial numbers and identifiers) out of the scope's list, and the rollout with its last one."""
        scope = rollout.document.get("scope")
        if not isinstance(scope, dict) or not isinstance(scope.get("device"), list):
            return
        self._read.pop(rollout.uuid, None)
        left = [entry for entry in scope["device"] if entry not in entries]
        if len(left) == len(scope["device"]):
            return
        scope["device"] = left
        self._wishes.pop(rollout.uuid, None)
        wishes = read(rollout.document)
        if wishes.remove_if_no_scope and not wishes.everyone and not wishes.groups and not wishes.devices:
            self.remove(rollout.uuid)
            return
        self._db.run(
            "UPDATE rollout SET document = ?, updated_at = ? WHERE uuid = ?",
            (json.dumps(rollout.document), self._world.clock.now(), rollout.uuid),
        )

    def scope_changed(self) -> None:
        """Units came or moved: rollouts look at their scope again."""
        self._world.rollout_agents.look_again()


def _rollout(row: tuple[Any, ...]) -> RolloutRecord:
    return RolloutRecord(row[0], row[1], json.loads(row[2]), bool(row[3]), row[4], row[5], row[6])
