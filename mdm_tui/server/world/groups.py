"""Groups of units: a tree, kept as rows that name their parent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import NotThere, Refused

if TYPE_CHECKING:
    from .world import World

COLUMNS = "uuid, parent, name, enabled, created_at, updated_at"


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """One group. parent: None at the top; it may name a group that is not there. Times: milliseconds."""

    uuid: str
    parent: str | None
    name: str
    enabled: bool
    created_at: int
    updated_at: int


class GroupBook:
    """The table of groups."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._db = world.database

    def all(self) -> list[GroupRecord]:
        """Every group, oldest first."""
        return [_group(row) for row in self._db.all(f"SELECT {COLUMNS} FROM unit_group ORDER BY rowid")]

    def get(self, uuid: str) -> GroupRecord:
        """Raises NotThere."""
        row = self._db.one(f"SELECT {COLUMNS} FROM unit_group WHERE uuid = ?", (uuid.lower(),))
        if row is None:
            raise NotThere("group", uuid)
        return _group(row)

    def counts(self) -> dict[str, int]:
        """Units directly in each group that has any, in one query."""
        return dict(
            self._db.all("SELECT group_uuid, count(*) FROM unit WHERE group_uuid IS NOT NULL GROUP BY group_uuid")
        )

    def count(self, uuid: str) -> int:
        """Units directly in one group."""
        return self._db.one("SELECT count(*) FROM unit WHERE group_uuid = ?", (uuid.lower(),))[0]

    def save(self, uuid: str | None, name: str, parent: str | None, enabled: bool = True) -> GroupRecord:
        """Create (uuid None), rename or move. parent None puts it at the top.

        Raises NotThere for an unknown group or parent, Refused for an empty name or a place below itself.
        """
        parent = parent.lower() if parent else None
        if not name.strip():
            raise Refused("a group needs a name")
        now = self._world.clock.now()
        with self._db.transaction():
            # A group that stays where it is may be renamed even where what is above it has gone.
            old = self.get(uuid) if uuid is not None else None
            if parent is not None and (old is None or parent != old.parent):
                self.get(parent)
            if old is None:
                uuid = self._world.fresh_uuid()
                self._db.run(
                    f"INSERT INTO unit_group ({COLUMNS}) VALUES (?,?,?,?,?,?)",
                    (uuid, parent, name, int(enabled), now, now),
                )
                return self.get(uuid)
            if parent != old.parent and parent is not None and old.uuid in self._above(parent):
                raise Refused("a group cannot be moved into itself or into one of its own groups")
            self._db.run(
                "UPDATE unit_group SET name = ?, parent = ?, enabled = ?, updated_at = ? WHERE uuid = ?",
                (name, parent, int(enabled), now, old.uuid),
            )
        return self.get(old.uuid)

    def delete(self, uuid: str) -> None:
        """Raises NotThere, or Refused while groups or units are in it."""
        group = self.get(uuid)
        children = self._db.one("SELECT count(*) FROM unit_group WHERE parent = ?", (group.uuid,))[0]
        if children:
            raise Refused(f"the group has {children} groups in it")
        if units := self.count(group.uuid):
            raise Refused(f"the group has {units} devices in it")
        self._db.run("DELETE FROM unit_group WHERE uuid = ?", (group.uuid,))

    def _above(self, uuid: str) -> set[str]:
        """The group and everything above it; ends also where the tree has a cycle."""
        parents: dict[str, str | None] = dict(self._db.all("SELECT uuid, parent FROM unit_group"))
        found: set[str] = set()
        at: str | None = uuid
        while at is not None and at not in found:
            found.add(at)
            at = parents.get(at)
        return found


def _group(row: tuple[Any, ...]) -> GroupRecord:
    return GroupRecord(row[0], row[1], row[2], bool(row[3]), row[4], row[5])
