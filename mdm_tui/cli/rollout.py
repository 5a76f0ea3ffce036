"""`mdm-tui rollouts NAME-or-ID`: one rollout, whom it reaches, what is in its way, and how far it is."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import textwrap
import time
from argparse import Namespace
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mdm_tui.fleet.catalogue import CatalogueApp, Image
from mdm_tui.fleet.errors import FleetError, Kind, Problem
from mdm_tui.fleet.groups import Group, GroupTree
from mdm_tui.fleet.rollout_words import schedule, waiting
from mdm_tui.fleet.rollouts import Rollout
from mdm_tui.fleet.text import clean, search_key
from mdm_tui.fleet.values import show

from . import codes, output, work
from .rollouts import SCHEDULE, known, options_in

if TYPE_CHECKING:
    from mdm_tui.services.rollouts import RolloutPlan
    from mdm_tui.services.rollouts_words import Count, Progress
    from mdm_tui.services.session import Session

__all__ = ["run"]

_NAMED = 20
# Lists of apps that are read for its progress, one call each.
_MOST_LISTS = 40
_WIDTH = 100


@dataclass(frozen=True, slots=True)
class _Section:
    """A heading with pairs below it, or with sentences (the pair's name is "")."""

    title: str
    lines: list[tuple[str, str]]


def run(arguments: Namespace, env: Mapping[str, str]) -> int:
    """Print one rollout; the exit code."""
    return asyncio.run(_print(arguments, env))


async def _print(arguments: Namespace, env: Mapping[str, str]) -> int:
    fresh = arguments.refresh
    async with work.session(arguments, env) as session:
        found, at = await known(session, refresh=fresh)
        rollout = _find(found, arguments.rollout, fresh=fresh)
        if arguments.format == "json":
            # The service's own text: what this console does not know is in it.
            sys.stdout.write(f"{output.json_text(json.loads(rollout.raw))}\n")
            sys.stdout.flush()
        else:
            await _learn(session, fresh=fresh)
            sections = [await _summary(session, rollout)]
            if not rollout.unreadable:
                names = await _names(session)
                sections += await _outlook(session, rollout, names, fresh=fresh)
            _write([section for section in sections if section.lines], rollout.name, arguments.format)
        hint = "" if fresh else "; --refresh asks the service"
        print(f"{session.connection.name}, {work.said_age(at, time.time())}{hint}.", file=sys.stderr)
    return codes.DONE


async def _outlook(session: Session, rollout: Rollout, names: Mapping[str, str], *, fresh: bool) -> list[_Section]:
    """What it does and how far it is: as last seen, or asked of the service."""
    rollouts, progress = session.rollouts, None
    if fresh:
        # The same text on both sides: nothing is going to be saved.
        text = (await rollouts.open(rollout.id)).base
        plan = await rollouts.plan(rollout.id, text, text)
        progress = await rollouts.progress(rollout.id, most=_MOST_LISTS)
    else:
        plan = await rollouts.outlook(rollout)
    sentences, going = list(plan.sentences), await _progress(session, plan, progress)
    unread = sum(bool(group.unread) for group in plan.reach.groups)
    if not fresh and unread:
        # What is counted now would be said of the rollout, and is only what happens to be known here.
        if not plan.reach.count:
            del sentences[0]
        which = f"its {unread:,} groups" if unread > 1 else "its group"
        if unread < len(plan.reach.groups):
            which = f"{unread:,} of its {len(plan.reach.groups):,} groups"
        sentences.insert(0, f"Not all members of {which} are read yet; --refresh asks the service.")
        if not going:
            going = [("", "Not known before the members are read; --refresh asks the service.")]
    if going and rollout.enabled is not None:
        going.append(("", f"{waiting(rollout)}."))
    return [
        _Section("Reach", [("", sentence) for sentence in sentences]),
        _Section("Problems", _capped([(_place(one, rollout, names), one.message) for one in plan.problems])),
        _Section("Progress", going),
    ]


def _place(problem: Problem, rollout: Rollout, names: Mapping[str, str]) -> str:
    """Where a problem is: the thing that is named there, else the place in the document."""
    ids = {
        "groups": ("Group", rollout.groups), "devices": ("Device", rollout.devices),
        "images": ("Image", rollout.images), "apps": ("App", [app.app_id for app in rollout.apps]),
    }  # fmt: skip
    path = problem.path
    if len(path) >= 2 and path[0] in ids and isinstance(path[1], int):
        what, refs = ids[str(path[0])]
        if path[1] < len(refs):
            return f"{what} {clean(names.get(refs[path[1]], refs[path[1]]), 80)}"
    return problem.pointer


def _find(found: list[Rollout], text: str, *, fresh: bool) -> Rollout:
    """The rollout that a person means: by id, by name, else by the beginning of either. Raises `CliError`."""
    wanted = search_key(text).strip()
    fits = (
        lambda one: one.id == text,
        lambda one: search_key(one.name).strip() == wanted,
        lambda one: one.id.startswith(text) or search_key(one.name).startswith(wanted),
    )
    some = next((some for fit in fits if (some := [one for one in found if fit(one)])), [])
    if not some:
        hint = "" if fresh else " --refresh asks the service first."
        raise codes.CliError(f"No rollout has the id or name {text!r}.{hint}")
    if len(some) > 1:
        named = ", ".join(f"{one.name} ({one.id})" for one in some[:5])
        raise codes.CliError(f"{text!r} fits {len(some)} rollouts: {named}.", codes.USAGE)
    return some[0]


async def _learn(session: Session, *, fresh: bool) -> None:
    """Read what a rollout is understood by, where it is asked for or was never read."""
    if fresh or session.sync.state.last_ok is None:
        await work.fetch(session)
    for kind, read in (
        (Group, session.groups.refresh),
        (CatalogueApp, session.catalogue.refresh_apps),
        (Image, session.catalogue.refresh_images),
    ):
        if fresh or await session.mirror.listed_at(session.scope, kind) is None:
            try:
                await read()
            except FleetError as error:
                if error.kind not in (Kind.UNSUPPORTED, Kind.FORBIDDEN, Kind.NOT_FOUND):
                    raise
                # One list that is not to be had leaves the rest readable.
                work.warn(error)


async def _summary(session: Session, rollout: Rollout) -> _Section:
    tree: GroupTree = await session.groups.tree()
    apps = {ref: app for app in await session.catalogue.apps() for ref in (app.id, *app.refs)}
    images = {ref: image for image in await session.catalogue.images() for ref in (image.id, *image.refs)}
    titles = dict(session.rollouts.form.flags)

    def app_text(ref: str, flags: Mapping[str, bool]) -> str:
        app = apps.get(ref)
        on = [titles.get(key, clean(key, 40)) for key, value in flags.items() if value]
        name = f"{app.name or app.package or ref} ({app.package} {app.version})" if app is not None else f"{ref} (gone)"
        return f"{name}: {', '.join(on)}" if on else name

    lines = [
        ("Id", rollout.id),
        ("Enabled", show(rollout.enabled, "bool")),
        ("Everyone", "yes: its scope is ignored" if rollout.everyone else "no"),
        *_listed("Group", (tree.path_text(key) if key in tree else f"{key} (gone)" for key in rollout.groups)),
        *_listed("Device", rollout.devices),
        *_listed("App", (app_text(app.app_id, app.flags) for app in rollout.apps)),
        *_listed("Image", (images[ref].name or ref if ref in images else f"{ref} (gone)" for ref in rollout.images)),
    ]
    form = session.rollouts.form
    for section in dict.fromkeys(option.section for option in form.options):
        lines += [(SCHEDULE, schedule(rollout))] if section == SCHEDULE else options_in(rollout, form, section)
    lines += [
        ("Written by", rollout.writer),
        ("Created", show(rollout.created_at, "time")),
        ("Updated", show(rollout.updated_at, "time")),
        ("Unreadable", rollout.unreadable),
    ]
    return _Section("", [(name, clean(value)) for name, value in lines if value])


async def _names(session: Session) -> dict[str, str]:
    """What apps and images are called, by each of their references."""
    found = {ref: app.name or app.package for app in await session.catalogue.apps() for ref in (app.id, *app.refs)}
    found |= {ref: one.name for one in await session.catalogue.images() for ref in (one.id, *one.refs)}
    return {key: name for key, name in found.items() if name}


def _listed(name: str, texts: Iterable[str]) -> list[tuple[str, str]]:
    """Each on a line of its own, as many as anybody reads."""
    return _capped([(name, clean(text)) for text in texts], name)


def _capped(lines: list[tuple[str, str]], name: str = "") -> list[tuple[str, str]]:
    return lines if len(lines) <= _NAMED else [*lines[:_NAMED], (name, f"and {len(lines) - _NAMED:,} more")]


async def _progress(session: Session, plan: RolloutPlan, progress: Progress | None) -> list[tuple[str, str]]:
    if progress is None:
        from mdm_tui.services.rollouts_progress import image_state
        from mdm_tui.services.rollouts_words import counted

        prediction = plan.prediction
        if not any(kin.choice.images or kin.choice.left for kin in prediction.kin):
            return []
        return [("Images", _counted(counted([image_state(choice) for choice in prediction.by_device.values()])))]
    apps = {ref: app for app in await session.catalogue.apps() for ref in (app.id, *app.refs)}
    lines = [
        (f"{apps[ref].name or ref}" if ref in apps else ref, _counted(count)) for ref, count in progress.apps.items()
    ]
    if progress.images is not None:
        lines.append(("Images", _counted(progress.images)))
    if progress.apps and progress.asked < len(progress.devices):
        asked = f"the apps of {progress.asked:,} of {len(progress.devices):,} devices were read, the others are unknown"
        lines.append(("", f"{asked[0].upper()}{asked[1:]}."))
    lines += [("", note) for note in progress.notes if note not in plan.reach.notes]
    return [(clean(name, 80), text) for name, text in lines]


def _counted(count: Count) -> str:
    found = [(word, getattr(count, word)) for word in ("done", "waiting", "unfit", "unknown")]
    return ", ".join(f"{number:,} {word}" for word, number in found if number) or "no device"


def _write(sections: list[_Section], name: str, form: str) -> None:
    out: list[str] = []
    if form == "md":
        plain = str.maketrans({char: f"\\{char}" for char in "\\`*_[]<>|#~"})
        for section in sections:
            out.append(f"{'##' if section.title else '#'} {section.title or name.translate(plain)}\n")
            out += [f"- {f'{key}: ' if key else ''}{text}".translate(plain) for key, text in section.lines]
            out.append("")
    else:
        width = min(_WIDTH, shutil.get_terminal_size().columns) if sys.stdout.isatty() else _WIDTH
        for section in sections:
            out.append(section.title or name)
            size = max((output.cell_width(key) for key, _ in section.lines), default=0)
            for key, text in section.lines:
                blank = " " * (size - output.cell_width(key) + 2 if size else 0)
                head = f"  {key}{blank}"
                out += textwrap.wrap(
                    text, width, initial_indent=head, subsequent_indent=" " * (size + 4 if size else 2)
                )
            out.append("")
    sys.stdout.write("\n".join(out).rstrip("\n") + "\n")
    sys.stdout.flush()
