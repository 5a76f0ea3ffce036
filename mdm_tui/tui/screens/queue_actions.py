"""What a person can do on the Queue. Mixed into `QueueScreen`, which has the state."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mdm_tui.fleet.commands import COMMANDS, State
from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import show_time
from mdm_tui.tui.screens.base import refusal
from mdm_tui.tui.screens.dialogs import answer
from mdm_tui.tui.widgets.ladder import ladder

if TYPE_CHECKING:
    from mdm_tui.tui.screens.base import FleetScreen as _Base
    from mdm_tui.tui.screens.base import List
    from mdm_tui.tui.screens.queue_source import QueueSource
    from mdm_tui.tui.widgets.filter_line import FilterLine
else:
    _Base = object

__all__ = ["QueueActions"]


class QueueActions(_Base):
    """The actions of the group `queue`."""

    if TYPE_CHECKING:
        source: QueueSource
        grid: List
        filter: FilterLine

        def say(self) -> None: ...
        def read_again(self) -> None: ...

    # --- what is shown ---

    async def action_filter(self) -> None:
        await self.filter.open(self.source.words)

    def take_text(self, text: str, *, apply: bool) -> None:
        """What a scanner or a paste brought: words for the filter."""
        self.filter_by(text)

    if TYPE_CHECKING:

        def filter_by(self, text: str) -> None: ...

    def action_section(self, step: int) -> None:
        """The next (1) or previous (-1) view."""
        keys = [key for key, _title in self.source.VIEWS]
        self.source.show(keys[(keys.index(self.source.view) + step) % len(keys)])
        self.grid.order_changed()
        self.say()

    def action_sort(self) -> None:
        from mdm_tui.tui.screens.ask import Choose
        from mdm_tui.tui.screens.queue_source import COLUMNS

        key, down = self.source.sort
        options = [
            (column.key, column.title, ("down" if down else "up") if column.key == key else "") for column in COLUMNS
        ]
        self.app.push_screen(
            Choose("Sort by (the same one again turns it round)", options, now=key), lambda one: one and self._sort(one)
        )

    def action_sort_add(self) -> None:
        self.tell("The Queue is sorted by one column; s chooses it.")

    def _sort(self, key: str) -> None:
        self.source.sort_by(key)
        self.grid.sort = (self.source.sort,)
        self.grid.order_changed()

    def action_refresh_now(self) -> None:
        """Look at the device under the cursor, and read the queue again."""
        item = self.source.item(self.grid.cursor_id)
        if item is not None:
            self.app.spawn(self._look(item.device_id), "look")
        self.read_again()

    async def _look(self, device_id: str) -> None:
        try:
            await self.session.commands.look(device_id)
        except FleetError as error:
            self.tell(error.sentence(), "warning")
        self.read_again()

    # --- out of here ---

    def action_related(self) -> None:
        """The device of the command under the cursor."""
        item = self.source.item(self.grid.cursor_id)
        if item is not None:
            self.app.open_device(item.device_id, self.session)

    def _targets(self) -> list[Any]:
        ids = list(self.grid.marks) or ([self.grid.cursor_id] if self.grid.cursor_id is not None else [])
        return [item for item in map(self.source.item, ids) if item is not None]

    def action_copy(self) -> None:
        items = self._targets()
        if items:
            text = "\n".join(self._line(item) for item in items)
            self.app.copy_text(text, "The command" if len(items) == 1 else f"{len(items)} commands")

    def _line(self, item: Any) -> str:
        asked = show_time(item.asked) if item.asked is not None else "-"
        words = [
            f"{item.name} on {item.device_name} ({item.device_id})", f"{item.state.value} {item.status}".strip(),
            f"asked {asked} by {item.by}", item.error, item.explanation, f"command {item.command_id or '-'}",
        ]  # fmt: skip
        return clean(", ".join(word for word in words if word), 2_000)

    def action_export(self) -> None:
        from mdm_tui.tui.screens.ask import Choose

        options = [("csv", "CSV", "for spreadsheets"), ("json", "JSON", "one array of objects")]
        self.app.push_screen(Choose(f"Export {self.source.count():,} commands", options), self._export)

    def _export(self, kind: str | None) -> None:
        if not kind:
            return
        from mdm_tui.tui.screens import devices_export

        keys = ["command", "device", "device_id", "state", "status", "asked", "by", "evidence", "error", "command_id"]
        items = [self.source.item(self.source.id_at(index)) for index in range(self.source.count())]
        rows = [self._row(item) for item in items]
        text = devices_export.as_json(keys, rows) if kind == "json" else devices_export.as_csv(keys, rows)
        try:
            path = devices_export.write(Path.cwd(), "commands", kind, text, self.app.now())
        except OSError as error:
            self.tell(f"Not written: {error.strerror}: {error.filename}", "error")
            return
        self.tell(f"{len(rows):,} commands written to {path}")

    @staticmethod
    def _row(item: Any) -> dict[str, str]:
        return {
            "command": item.name,
            "device": item.device_name,
            "device_id": item.device_id,
            "state": item.state.value,
            "status": item.status,
            "asked": show_time(item.asked) if item.asked is not None else "",
            "by": item.by,
            "evidence": ladder(item),
            "error": item.error,
            "command_id": item.command_id or "",
        }

    # --- cancelling ---

    def action_act(self) -> None:
        """Cancel what is pending; what an earlier session left unsent can be sent or withdrawn."""
        items = self._targets()
        if items:
            self.app.spawn(self._act(items), "cancel")

    async def _act(self, items: list[Any]) -> None:
        from mdm_tui.tui.screens.ask import Ask, Choose

        sentence = refusal(self.session, "Nothing can be sent or cancelled")
        # What was never sent can be withdrawn while the connection is locked: nothing leaves this machine.
        here = self.session.writable == "LOCKED" and all(item.state is State.PLANNED for item in items)
        if sentence and not here:
            self.tell(sentence, "warning")
            return
        resumable = [item for item in items if item.state is State.PLANNED and item.explanation.startswith("left from")]
        if resumable and len(resumable) == len(items):
            options = [
                ("resume", "Send it now", "what was planned, once"),
                ("cancel", "Withdraw it", "it was never sent"),
            ]
            choice = await answer(self.app, Choose("Left unsent", options))
            if choice == "resume" and sentence:
                self.tell(sentence, "warning")
            elif choice == "resume":
                await self._resume(resumable)
            if choice != "cancel":
                return
        able = [item for item in items if item.cancellable]
        if not able:
            first = items[0]
            why = "it has ended" if first.state.ended else "the service cannot cancel it in this state"
            self.tell(f"{first.name} on {first.device_name} cannot be cancelled: {why}.", "warning")
            return
        title = (
            f"Cancel {able[0].name} on {able[0].device_name}?" if len(able) == 1 else f"Cancel {len(able)} commands?"
        )
        words = "A device that has already taken a command may still carry it out."
        if len(able) < len(items):
            words += f" {len(items) - len(able)} of the {len(items)} cannot be cancelled and are left alone."
        if await answer(self.app, Ask(title, words, "cancel it" if len(able) == 1 else "cancel them")):
            for item in able:
                await self._cancel(item)
            self.read_again()

    async def _cancel(self, item: Any) -> None:
        try:
            if item.state is State.PLANNED and item.intent_id:
                await self.session.commands.withdraw(item.intent_id)
            else:
                await self.session.commands.cancel(item.device_id, item.command_id)
        except FleetError as error:
            self.tell(f"{item.name} on {item.device_name} was not cancelled. {error.sentence()}", "error")
        else:
            self.tell(f"{item.name} on {item.device_name} is cancelled.")

    async def _resume(self, items: list[Any]) -> None:
        from mdm_tui.tui.screens.dialogs import Typed

        commands = self.session.commands
        runs = list(dict.fromkeys(item.run_id for item in items if item.run_id))
        # A run goes as a whole, also what is not marked: the words to type count what will be sent.
        left = [intent for run in runs for intent in await commands.unsent(run)]
        if not left:
            self.tell("Nothing of it is left to send.")
            return
        if final := next(
            (intent for intent in left if intent.name in COMMANDS and COMMANDS[intent.name].irreversible), None
        ):
            self.tell(f"{final.name} cannot be undone: withdraw it here, and ask for it anew.", "warning")
            return
        lines = [(f"  {clean(one.name)} on {clean(one.device_name)} ({one.device_id})", "") for one in left[:12]]
        if len(left) > 12:
            lines.append((f"  and {len(left) - 12} more", "muted"))
        if len(left) > len(items):
            lines.append((f"The run has {len(left)} unsent commands: all of them go.", "warn"))
        wanted = f"send {len(left) if len(left) > 1 else left[0].device_id[-6:]}"
        if not await answer(self.app, Typed("Send what was planned", lines, wanted, to="send")):
            return
        try:
            count = 0
            for run in runs:
                count += await self.session.commands.resume(run)
        except FleetError as error:
            self.tell(error.sentence(), "error")
        else:
            self.tell(f"{count} command{'s' if count != 1 else ''} being sent.")
        self.read_again()
