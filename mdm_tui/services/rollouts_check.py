"""A rollout looked at before it is saved: what is missing, what it will do, and what a person has to type."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from mdm_tui.fleet.catalogue import CatalogueApp, Image
from mdm_tui.fleet.conflicts import Claim, Clash, Wanted, clashes, clashes_inside
from mdm_tui.fleet.errors import FleetError, Problem
from mdm_tui.fleet.groups import Group
from mdm_tui.fleet.matching import Choice, Matcher, Prediction
from mdm_tui.fleet.rollouts import APPLY_ORDER, CHECK_BUILD_DATE, PARTIAL_FIRST, Rollout, RolloutFormat, said, switch
from mdm_tui.fleet.text import clean, normal_serial, search_key

from .context import Context
from .rollouts_scope import MANY, Index

if TYPE_CHECKING:
    from .catalogue import Catalogue

__all__ = ["Checker", "RolloutCheck"]

T = TypeVar("T", CatalogueApp, Image)

# Rollouts compared with one, newest first; more than that is said.
MOST_COMPARED = 300


@dataclass(frozen=True, slots=True)
class RolloutCheck:
    """A rollout's document looked at. apps, images: what it names, by the reference it uses; without what is gone.

    problems: paths are the document's where the format found them, else a neutral name (`name`, `apps`, `images`,
    `groups`, `devices`) and the entry's place from 0.
    """

    rollout: Rollout
    problems: tuple[Problem, ...]
    apps: Mapping[str, CatalogueApp]
    images: Mapping[str, Image]

    @property
    def ok(self) -> bool:
        """Nothing but warnings."""
        return all(problem.warning for problem in self.problems)


class Checker:
    """Checks, predicts and compares the rollouts of one connection."""

    def __init__(self, context: Context, catalogue: Catalogue, form: RolloutFormat) -> None:
        self._context = context
        self._catalogue = catalogue
        self._form = form

    async def check(self, document: Any, rollout_id: str = "", *, fresh: bool = False) -> RolloutCheck:
        """Look at a document. fresh: the catalogue is read anew first, else compared as last seen."""
        if not isinstance(document, Mapping):
            return RolloutCheck(Rollout("", ""), (Problem((), "a rollout is a JSON object"),), {}, {})
        rollout = self._form.read(document)
        problems = list(self._form.check(document))
        await self._name(rollout, rollout_id, problems)
        apps = {ref: app for app in await self._apps(fresh, rollout, problems) for ref in (app.id, *app.refs)}
        images = {ref: image for image in await self._images(fresh, rollout, problems)
                  for ref in (image.id, *image.refs)}  # fmt: skip
        unsure = self._catalogue.notes
        flags = {key for key, _ in self._form.flags}
        for place, app in enumerate(rollout.apps):
            called = self._catalogue.called(app.app_id)
            _there("apps", "app", place, app.app_id, apps.get(app.app_id), problems,
                   called=called, unsure=bool(unsure.get("apps")))  # fmt: skip
            problems.extend(
                Problem(("apps", place, flag), "is no flag that is known here", ", ".join(sorted(flags)), warning=True)
                for flag in app.flags
                if flag not in flags
            )
        for place, ref in enumerate(rollout.images):
            called = self._catalogue.called(ref)
            _there("images", "image", place, ref, images.get(ref), problems,
                   called=called, unsure=bool(unsure.get("images")))  # fmt: skip
        _twice([app.app_id for app in rollout.apps], problems)
        await self._groups(rollout, problems)
        _entries(rollout, problems)
        named = {app.app_id: apps[app.app_id] for app in rollout.apps if app.app_id in apps}
        inside = Claim("", "", frozenset(), wanted(named.values()))
        problems.extend(Problem(("apps",), sentence, warning=True) for sentence in clashes_inside(inside))
        if not rollout.apps and not rollout.images:
            problems.append(Problem(("apps",), "it installs neither apps nor images", warning=True))
        return RolloutCheck(rollout, tuple(problems), named, {r: images[r] for r in rollout.images if r in images})

    async def _name(self, rollout: Rollout, rollout_id: str, problems: list[Problem]) -> None:
        name = search_key(rollout.name).strip()
        if any(not problem.warning and "name" in problem.path for problem in problems):
            return
        if not name:
            what = "give it a name: without one the service makes one of the time of day, which another may have too"
            problems.append(Problem(("name",), what))
            return
        held = await self._context.mirror.items(self._context.scope, Rollout, raw=False)
        same = [other for other in held if other.id != rollout_id and search_key(other.name).strip() == name]
        if same:
            problems.append(Problem(("name",), f"another rollout has this name: {same[0].id}", warning=True))

    async def _apps(self, fresh: bool, rollout: Rollout, problems: list[Problem]) -> list[CatalogueApp]:
        if fresh and rollout.apps:
            try:
                return await self._catalogue.refresh_apps()
            except FleetError as error:
                problems.append(Problem(("apps",), f"compared as last seen: {error.sentence()}", warning=True))
        return await self._catalogue.apps()

    async def _images(self, fresh: bool, rollout: Rollout, problems: list[Problem]) -> list[Image]:
        if fresh and rollout.images:
            try:
                return await self._catalogue.refresh_images()
            except FleetError as error:
                problems.append(Problem(("images",), f"compared as last seen: {error.sentence()}", warning=True))
        return await self._catalogue.images()

    async def _groups(self, rollout: Rollout, problems: list[Problem]) -> None:
        known = {group.id for group in await self._context.mirror.items(self._context.scope, Group, raw=False)}
        problems.extend(
            Problem(("groups", place), f"the group {group} is not at the service: it reaches nobody", warning=True)
            for place, group in enumerate(rollout.groups)
            if group not in known
        )

    # predictions
    async def predict(self, check: RolloutCheck, devices: Iterable[str], index: Index) -> Prediction:
        """Which image each of these devices will get."""
        wanted_ones = {device: index.hardware[device]._asdict() for device in devices if device in index.hardware}
        matcher = await self._matcher(check.rollout, check.images)
        if len(wanted_ones) > MANY:
            return await asyncio.to_thread(matcher.predict, wanted_ones)
        return matcher.predict(wanted_ones)

    async def _matcher(self, rollout: Rollout, images: Mapping[str, Image]) -> Matcher:
        return matcher(rollout, images, await self._catalogue.images())

    async def conflicts(
        self, check: RolloutCheck, rollout_id: str, devices: frozenset[str], index: Index
    ) -> tuple[list[Clash], str]:
        """Where other enabled rollouts want something else of these devices, as last seen; and what was left out."""
        rollouts = await self._context.mirror.items(self._context.scope, Rollout, raw=False)
        others = [one for one in rollouts if one.id != rollout_id and one.enabled is not False and not one.unreadable]
        others.sort(key=lambda one: one.updated_at or 0.0, reverse=True)
        apps = {ref: app for app in await self._catalogue.apps() for ref in (app.id, *app.refs)}
        catalogue = await self._catalogue.images()
        images = {ref: image for image in catalogue for ref in (image.id, *image.refs)}

        def compare() -> list[Clash]:
            mine = _claim(check.rollout, rollout_id, devices, apps, images, catalogue, index, devices)
            theirs = (
                _claim(one, one.id, reach, apps, images, catalogue, index, reach & devices)
                for one in others[:MOST_COMPARED]
                if (reach := index.reach(one)) & devices
            )
            return clashes(mine, theirs, index.names)

        found = await asyncio.to_thread(compare) if len(devices) > MANY else compare()
        left = len(others) - MOST_COMPARED
        return found, f"{left:,} older rollouts were not compared" if left > 0 else ""


def matcher(rollout: Rollout, images: Mapping[str, Image], known: Sequence[Image]) -> Matcher:
    """Predicts for a rollout. images: those it may name, by reference; known: the whole catalogue."""
    return Matcher(
        [images[ref] for ref in rollout.images if ref in images],
        known,
        refuse_older=switch(rollout.options, CHECK_BUILD_DATE),
        partial_first=switch(rollout.options, PARTIAL_FIRST),
    )


def wanted(apps: Iterable[CatalogueApp]) -> dict[str, list[Wanted]]:
    """Package → what of it is wanted."""
    found: dict[str, list[Wanted]] = {}
    for app in apps:
        if app.package:
            found.setdefault(app.package, []).append(Wanted(app.id, app.version, app.version_code))
    return found


def _claim(
    rollout: Rollout,
    rollout_id: str,
    devices: frozenset[str],
    apps: Mapping[str, CatalogueApp],
    images: Mapping[str, Image],
    catalogue: Sequence[Image],
    index: Index,
    matched: Iterable[str],
) -> Claim:
    choices: dict[str, Choice] = {}
    if rollout.images:
        choose = matcher(rollout, images, catalogue).choose
        choices = {device: choose(index.hardware[device]) for device in matched if device in index.hardware}
    order = said(rollout.options, APPLY_ORDER)
    return Claim(
        rollout_id,
        rollout.name,
        devices,
        wanted(apps[app.app_id] for app in rollout.apps if app.app_id in apps),
        choices,
        order if isinstance(order, str) else "",
    )


def _there(
    key: str, what: str, place: int, ref: str, found: CatalogueApp | Image | None, problems: list[Problem],
    *, called: str, unsure: bool,
) -> None:  # fmt: skip
    """called: its name when it was there last, "" where that is not known.
    unsure: the catalogue may not have been read whole, so what is missing there may exist."""
    if found is None:
        named = f"the {what} {clean(called, 80)} ({ref}) is not at the service any more"
        said = named if called else f"the {what} {ref} is not at the service"
        problems.append(Problem((key, place), said, warning=unsure))
    elif found.enabled is False:
        problems.append(Problem((key, place), f"the {what} {found.name or ref} is disabled", warning=True))


def _twice(refs: Sequence[str], problems: list[Problem]) -> None:
    seen: set[str] = set()
    for place, ref in enumerate(refs):
        if ref in seen:
            problems.append(Problem(("apps", place), f"{ref} is in it twice", warning=True))
        seen.add(ref)


def _entries(rollout: Rollout, problems: list[Problem]) -> None:
    if rollout.everyone:
        if rollout.groups or rollout.devices:
            problems.append(Problem(("everyone",), "it reaches everyone: its scope is ignored", warning=True))
        return
    seen: dict[str, str] = {}
    for place, entry in enumerate(rollout.devices):
        key = normal_serial(entry)
        if not key and entry.strip():
            what = f"{clean(entry, 40)} is a placeholder and no serial number: it may mean many devices, or a new one"
            problems.append(Problem(("devices", place), what, warning=True))
        other = seen.setdefault(key, entry) if key else entry
        if other != entry:
            problems.append(Problem(("devices", place), f"is the same serial number as {other}", warning=True))
