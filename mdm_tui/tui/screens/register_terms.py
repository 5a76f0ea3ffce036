"""The list of devices to register and what holds for all of it: license, renewal, group; and its way out as a file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.provider import Capability
from mdm_tui.fleet.text import clean
from mdm_tui.tui.screens.ask import Choose
from mdm_tui.tui.screens.dialogs import Prompt, answer
from mdm_tui.tui.widgets.lines import Part, part

if TYPE_CHECKING:
    from textual.widgets import TextArea

    from mdm_tui.fleet.catalogue import LicenseModel
    from mdm_tui.tui.screens.base import FleetScreen as _Base
    from mdm_tui.tui.screens.register_source import RegisterSource
else:
    _Base = object

__all__ = ["RegisterTerms"]

_MOST = 4_000_000


class RegisterTerms(_Base):
    """Mixed into `RegisterScreen`, which has the state."""

    if TYPE_CHECKING:
        group_id: str
        model: LicenseModel | None
        auto_renew: bool | None
        stage: str
        source: RegisterSource
        area: TextArea

        async def read_now(self) -> None: ...
        def say_all(self) -> None: ...

    # --- the terms ---

    def terms_line(self) -> list[Part]:
        """What holds for all of the list, as one line."""
        license = "none: a trial license" if self.model is None else clean(self.model.name or self.model.id, 60)
        renew = {True: "yes", False: "no", None: "left to the service"}[self.auto_renew]
        group = self.source.paths.get(self.group_id, self.group_id) if self.group_id else "none"
        said: list[Part] = [part(" License ", "muted"), part(license, "warn" if self.model is None else "")]
        said += [part("   renewed ", "muted"), part(renew)]
        said += [part("   group ", "muted"), part(clean(group, 80))]
        return said

    def action_terms(self) -> None:
        """License model, renewal, group."""
        if self._writable():
            self.app.spawn(self._terms_asked(), "terms")

    async def _terms_asked(self) -> None:
        renew = {True: "yes", False: "no", None: "left to the service"}[self.auto_renew]
        model = clean(self.model.name, 40) if self.model is not None else "none: a trial license"
        group = self.source.paths.get(self.group_id, self.group_id) or "none"
        options = [("renew", "Renew the licenses", renew)]
        if self.session.can(Capability.LICENSES):
            options.insert(0, ("model", "License model", model))
        if self.session.can(Capability.GROUPS):
            options.append(("group", "Group of rows without one", clean(group, 60)))
        key = await answer(self.app, Choose("All devices of this list", options))
        try:
            if key == "model":
                await self._choose_model()
            elif key == "renew":
                await self._choose_renewal()
            elif key == "group":
                await self._choose_group()
        except FleetError as error:
            self.tell(error.sentence(), "warning")
        if key and not self.gone:
            await self.read_now()
            self.say_all()

    async def _choose_model(self) -> None:
        models = {model.id: model for model in await self.session.registration.license_models()}
        options = [("-", "None", "the devices run on a trial license")]
        options += [(key, clean(model.name, 60) or key, "where one is free") for key, model in models.items()]
        now = self.model.id if self.model is not None else "-"
        key = await answer(self.app, Choose("License model", options, now=now))
        if key is not None:
            self.model = models.get(key)

    async def _choose_renewal(self) -> None:
        options = [("leave", "Left to the service", "nothing is said"), ("yes", "Yes", ""), ("no", "No", "")]
        now = {True: "yes", False: "no", None: "leave"}[self.auto_renew]
        key = await answer(self.app, Choose("Are the licenses renewed by themselves?", options, now=now))
        if key is not None:
            self.auto_renew = {"yes": True, "no": False}.get(key)

    async def _choose_group(self) -> None:
        from mdm_tui.tui.screens.groups_choose import TOP, choose_group

        tree = await self.session.groups.tree()
        if not len(tree):
            tree = await self.session.groups.refresh()
        key = await choose_group(self.app, tree, "Group of the rows that name none", top="No group")
        if key is not None:
            self.group_id = "" if key == TOP else key

    # --- the list ---

    def action_file(self) -> None:
        if self._writable():
            self.app.spawn(self._file(), "file")

    async def _file(self) -> None:
        words = "Its rows take the place of the list. A header may name the columns; see ? for the form."
        name = await answer(self.app, Prompt("Read which CSV file?", words, check=_unreadable))
        if name is None:
            return
        try:
            text = await asyncio.to_thread(_read_file, name.strip())
        except (OSError, ValueError) as error:
            self.tell(f"The file was not read: {getattr(error, 'strerror', None) or error}.", "error")
            return
        if not self.gone:
            self.area.load_text(text)
            await self.read_now()

    # --- out of here ---

    def action_export(self) -> None:
        from mdm_tui.tui.screens import devices_export

        devices_export.ask(self, len(self.source.lines), "rows", self._export)

    async def _export(self, kind: str) -> None:
        from mdm_tui.tui.screens import devices_export

        rows = [self.source.plain(line) for line in self.source.lines]
        await devices_export.export(self, kind, "rows", list(rows[0]) if rows else ["serial"], rows, "registration")

    def _writable(self) -> bool:
        if self.stage == "list":
            return True
        self.tell("What is checked or sent now stays as it is; wait for its end.")
        return False


def _unreadable(name: str) -> str:
    if not name.strip():
        return "Say which file."
    path = Path(name.strip()).expanduser()
    return "" if path.is_file() else f"There is no file {clean(path, 200)}."


def _read_file(name: str) -> str:
    """The text of a file. Raises OSError, ValueError for one that is too large or not text."""
    path = Path(name).expanduser()
    if path.stat().st_size > _MOST:
        raise ValueError(f"it is larger than {_MOST:,} bytes; split it")
    data = path.read_bytes()
    for encoding in ("utf-8-sig", "utf-16") if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError("it is not text")
