"""What the form of a rollout does with what is under the cursor: ask, add, take out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual import events

from mdm_tui.fleet.rollouts import Option, RolloutApp
from mdm_tui.fleet.text import clean, normal_serial
from mdm_tui.tui.screens.ask import Ask, Choose
from mdm_tui.tui.screens.dialogs import Item, Prompt, Search, answer, filtered
from mdm_tui.tui.screens.groups_choose import choose_group
from mdm_tui.tui.screens.policies_actions import device_search, marked_devices
from mdm_tui.tui.screens.rollout_form import FormLines, app_words, image_words
from mdm_tui.tui.screens.rollouts_source import counted
from mdm_tui.tui.widgets.form import Pick
from mdm_tui.tui.widgets.grid import Grid

if TYPE_CHECKING:
    from mdm_tui.fleet.rollouts import Rollout
    from mdm_tui.tui.screens.document import DocumentScreen as _Base
    from mdm_tui.tui.screens.rollout_form import Known
    from mdm_tui.tui.screens.rollout_rows import ReachSource
else:
    _Base = object

__all__ = ["RolloutFields", "serials_of"]

_LISTS = ("groups", "devices", "apps", "images")
_DAY = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_OTHER = " other"
_UNSAID = " unsaid"


def serials_of(text: str) -> list[str]:
    """The entries of a typed or pasted list: separated by commas, semicolons, blanks or line ends, each once."""
    return list(dict.fromkeys(part for part in re.split(r"[\s,;]+", text) if part))


class RolloutFields(_Base):
    """The answers to `Pick.Asked` from the form."""

    if TYPE_CHECKING:
        document: dict[str, Any] | None
        known: Known
        reach_source: ReachSource

        @property
        def rollout(self) -> Rollout: ...
        def put(self, key: str, value: Any) -> None: ...
        async def find_out(self) -> None: ...

    def on_pick_asked(self, message: Pick.Asked) -> None:
        self.app.spawn(self._asked(message.key, message.what), "field")

    async def _asked(self, path: str, what: str) -> None:
        key, _colon, ref = path.partition(":")
        if self.document is None:
            self.say("The text is not JSON now: mend it in the view JSON first.", "warn")
        elif key in _LISTS:
            await self._list(key, ref, what)
        elif key == "name":
            if what != "clear":
                await self._ask_name()
        elif key == "enabled":
            if what != "clear":
                self.put(key, not self.rollout.enabled)
        elif key == "everyone":
            if what != "clear":
                await self._everyone()
        elif (option := next((one for one in self.service.form.options if one.key == key), None)) is not None:
            await self._option(option, what)

    async def _everyone(self) -> None:
        """Off at once; on only after asking: it is one key away from every device of the site."""
        if not self.rollout.everyone:
            words = (
                f"On {self.session.connection.name}, {self.session.factory.title}: the groups and devices of the scope "
                "are ignored then. Nothing is sent before F2, which asks for the number of devices."
            )
            if not await answer(self.app, Ask("Reach EVERY device of the site?", words, "everyone")):
                return
        self.put("everyone", not self.rollout.everyone)

    # --- coming back ---

    _left = False

    def on_screen_suspend(self) -> None:
        """A dialog keeps the cursor where it is; another screen of the app does not."""
        self._left = self not in self.app.screen_stack

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """After another screen the cursor is on the name: an enter meant for a list switches nothing."""
        if self._left:
            self._left = False
            self.query_one("#form", FormLines).move_to(1)

    async def _ask_name(self) -> None:
        now = self.named(self.document)
        words = "Without a name the service would make one of the time of day."
        text = await answer(self.app, Prompt("Name of the rollout", words, now, check=_some_name))
        if text is not None:
            self.put("name", text.strip())

    # --- options ---

    async def _option(self, option: Option, what: str) -> None:
        value = self.rollout.options.get(option.key)
        if what == "clear":
            self.put(option.key, None)
        elif option.kind == "bool":
            self.put(option.key, not value)
        elif option.kind == "choice":
            await self._choice(option, value)
        else:
            await self._typed(option, value)

    async def _choice(self, option: Option, value: Any) -> None:
        choices = [(choice, choice, "") for choice in option.choices]
        if isinstance(value, str) and value and value not in option.choices:
            choices.append((value, clean(value, 60), "as it stands"))
        choices += [(_OTHER, "Another text…", ""), (_UNSAID, "Not said", "it is taken out")]
        now = value if isinstance(value, str) and value else _UNSAID
        chosen = await answer(self.app, Choose(option.title, choices, now=now))
        if chosen == _OTHER:
            await self._typed(option, value)
        elif chosen is not None:
            self.put(option.key, None if chosen == _UNSAID else chosen)

    async def _typed(self, option: Option, value: Any) -> None:
        def check(text: str) -> str:
            text = text.strip()
            if option.kind == "int" and text and not re.fullmatch(r"-?\d{1,9}", text):
                return "A whole number, please, or nothing."
            if option.kind == "date" and text and not _DAY.fullmatch(text):
                return "A day as YYYY-MM-DD, please, or nothing."
            return ""

        words = (
            f"{option.help[:1].upper()}{option.help[1:]}. Nothing takes it out."
            if option.help
            else "Nothing takes it out."
        )
        text = await answer(self.app, Prompt(option.title, words, "" if value is None else str(value), check=check))
        if text is not None:
            text = text.strip()
            self.put(option.key, (int(text) if option.kind == "int" else text) if text else None)

    # --- lists ---

    async def _list(self, key: str, ref: str, what: str) -> None:
        if what == "clear":
            if ref:
                self._without(key, ref)
            else:
                self.tell("delete on one of the lines below takes that one out.")
        elif key == "apps" and ref and what == "choose":
            await self._flags(ref)
        elif key == "groups":
            await self._group()
        elif key == "devices":
            await self._devices()
        else:
            await self._catalogue(key)

    async def _group(self) -> None:
        there = set(self.rollout.groups)
        title = "Add which group? Whether those below it are reached too is not stated"

        def why_not(key: str) -> str:
            return "It is in the scope already." if key in there else ""

        chosen = await choose_group(self.app, self.known.tree, title, why_not=why_not)
        if chosen is not None:
            self.put("groups", (*self.rollout.groups, chosen))

    def _without(self, key: str, ref: str) -> None:
        rollout = self.rollout
        if key == "apps":
            self.put("apps", [app for app in rollout.apps if app.app_id != ref])
        else:
            entries = getattr(rollout, key)
            self.put(key, [entry for entry in entries if entry != ref])

    def action_take_out(self) -> None:
        """Take what is under the cursor of the reach out of the scope."""
        if self.view != "reach":
            return
        row = self.reach_source.row(self.query_one("#reach", Grid).cursor_id)
        if row is None or row.out is None:
            self.tell(
                "It is reached through a group: take the group out, or exclude nobody." if row else "Nothing is here."
            )
            return
        self._without(*row.out)
        self.tell(f"{clean(row.name, 60)} is taken out; ctrl+z brings it back.")
        self.app.spawn(self.find_out(), "reach")

    async def _flags(self, ref: str) -> None:
        app = next((one for one in self.rollout.apps if one.app_id == ref), None)
        if app is None:
            return
        options = [(key, title, "" if key in app.flags else "not said") for key, title in self.service.form.flags]
        on = {key for key, flag in app.flags.items() if flag}
        title = app_words(self.known.apps.get(ref), ref)
        chosen = await answer(self.app, Choose(clean(title, 60), options, keep=on))
        if chosen is None:
            return
        # What was never said and stays off is not said now either.
        flags = {key: key in chosen for key, _title in self.service.form.flags if key in chosen or key in app.flags}
        kept = {key: flag for key, flag in app.flags.items() if key not in flags}
        made = RolloutApp(ref, {**kept, **flags})
        self.put("apps", [made if one.app_id == ref else one for one in self.rollout.apps])

    async def _catalogue(self, key: str) -> None:
        """Add one app or image of the catalogue."""
        if key == "apps":
            there = {app.app_id for app in self.rollout.apps}
            items = {app.id: app_words(app, app.id) for app in self.known.apps.values()}
        else:
            there = set(self.rollout.images)
            items = {image.id: image_words(image, image.id) for image in self.known.images.values()}
        known = self.known.apps if key == "apps" else self.known.images
        # One may stand there under another of its names.
        there |= {known[ref].id for ref in there if ref in known}
        offered = [Item(ref, words) for ref, words in items.items() if ref not in there]
        what = "app" if key == "apps" else "system image"
        chosen = await answer(self.app, Search(f"Add which {what}?", filtered(offered)))
        if chosen is not None and key == "apps":
            self.put("apps", [*self.rollout.apps, RolloutApp(chosen)])
        elif chosen is not None:
            self.put("images", [*self.rollout.images, chosen])

    # --- single devices ---

    async def _devices(self) -> None:
        marked = marked_devices(self.app, self.session)
        options = [
            ("typed", "Type or paste a list", "serial numbers"),
            ("marked", "Those marked on the Devices screen", f"{len(marked):,}"),
            ("search", "Search one", ""),
        ]
        how = await answer(self.app, Choose("Add devices", options if marked else [options[0], options[2]]))
        if how == "typed":
            words = "Separated by commas, blanks or line ends. What the service does not know it would register."
            text = await answer(self.app, Prompt("Devices to add", words, between=", "))
            self._add(serials_of(text or ""))
        elif how == "marked":
            await self._add_known(marked)
        elif how == "search":
            one = await answer(self.app, Search("Add which device?", device_search(self.session, self.app.now)))
            if one is not None:
                await self._add_known([one])

    async def _add_known(self, ids: Sequence[str]) -> None:
        """Devices of the mirror, written as this connection writes them; what has no usable serial is left out."""
        if self.service.entries == "id":
            self._add(ids)
            return
        facts = await self.session.mirror.facts(self.session.scope, ("serial",), ids)
        serials = {device: str(values[0] or "") for device, values in facts.items()}
        usable = [serials[device] for device in ids if normal_serial(serials.get(device, ""))]
        self._add(usable)
        if len(usable) < len(ids):
            self.tell(
                f"{counted(len(ids) - len(usable), 'device')} without a usable serial number left out.", "warning"
            )

    def _add(self, entries: Sequence[str]) -> None:
        held = self.rollout.devices
        new = [entry for entry in dict.fromkeys(entries) if entry not in set(held)]
        if new:
            self.put("devices", (*held, *new))
            self.tell(f"{counted(len(new), 'device')} added to the scope.")
        elif entries:
            self.tell("They are in the scope already.")


def _some_name(text: str) -> str:
    return "" if text.strip() else "A name, please."
