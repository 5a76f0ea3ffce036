"""What a person can do on the Queue. Mixed into `QueueScreen`, which has the state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mdm_tui.fleet.commands import COMMANDS, State
from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import show_time
from mdm_tui.tui.screens.base import refusal
from mdm_tui.tui.screens.dialogs import answer

if TYPE_CHECKING:
    from mdm_tui.tui.screens.held_screen import HeldListScreen as _Base
    from mdm_tui.tui.screens.queue_source import QueueSource
else:
    _Base = object

__all__ = ["QueueActions"]


class QueueActions(_Base):
    """The actions of the group `queue`."""

    if TYPE_CHECKING:
        source: QueueSource

        def read_again(self) -> None: ...

    # --- what is shown ---

    def action_section(self, step: int) -> None:
        """The next (1) or previous (-1) view."""
        keys = [key for key, _title in self.source.VIEWS]
        self.source.show(keys[(keys.index(self.source.view) + step) % len(keys)])
        self.grid.order_changed()
        self.say()

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

    def action_copy(self) -> None:
        items = self.targets()
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

    # --- cancelling ---

    def action_act(self) -> None:
        """Cancel what is pending; what an earlier session left unsent can be sent or withdrawn."""
        items = self.targets()
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
