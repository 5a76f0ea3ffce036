"""The parameters of a command. Leaving one out is a choice of its own, never an empty field; none is preselected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, OptionList, SelectionList, Static
from textual.widgets.selection_list import Selection

from mdm_tui.fleet.commands import CommandSpec, Param
from mdm_tui.fleet.text import clean
from mdm_tui.tui import safe
from mdm_tui.tui.screens.dialogs import Guarded, foot
from mdm_tui.tui.widgets.form import Either
from mdm_tui.tui.widgets.ticks import Ticks

__all__ = ["ActForm"]

# What the two choices of each kind of parameter are called: with it, without it.
_CHOICES: dict[str, tuple[str, str]] = {
    "secret": ("Set this password", "Clear the password"),
    "packages": ("These apps", "No list"),
    "text": ("This value", "Leave it out"),
}


class ActForm(Guarded):
    """Answers the parameters (None for a value: deliberately without it), or None. Nothing is sent from here."""

    DEFAULT_CSS: ClassVar[str] = """
    ActForm > Vertical { width: 78; }
    ActForm Either { background: $raised; }
    ActForm Input { margin-left: 6; }
    ActForm Ticks { height: auto; max-height: 8; border: none; margin-left: 4; padding: 0; background: $raised;
        scrollbar-size-vertical: 1; }
    ActForm Ticks:focus { border: none; }
    ActForm .what { height: auto; }
    """

    def __init__(self, spec: CommandSpec, count: int, apps: Sequence[tuple[str, str]] = (), who: str = "") -> None:
        """apps: (package, name) to choose from, where they are known. who: the name of a single device."""
        super().__init__()
        self.spec = spec
        self.count = count
        self.who = clean(who, 60)
        self.apps = list(apps)

    def compose(self) -> ComposeResult:
        many = (self.who or "this device") if self.count == 1 else f"{self.count} devices"
        with Vertical():
            yield Static(safe.plain(f"{self.spec.title}: {many}", bold=True))
            yield Static(safe.plain(self.spec.what, "muted"))
            for param in self.spec.params:
                yield Static()
                yield from self._param(param)
            yield Static(classes="problem")
            yield foot(
                ("tab", "next"),
                ("space", "choose"),
                ("enter", "in a field: go on"),
                ("esc", "back, nothing is sent yet"),
            )

    def _param(self, param: Param) -> ComposeResult:
        with_it, without = _CHOICES[param.kind]
        yield Static(safe.plain(f"{param.title}: choose one"))
        yield Either(param.key, [("with", with_it), ("without", f"{without} ({param.absent})")])
        if param.kind == "packages" and self.apps:
            yield Ticks[str](
                *[
                    Selection(safe.join(name or package, (f"  {package}", "muted")), package)
                    for package, name in self.apps
                ],
                id=f"list-{param.key}",
            )
        words = "names of packages, separated by blanks" if param.kind == "packages" else "the new password"
        yield Input(placeholder=words, password=param.kind == "secret", compact=True, id=f"value-{param.key}")
        if param.kind == "secret":
            yield Input(placeholder="the same once more", password=True, compact=True, id=f"again-{param.key}")

    def on_mount(self) -> None:
        self._fit()
        # Nothing is chosen until somebody chooses: no default.
        self.query(Either).first().focus()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        # The rest of the form, at its highest, stays in sight beside a list of apps.
        for ticks in self.query(Ticks):
            ticks.styles.max_height = max(2, min(8, int(self.app.size.height * 0.94) - 16))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.finish()

    def on_input_changed(self, event: Input.Changed) -> None:
        # Typing a value is choosing to give one.
        key = (event.input.id or "").partition("-")[2]
        if event.value and key:
            self.query_one(f"#choice-{key}", Either).choose("with")

    def on_selection_list_selected_changed(self, event: SelectionList.SelectedChanged[str]) -> None:
        key = (event.selection_list.id or "").partition("-")[2]
        if event.selection_list.selected:
            self.query_one(f"#choice-{key}", Either).choose("with")

    def on_either_changed(self, message: Either.Changed) -> None:
        self.complain("")
        if message.either.chosen == "with" and message.either.has_focus:
            lists = self.query(f"#list-{message.either.key}")
            (lists.first() if lists else self.query_one(f"#value-{message.either.key}")).focus()

    def finish(self) -> None:
        """Check and answer, or say what is missing."""
        found: dict[str, Any] = {}
        for param in self.spec.params:
            value, sentence = self._value(param)
            if sentence:
                self.complain(sentence)
                return
            found[param.key] = value
        self._check(found)

    def _check(self, found: Mapping[str, Any]) -> None:
        from mdm_tui.services.command_plan import check_order

        problems = check_order(self.spec, found, None)
        if problems:
            self.complain(f"{problems[0].message}. {problems[0].allowed}".strip())
        else:
            self.dismiss(dict(found))

    def _value(self, param: Param) -> tuple[Any, str]:
        with_it, without = _CHOICES[param.kind]
        chosen = self.query_one(f"#choice-{param.key}", Either).chosen
        if chosen == "without":
            return None, ""
        if chosen is None:
            return None, f"Choose “{with_it}” or “{without}”."
        typed = self.query_one(f"#value-{param.key}", Input).value
        if param.kind == "secret":
            if typed != self.query_one(f"#again-{param.key}", Input).value:
                return None, "The two entries of the password differ."
            return typed, ""
        if param.kind == "packages":
            lists = self.query(f"#list-{param.key}").results(SelectionList)
            chosen = [package for one in lists for package in one.selected]
            return list(dict.fromkeys([*chosen, *typed.replace(",", " ").split()])), ""
        return typed, ""

    def key_ctrl_s(self) -> None:
        self.finish()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
