"""`mdm-tui devices register --csv FILE`: checked, printed, confirmed by number, sent once, with an outcome per row."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mdm_tui.fleet.catalogue import LicenseModel
from mdm_tui.fleet.commands import State
from mdm_tui.fleet.devices import Value
from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.fleet.groups import GroupTree
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.registration import Reading
from mdm_tui.fleet.text import clean, normal_serial, search_key

from . import codes, groups, work
from .listing import PEOPLE
from .register_out import (
    OPEN,
    OUTCOME,
    REGISTER,
    before_sending,
    code_of,
    counted,
    counted_out,
    counts,
    told,
    write_rows,
)

if TYPE_CHECKING:
    from mdm_tui.services.registration import RegistrationPlan, Row
    from mdm_tui.services.session import Session

__all__ = ["run"]

_MOST_BYTES = 16_000_000
# An answer that was lost is looked for at the service; after so many seconds it is left to the next console.
_PATIENCE = 180.0
_ARMED = 60
# Seconds for the device that is on its way when somebody stops the run.
_LAST = 10.0


def run(arguments: Namespace, env: Mapping[str, str]) -> int:
    """Check, print, and with the right numbers send; the exit code."""
    return asyncio.run(_run(arguments, env, _text(arguments.csv)))


def _text(name: str) -> str:
    """The file's text, or stdin's for `-`. Raises `CliError`."""
    try:
        if name == "-":
            if sys.stdin is None:
                raise codes.CliError("--csv: standard input is closed.")
            data = sys.stdin.buffer.read(_MOST_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise codes.CliError(f"--csv: {name} cannot be read: {error.strerror or error}.") from None
    if len(data) > _MOST_BYTES:
        raise codes.CliError(f"--csv: {name} is larger than {_MOST_BYTES // 1_000_000} MB: split it.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise codes.CliError(f"--csv: {name} is not UTF-8 text, first in line {line}.") from None


async def _run(arguments: Namespace, env: Mapping[str, str], text: str) -> int:
    async with work.session(arguments, env) as session:
        work.need(session, Capability.DEVICE_REGISTER, "registering of devices")
        sending = arguments.confirm is not None or arguments.confirm_reset is not None
        if sending:
            _may_send(session, arguments)
            await session.open_files()
            session.context.need_journal()
        tree = await _tree(session)
        group_id = groups.find(tree, arguments.group, "--group").id if arguments.group is not None else ""
        model = await _model(session, arguments.license) if arguments.license is not None else None
        reading = await session.registration.read(text, group_id)
        _say_reading(reading)
        rows = await session.registration.check(reading.lines, counted("Checking"))
        counted_out()
        return await _Registration(session, arguments, rows, tree, model).go(sending=sending)


def _may_send(session: Session, arguments: Namespace) -> None:
    if arguments.arm is not None:
        session.arming.arm(arguments.arm, _ARMED)
    if session.arming.locked and not session.connection.read_only:
        name = session.connection.name
        raise codes.CliError(f"Nothing was sent: {session.arming.why()}. Add --arm {name} to unlock it for this run.")
    session.arming.need()


async def _tree(session: Session) -> GroupTree:
    """The groups as they are now: rows may name them."""
    if not session.can(Capability.GROUPS):
        return GroupTree.build(())
    try:
        return await session.groups.refresh()
    except FleetError as error:
        if error.kind not in (Kind.UNSUPPORTED, Kind.FORBIDDEN):
            raise
        work.warn(error, "the groups could not be read: ")
        return await session.groups.tree()


async def _model(session: Session, text: str) -> LicenseModel:
    """The license model of that id or name. Raises `CliError`."""
    found = await session.registration.license_models()
    wanted = search_key(text).strip()
    fits = [model for model in found if model.id == text] or [
        model for model in found if search_key(model.name).strip() == wanted
    ]
    if len(fits) == 1:
        return fits[0]
    known = ", ".join(f"{model.name} ({model.id})" for model in found[:20]) or "none"
    if fits:
        raise codes.CliError(f"--license: {text!r} names {len(fits)} license models: give an id. There are {known}.")
    raise codes.CliError(f"--license: there is no license model {text!r}; there are {known}.", codes.USAGE)


def _say_reading(reading: Reading) -> None:
    if reading.problem:
        raise codes.CliError(f"--csv: {reading.problem}.")
    if reading.notes:
        print(f"{'; '.join(clean(note, 400) for note in reading.notes)}.", file=sys.stderr)


class _Registration:
    """One command line's registration: what is new, and what is named to be reset."""

    def __init__(
        self,
        session: Session,
        arguments: Namespace,
        rows: Sequence[Row],
        tree: GroupTree,
        model: LicenseModel | None,
    ) -> None:
        self._session = session
        self._arguments = arguments
        self._rows = rows
        self._tree = tree
        self._model = model
        self._again: list[str] = list(arguments.reset or ())

    async def go(self, *, sending: bool) -> int:
        """Print the preview; send when the numbers are right."""
        form = self._arguments.format
        plans = [await self._plan(()), *([await self._resetting()] if self._again else [])]
        shown = self._preview(plans)
        if form in PEOPLE or not sending:
            write_rows(shown, REGISTER.chosen(None if form in PEOPLE else before_sending(), form), form)
        self._say_plans(plans)
        whole = all(row["will"] != "not sent" for row in shown)
        if not sending:
            return self._not_sent(plans, whole=whole)
        self._confirm(plans)
        if not any(plan.will for plan in plans):
            if form not in PEOPLE:
                write_rows(shown, REGISTER.chosen(before_sending(), form), form)
            return self._not_sent(plans, whole=whole)
        outcomes = await self._send(plans)
        for row in shown:
            if row["will"] in ("register", "reset"):
                row |= outcomes[normal_serial(str(row["serial"]))]
        if form in PEOPLE:
            print(flush=True)
            sent = [row for row in shown if row.get("outcome")]
            write_rows(sent, REGISTER.chosen(OUTCOME, form), form)
        else:
            write_rows(shown, REGISTER.chosen(None, form), form)
        code = code_of([State(str(row["outcome"])) for row in shown if row.get("outcome")])
        return code or (codes.DONE if whole else codes.SOME_FAILED)

    async def _resetting(self) -> RegistrationPlan:
        try:
            return await self._plan(self._again)
        except FleetError as error:
            if error.kind is not Kind.INVALID:
                raise
            raise codes.CliError(f"--reset: {error.what}.", codes.USAGE) from None

    async def _plan(self, again: Sequence[str]) -> RegistrationPlan:
        renew = {"yes": True, "no": False, None: None}[self._arguments.auto_renew]
        return await self._session.registration.plan(self._rows, model=self._model, auto_renew=renew, again=again)

    def _preview(self, plans: Sequence[RegistrationPlan]) -> list[dict[str, Value]]:
        # By the whole row: one line of a text may hold several.
        sent = {row.line: "reset" if plan.again else "register" for plan in plans for row in plan.will}
        why = {left.line: left.why for left in plans[0].left_out}
        found: list[dict[str, Value]] = []
        for row in self._rows:
            line, device = row.line, row.line.device
            will = sent.get(line) or ("left alone" if row.state == "exists" else "not sent")
            group = self._tree.path_text(device.group_id) if device.group_id in self._tree else line.group
            found.append(
                {
                    "line": line.number,
                    "serial": device.serial,
                    "manufacturer": device.manufacturer or None,
                    "brand": device.brand or None,
                    "model": device.model or None,
                    "group": group or None,
                    "will": will,
                    "why": None if line in sent else why.get(line),
                }
            )
        return found

    def _say_plans(self, plans: Sequence[RegistrationPlan]) -> None:
        new, again = len(plans[0].will), len(plans[1].will) if self._again else 0
        exist = sum(row.state == "exists" for row in self._rows) - again
        bad = len(self._rows) - new - again - exist
        parts = [f"{new:,} to be registered"]
        parts += [f"{again:,} to be reset"] if again else []
        parts += [f"{exist:,} left alone, because the service has them"] if exist else []
        parts += [f"{bad:,} that cannot be sent"] if bad else []
        said = [f"{', '.join(parts)}."]
        if new or again:
            said.append(plans[0].terms_text)
        if alone := sum(not row.line.device.group_id for row in plans[0].will):
            said.append(f"{alone:,} of them without a group.")
        if plans[0].pace:
            said.append(plans[0].pace)
        if again:
            # Of existing ones: a row that names no group leaves them where they are.
            said += [f"{note[0].upper()}{note[1:]}." for note in plans[1].notes]
        for sentence in said:
            print(clean(sentence, 400), file=sys.stderr)

    def _not_sent(self, plans: Sequence[RegistrationPlan], *, whole: bool) -> int:
        code = codes.DONE if whole else codes.SOME_FAILED
        flags = " ".join(
            f"{flag} {len(plan.will)}"
            for flag, plan in zip(("--confirm", "--confirm-reset"), plans, strict=False)
            if plan.will
        )
        if not flags:
            print("There is nothing to send.", file=sys.stderr)
        elif self._arguments.dry_run:
            print(f"A dry run: nothing was sent. To send: {flags}", file=sys.stderr)
        else:
            print(f"Nothing was sent. To send: {flags}", file=sys.stderr)
            return codes.USAGE
        return code

    def _confirm(self, plans: Sequence[RegistrationPlan]) -> None:
        """Raise `CliError` unless the numbers are those of what will be sent; nothing was sent then."""
        for flag, typed, plan, what in zip(
            ("--confirm", "--confirm-reset"),
            (self._arguments.confirm, self._arguments.confirm_reset),
            plans,
            ("to be registered", "to be reset"),
            strict=False,
        ):
            count = len(plan.will)
            if (typed or 0) != count:
                said = f"{flag} says {typed:,}" if typed is not None else f"{flag} is missing"
                verb = "is" if count == 1 else "are"
                raise codes.CliError(f"Nothing was sent: {said}, and {count:,} {verb} {what}.", codes.USAGE)

    async def _send(self, plans: Sequence[RegistrationPlan]) -> dict[str, dict[str, Value]]:
        """Send one plan after the other; the outcomes by serial number."""
        service = self._session.registration
        found: dict[str, dict[str, Value]] = {}
        for plan in plans:
            if not plan.will:
                continue
            # A fresh one is not refused for its age. It never holds more, less when another console has sent some.
            fresh = await self._plan(self._again if plan.again else ())
            why = {left.line: left.why for left in fresh.left_out}
            for row in plan.will:
                if row.line in why:
                    said = f"not sent: {why[row.line]}"
                    found[normal_serial(row.serial)] = {"outcome": State.CANCELLED.value, "said": said}
            if not fresh.will:
                continue
            async with self._watched():
                sent = await service.submit(fresh, fresh.expects)
                try:
                    await service.wait()
                except asyncio.CancelledError:
                    await self._stop(sent.run_id)
                    raise
                rows = await service.outcomes(sent.run_id)
                if any(row.state in OPEN - {State.AMBIGUOUS} for row in rows):
                    print("Looking for what became of lost answers …", file=sys.stderr)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(_PATIENCE):
                            await service.wait(settle=True)
                    rows = await service.outcomes(sent.run_id)
            found |= {normal_serial(row.serial): told(row) for row in rows}
            print(f"{'Reset' if plan.again else 'Registered'} {len(rows):,}: {counts(rows)}.", file=sys.stderr)
        return found

    async def _stop(self, run_id: str) -> None:
        """ctrl+c: the device that is on its way is waited for, the rest is not sent."""
        service = self._session.registration
        service.halt()
        print("Stopping after the device that is on its way …", file=sys.stderr, flush=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST):
                await service.wait()
        print(f"Stopped: {counts(await service.outcomes(run_id))}.", file=sys.stderr)

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        """How far it is on a terminal, and what the session has to say, on stderr."""
        watch = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            counted_out()

    async def _watch(self) -> None:
        from mdm_tui.services.events import Noticed

        tell = counted("Sending")
        async for events in self._session.hub.subscribe():
            # Somebody waits here for the end: the connection stays armed for its time.
            self._session.arming.touch()
            tell(*self._session.registration.progress)
            for event in events:
                if isinstance(event, Noticed) and event.severity == "bad":
                    print(f"mdm-tui: {clean(event.sentence, 2_000)}", file=sys.stderr)
