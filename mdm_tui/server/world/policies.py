"""Policies: reading, writing, and which one a device obeys."""

from __future__ import annotations

import json
from typing import Any

from .chance import object_id
from .clock import Clock
from .database import Database
from .errors import InUse, NotThere
from .records import Device, Policy


class PolicyBook:
    """All policies, kept in memory beside their table (a fleet has tens of them)."""

    def __init__(self, database: Database, clock: Clock, seed: int) -> None:
        self._db = database
        self._clock = clock
        self._seed = seed
        self.all: dict[str, Policy] = {
            row[0]: Policy(row[0], row[1], row[2], bool(row[3]), row[4], json.loads(row[5]), row[6], row[7])
            for row in database.all(
                "SELECT id, name, segment_id, expose, version, body, created_at, updated_at FROM policy ORDER BY id"
            )
        }

    def get(self, policy_id: str) -> Policy:
        """Raises NotThere."""
        policy = self.all.get(policy_id.lower())
        if policy is None:
            raise NotThere("policy", policy_id)
        return policy

    def create(self, name: str, segment_id: int, expose: bool, body: dict[str, Any]) -> Policy:
        """A new policy, version 1."""
        now = self._clock.now()
        number = int(self._db.meta("policies") or 0) + 1
        policy = Policy(object_id(now, 3, number, self._seed), name, segment_id, expose, 1, body, now, now)
        with self._db.transaction():
            self._db.set_meta("policies", str(number))
            self._write(policy)
        self.all[policy.id] = policy
        return policy

    def update(self, policy: Policy, changes: dict[str, Any], **columns: Any) -> Policy:
        """Replace the parts named. Every update is a new version."""
        changed = Policy(
            policy.id,
            columns.get("name", policy.name),
            columns.get("segment_id", policy.segment_id),
            columns.get("expose", policy.expose),
            policy.version + 1,
            {**policy.body, **changes},
            policy.created_at,
            self._clock.now(),
        )
        with self._db.transaction():
            self._write(changed)
        self.all[policy.id] = changed
        return changed

    def delete(self, policy: Policy) -> None:
        """Raises InUse while a device that has not left names the policy, directly or among its assignments."""
        count = self._db.one(
            "SELECT count(*) FROM device WHERE state <> 'gone' AND (policy_id = ? OR effective_id = ? OR "
            "(assignments <> '[]' AND EXISTS "
            "(SELECT 1 FROM json_each(assignments) WHERE json_extract(value, '$[0]') = ?)))",
            (policy.id, policy.id, policy.id),
        )[0]
        if count:
            raise InUse(count)
        with self._db.transaction():
            self._db.run("DELETE FROM policy WHERE id = ?", (policy.id,))
        del self.all[policy.id]

    def _write(self, policy: Policy) -> None:
        self._db.run(
            "INSERT INTO policy VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET name=excluded.name, "
            "segment_id=excluded.segment_id, expose=excluded.expose, version=excluded.version, "
            "body=excluded.body, updated_at=excluded.updated_at",
            (
                policy.id,
                policy.name,
                policy.segment_id,
                int(policy.expose),
                policy.version,
                json.dumps(policy.body),
                policy.created_at,
                policy.updated_at,
            ),
        )

    def effective(self, policy_id: str | None, assignments: list[list[Any]]) -> str | None:
        """Which policy a device obeys: the one assigned directly, else the assignment with the lowest number."""
        if policy_id:
            return policy_id
        if assignments:
            return min(assignments, key=lambda pair: pair[1])[0]
        return None

    def is_applied(self, device: Device) -> bool:
        """Whether the device last applied exactly what it should obey now."""
        policy = self.all.get(device.effective_id or "")
        return (
            policy is not None
            and device.applied_id == policy.id
            and device.applied_version == policy.version
            and device.applied_error is None
        )
