"""Which devices have a policy, as far as they are known here."""

from __future__ import annotations

from typing import Any

__all__ = ["devices_with"]

_AT_ONCE = 500


async def devices_with(session: Any, policy_id: str) -> list[Any]:
    """Rows of the devices to which the policy is assigned directly, by name. Reads the mirror in pieces."""
    from mdm_tui.store.mirror import View

    try:
        ids = await session.mirror.ids(View(session.scope, sort=(("policyid", False), ("name", False))))
    except Exception as error:
        from mdm_tui.store.threads import Interrupted

        if isinstance(error, Interrupted):
            return []
        raise
    found: list[Any] = []
    for start in range(0, len(ids), _AT_ONCE):
        rows = await session.mirror.rows(session.scope, ids[start : start + _AT_ONCE])
        mine = [row for row in rows.values() if row.values.get("policyid") == policy_id]
        found.extend(mine)
        if found and not mine:
            # Sorted by the policy: what comes after has another one.
            break
    return sorted(found, key=lambda row: str(row.values.get("name") or ""))
