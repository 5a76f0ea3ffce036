"""Reading pages of devices into the mirror: newest first until known, or all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from mdm_tui.fleet.devices import Device, Value
from mdm_tui.fleet.provider import Page

from .context import Context

__all__ = ["Walker"]

# An end for a service that says "there is more" for ever.
MAX_PAGES = 20_000


class Walker:
    """The two ways to read the list of devices.

    progress: told how many devices a walk has read, of how many. between: awaited between two pages of a walk.
    """

    def __init__(
        self,
        context: Context,
        *,
        progress: Callable[[int, int | None], None],
        between: Callable[[], Awaitable[None]],
    ) -> None:
        self.total: int | None = None
        self.pages = 1
        self._context = context
        self._progress = progress
        self._between = between
        # By the value that a look sorts by; only that of the usual one is kept for the next session.
        self._newest: dict[str, float] = {}
        # A look that broke off half-way left a hole between what it read and what was known.
        self._hole = False
        self._walks = 0
        # Looks take turns through what a service can sort by.
        self._looks = 0

    async def recall(self) -> dict[str, Any]:
        """What the mirror knows of the last look: `last_ok`, `total`."""
        mirror, scope = self._context.mirror, self._context.scope
        newest = _number(await mirror.get_meta(scope, "newest"))
        if newest is not None:
            self._newest["updated"] = newest
        total = _number(await mirror.get_meta(scope, "total"))
        self.total = int(total) if total is not None else None
        return {"last_ok": _number(await mirror.get_meta(scope, "last_sync")), "total": self.total}

    async def remember(self) -> None:
        """Write it down for the next session."""
        mirror, scope = self._context.mirror, self._context.scope
        await mirror.set_meta(scope, "last_sync", self._context.clock.now())
        if "updated" in self._newest:
            await mirror.set_meta(scope, "newest", self._newest["updated"])
        if self.total is not None:
            await mirror.set_meta(scope, "total", self.total)

    async def delta(self) -> None:
        """Newest first, until what is already known. One request when nothing changed."""
        by = (await self._context.ensure()).newest_by
        key = by[self._looks % len(by)]
        self._looks += 1
        known = newest = self._newest.get(key)
        for number in range(1, MAX_PAGES + 1):
            page, changed = await self._page(number, by=key)
            moments = [value for device in page.items if isinstance(value := device.values.get(key), (int, float))]
            if moments:
                newest = max(moments) if newest is None else max(newest, *moments)
            if page.total is not None:
                self.total = page.total
            if known is None:
                # Nothing to compare with: the first page shows the liveliest devices, the walk brings the rest.
                break
            if not page.has_next or not page.items or any(moment < known for moment in moments):
                break
            if not changed and not self._hole:
                break
            # Until the end is reached, what lies between is missing.
            self._hole = True
        self._hole = False
        if newest is not None:
            self._newest[key] = newest

    async def walk(self) -> bool:
        """All pages, in an order that no change moves; whether the pages fitted together.

        Only a walk that did counts for removals: a device that slipped between two pages is not gone.
        """
        mirror, scope = self._context.mirror, self._context.scope
        self._walks += 1
        walk = self._walks
        seen: set[str] = set()
        totals: set[int | None] = set()
        number = 0
        while number < MAX_PAGES:
            number += 1
            page, _ = await self._page(number, walk=walk)
            seen.update(device.id for device in page.items)
            totals.add(page.total)
            self._progress(len(seen), page.total)
            if not page.has_next or not page.items:
                break
            await self._between()
        self.pages = number
        total = next(iter(totals))
        if len(totals) > 1 or (total is not None and total != len(seen)):
            return False
        self.total = total if total is not None else len(seen)
        self._context.announce(await mirror.finish_walk(scope, walk))
        return True

    async def _page(self, number: int, *, by: str = "", walk: int | None = None) -> tuple[Page[Device], bool]:
        """One page into the mirror, and whether it changed anything there. by: newest first by this time."""
        context, limit = self._context, self._context.connection.page_size
        # The moment of asking: the mirror leaves out what was read later by itself.
        at = context.clock.now()
        page = await context.call(lambda provider: provider.devices(number, limit, newest_first=bool(by), by=by))
        changes = await context.mirror.apply(context.scope, page.items, at=at, walk=walk)
        context.announce(changes)
        return page, bool(changes.added or changes.changed)


def _number(value: Value) -> float | None:
    return value if isinstance(value, (int, float)) else None
