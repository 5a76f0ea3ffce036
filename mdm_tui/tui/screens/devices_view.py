"""What a person asked the list to show: words, sorting, faults, marks; and when its order may settle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mdm_tui.fleet.fields import COLUMNS
from mdm_tui.tui.widgets.lines import Part, part

if TYPE_CHECKING:
    from mdm_tui.store.mirror import View

__all__ = ["REST", "Asked", "Settling", "count_parts", "sorted_with", "target_ids"]

REST = 3.0  # seconds without a key before order and members settle

Sort = tuple[tuple[str, bool], ...]


@dataclass
class Asked:
    """What the list shows. sort: registry columns with descending or not; columns: what is shown, in order.

    group: only devices directly in these groups, () for all; place: what to call them.
    """

    words: str = ""
    sort: Sort = (("name", False),)
    faults_only: bool = False
    marked_only: bool = False
    columns: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    place: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether it may leave devices out."""
        return bool(self.words.strip() or self.faults_only or self.marked_only)

    def clear(self) -> None:
        """Leave none of them out any more."""
        self.words, self.faults_only, self.marked_only = "", False, False

    def view(self, scope: str, now: float, marks: Iterable[str], segment: tuple[int, ...] = ()) -> View:
        """The mirror's view of it, within these segments."""
        from mdm_tui.store.mirror import View

        return View(
            scope,
            words=tuple(self.words.split()),
            sort=self.sort,
            faults_only=self.faults_only,
            now=now,
            segment=segment,
            group=self.group,
            only=tuple(marks) if self.marked_only else None,
        )

    def parts(self, frozen: bool) -> list[Part]:
        """The left side of the filter line."""
        said: list[Part] = [part(" / ", "accent")]
        said.append(part(self.words.strip(), "text") if self.words.strip() else part("filter", "muted"))
        if self.place:
            below = f" and {len(self.group) - 1:,} below" if len(self.group) > 1 else ""
            said.append(part(f"   in {self.place}{below}", "info"))
        for on, word in ((self.faults_only, "faults only"), (self.marked_only, "only marked"), (frozen, "frozen")):
            if on:
                said.append(part(f"   {word}", "info"))
        if self.sort != (("name", False),):
            names = [f"{COLUMNS[key].title.lower()}{' down' if down else ''}" for key, down in self.sort]
            said.append(part(f"   by {', then '.join(names)}", "muted"))
        return said

    def nothing(self) -> str:
        """What an empty list says when it is the asking that left everything out."""
        if self.words.strip():
            return f"No device has all of: {self.words.strip()}\nesc clears the filter."
        if self.marked_only:
            return "No device is marked.\nm shows all of them again."
        return "No device has a fault.\nf shows all of them again."


def sorted_with(sort: Sort, key: str, *, add: bool) -> Sort:
    """The sorting after a column was chosen: the same one again turns round, `add` keeps those before it."""
    now = dict(sort)
    if add:
        now[key] = not now[key] if key in now else False
        return tuple(now.items())
    return ((key, not now[key] if sort[0][0] == key else False),)


@dataclass
class Settling:
    """When order and membership may change under a person's eyes: never at once, never under marks or freeze."""

    late: bool = False
    frozen: bool = False
    last_key: float = field(default=float("-inf"))

    def due(self, now: float, marks: int) -> bool:
        """Whether it is time to read the order again."""
        return self.late and not self.frozen and not marks and now - self.last_key >= REST


def count_parts(
    matching: int,
    total: int | None,
    narrowed: bool,
    marked: int,
    outside: int,
    position: tuple[int, int, int],
    late: bool,
) -> list[Part]:
    """The right side of the filter line: `37 of 12,480 · 3 marked, 1 outside · 1-30`."""
    said: list[Part] = []
    if narrowed and total is not None:
        said.append(part(f"{matching:,} of {total:,}", "text"))
    else:
        said.append(part(f"{matching:,}", "muted"))
    if marked:
        said.append(part(" · ", "muted"))
        said.append(part(f"{marked:,} marked" + (f", {outside:,} outside" if outside else ""), "marked"))
    if late:
        said.append(part(" · order waits", "muted"))
    first, last, _count = position
    said.append(part(f" · {first:,}-{last:,} " if last else " ", "muted"))
    return said


def target_ids(marks: Sequence[str], cursor: str | None) -> list[str]:
    """The marks if there are any, else the device under the cursor."""
    return list(marks) if marks else [cursor] if cursor is not None else []
