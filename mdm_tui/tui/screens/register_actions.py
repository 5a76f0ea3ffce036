"""What a person can do on the register screen. Mixed into `RegisterScreen`, which has the state."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.text import clean
from mdm_tui.tui.screens.ask import Choose
from mdm_tui.tui.screens.base import refusal
from mdm_tui.tui.screens.dialogs import Typed, answer
from mdm_tui.tui.screens.register_source import many
from mdm_tui.tui.screens.register_terms import RegisterTerms

if TYPE_CHECKING:
    from mdm_tui.fleet.registration import Reading
    from mdm_tui.services.registration_plan import RegistrationPlan
    from mdm_tui.tui.screens.base import FleetScreen as _Base
    from mdm_tui.tui.widgets.tree_list import PlainList
else:
    _Base = object

__all__ = ["RegisterActions"]

_LISTED = 8
_LATER = "sent in a step of its own: F2 again after this one"


class RegisterActions(RegisterTerms):
    """Checking, confirming, sending: the actions of the group `register`."""

    if TYPE_CHECKING:
        done: tuple[int, int]
        run_id: str
        reading: Reading
        grid: PlainList

        async def take_outcomes(self) -> None: ...
        def set_stage(self, stage: str) -> None: ...
        def show_rows(self) -> None: ...

    _halt: asyncio.Event | None = None
    _busy = False

    def action_name_one(self) -> None:
        """Name an existing device to be saved again, or take that back."""
        line = self.source.line(self.grid.cursor_id)
        if line is None or self.stage not in ("list", "checking"):
            return
        row = self.source.row(line)
        if row is None or row.state != "exists":
            self.tell("Only a device that exists is named: saving it again resets its status. F2 finds out which do.")
            return
        self.source.named ^= {line.serial}
        if line.serial in self.source.named:
            self.tell(f"{line.serial} is named: its status at the service is reset when it is sent.", "warning")
        self.grid.rows_changed([str(self.grid.cursor_index)])
        self.grid.move_cursor(self.grid.cursor_index + 1)
        self.say_all()

    def action_check_again(self) -> None:
        """Ask the service anew for all of them; after sending, begin a new list."""
        if self.stage == "sent":
            self.source.rows.clear()
            self.source.outcomes.clear()
            self.source.named.clear()
            self.source.lines = ()
            self.run_id = ""
            self.area.load_text("")
            self.set_stage("list")
            self.area.focus()
            self.show_rows()
        elif self.stage == "list":
            self.source.rows.clear()
            self.source.named.clear()
            self.app.spawn(self._check(), "check")

    # --- checking ---

    def action_stop(self) -> None:
        if self.stage == "checking" and self._halt is not None:
            self._halt.set()
            self.tell("Stopping: what is on its way is still waited for.")
        elif self.stage == "sending":
            self.session.registration.halt()
            self.tell("Stopping after the device that is on its way; what was not sent is cancelled.")
        else:
            self.tell("Nothing is running.")

    def action_send(self) -> None:
        """One step further: check what was not checked, then confirm and send."""
        if self.stage == "sending":
            self.tell("It is being sent; F6 stops after the device that is on its way.")
        elif self.stage == "sent" and self.source.left() and not self._busy:
            self.app.spawn(self._rest(), "register")
        elif self.stage == "sent":
            self.tell("It is sent. F5 begins a new list, F7 exports the rows.")
        elif self.stage == "list" and not self._busy:
            self.app.spawn(self._step(), "register")

    async def _step(self) -> None:
        self._busy = True
        try:
            await self.read_now()
            if self.reading.problem or not self.reading.good:
                self.tell(f"{self.reading.problem or 'No row can be sent'}.", "warning")
                return
            waiting = self.source.waiting()
            asked = [line for line in waiting if line.serial in self.source.rows]
            if waiting and len(asked) == len(waiting) and len(waiting) < len(self.reading.good):
                options = [("again", f"Ask again for {many(len(waiting), 'row')}", ""),
                           ("without", "Go on without them", "they are left out")]  # fmt: skip
                key = await answer(self.app, Choose("Some rows could not be checked", options))
                if key == "again":
                    await self._check()
                elif key == "without":
                    await self._confirm()
            elif waiting:
                await self._check()
            else:
                await self._confirm()
        finally:
            self._busy = False

    async def _rest(self) -> None:
        """What was left for a step of its own: the named after the new, or the new after the named."""
        self._busy = True
        try:
            await self._confirm()
        finally:
            self._busy = False

    async def _check(self) -> None:
        lines = self.source.waiting()
        if not lines or self.stage != "list":
            return
        self._halt = asyncio.Event()
        self.done = (0, len(lines))
        self.set_stage("checking")
        rows = await self.session.registration.check(lines, self._checked, self._halt)
        if self.gone:
            return
        self.source.rows.update({row.serial: row for row in rows})
        self.set_stage("list")
        self.show_rows()
        counts = self.source.counts()
        if counts["unchecked"]:
            why = next(row.why for row in rows if row.state == "unchecked")
            self.tell(f"{many(counts['unchecked'], 'row')} not checked: {why}. F2 asks again.", "warning")
        if self.app.screen is self:
            self.grid.focus()

    def _checked(self, done: int, total: int) -> None:
        self.done = (done, total)
        if not self.gone:
            self.say_all()

    # --- sending ---

    async def _confirm(self) -> None:
        if sentence := refusal(self.session, "Nothing can be registered"):
            self.tell(sentence, "warning")
            return
        again: set[str] = set()
        counts = self.source.left()
        named = {serial for serial in self.source.named if serial not in self.source.outcomes}
        if named and counts["new"]:
            options = [
                ("new", f"Register {counts['new']:,} new", "the named ones wait for the next step"),
                ("again", f"Reset {len(named):,} named", "the new ones wait for the next step"),
            ]
            key = await answer(self.app, Choose("Never both at once: send which?", options))
            if key is None:
                return
            again = named if key == "again" else again
        elif named:
            again = named
        service = self.session.registration
        try:
            rows = self.source.checked()
            plan = await service.plan(rows, model=self.model, auto_renew=self.auto_renew, again=again)
            if not plan.will:
                self.tell(self._why_none(plan), "warning")
                return
            to = f"{'reset' if plan.again else 'register'} {'it' if len(plan.will) == 1 else 'them'}"
            present = await self._present(plan) if plan.again else {}
            if not await answer(self.app, Typed(*self._dialog(plan, present), to=to)):
                self.tell("Nothing was sent.")
                return
            run = await service.submit(plan, plan.expects)
        except FleetError as error:
            self.tell(error.sentence(), "error")
            return
        if self.gone:
            return
        self.run_id = run.run_id
        self.done = (0, len(plan.will))
        self.set_stage("sending")
        await self.take_outcomes()

    def _why_none(self, plan: RegistrationPlan) -> str:
        """Why a plan sends nothing; a row that looks as if it could be sent has its own reason."""
        for left in plan.left_out:
            row = self.source.row(left.line)
            if row is not None and (row.state == "new" or left.line.serial in self.source.named):
                return f"Nothing is sent. {left.line.serial}: {clean(left.why, 300)}."
        return "Nothing is left to send: every row exists, has a problem or was not checked."

    async def _present(self, plan: RegistrationPlan) -> dict[str, str]:
        """The groups, as last seen, that devices are in now: serial number → name."""
        found: dict[str, str] = {}
        mirror, scope = self.session.mirror, self.session.scope
        for row in plan.will[:_LISTED]:
            ids = await mirror.find(scope, row.serial)
            if len(ids) == 1 and (held := (await mirror.rows(scope, ids)).get(ids[0])) is not None:
                found[row.serial] = str(held.values.get("group") or "")
        return found

    def _dialog(self, plan: RegistrationPlan, present: dict[str, str]) -> tuple[str, list[tuple[str, str]], str]:
        connection = self.session.connection
        verb = "Reset" if plan.again else "Register"
        production = " · PRODUCTION" if connection.production else ""
        title = f"{verb} {many(len(plan.will))} at {connection.name} · {self.session.factory.title}{production}"
        lines: list[tuple[str, str]] = [(f"Site {clean(connection.organization, 80)}", "muted")]
        if plan.again:
            one = len(plan.will) == 1
            who = ("It exists: saving it", "its") if one else ("They exist: saving them", "their")
            lines.append((f"{who[0]} again resets {who[1]} status at the service.", "warn"))
        lines += [(plan.terms_text, "warn" if self.model is None else ""), ("", "")]
        for row in plan.will[:_LISTED]:
            label = " ".join(filter(None, (row.line.device.manufacturer, row.line.device.model)))
            group = clean(self.source.group(row.line), 40) or "no group"
            if plan.again and not self.source.group(row.line):
                now = clean(present.get(row.serial, ""), 40)
                group = f"in {now} as last seen" if now else "its group is not known here"
            lines.append((f"  {row.serial:<20} {clean(label, 30):<20} {group}", ""))
        if len(plan.will) > _LISTED:
            lines.append((f"  and {len(plan.will) - _LISTED:,} more", "muted"))
        if plan.left_out:
            lines += [("", ""), (f"Left out: {many(len(plan.left_out), 'row')}", "muted")]
            whys: dict[str, list[str]] = {}
            for left in plan.left_out:
                why = _LATER if self._later(plan, left.line.serial) else left.why
                whys.setdefault(why, []).append(left.line.serial or f"line {left.line.number}")
            for why, serials in list(whys.items())[:4]:
                more = f" and {len(serials) - 2:,} more" if len(serials) > 2 else ""
                lines.append((f"  {', '.join(serials[:2])}{more}: {clean(why, 200)}", "muted"))
        lines += [
            (f"{note[:1].upper()}{note[1:]}.", "muted") for note in plan.notes if not plan.again or "group" in note
        ]
        return title, lines, plan.expects

    def _later(self, plan: RegistrationPlan, serial: str) -> bool:
        """Whether a row that is left out of a plan has its turn in the next step."""
        row = self.source.rows.get(serial)
        if row is None:
            return False
        return row.state == "new" if plan.again else row.state == "exists" and serial in self.source.named
