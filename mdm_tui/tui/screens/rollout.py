"""One rollout: as a form and as JSON, what changed, whom it reaches, which images, conflicts, how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal

from mdm_tui.fleet.rollouts import Rollout
from mdm_tui.fleet.values import age
from mdm_tui.services.documents import Checked, PlacedProblem
from mdm_tui.tui.actions import bindings
from mdm_tui.tui.screens.base import Hints, List
from mdm_tui.tui.screens.device_bars import Notice, Strip
from mdm_tui.tui.screens.document import DocumentScreen
from mdm_tui.tui.screens.editor_lines import difference_lines
from mdm_tui.tui.screens.rollout_confirm import plan_and_save
from mdm_tui.tui.screens.rollout_fields import RolloutFields
from mdm_tui.tui.screens.rollout_findings import RolloutFindings
from mdm_tui.tui.screens.rollout_form import FormLines, Known, form_lines
from mdm_tui.tui.screens.rollout_lines import conflict_lines, image_lines, told
from mdm_tui.tui.screens.rollout_rows import PROGRESS, REACH
from mdm_tui.tui.screens.rollout_text import RolloutText
from mdm_tui.tui.screens.rollouts_source import NAMELESS
from mdm_tui.tui.widgets.json_area import JsonArea
from mdm_tui.tui.widgets.lines import Lines, Part, part
from mdm_tui.tui.widgets.report import LinesView

__all__ = ["RolloutScreen"]

_WIDE = 116
_FOUND_OUT = ("reach", "images", "conflicts")
_AT_FIELDS = frozenset({"name", "everyone", "groups", "apps", "images"})


class RolloutScreen(RolloutFields, RolloutFindings, RolloutText, DocumentScreen):
    """The editor of rollouts. The form and the text are one document; what the form does not know stays in it."""

    GROUPS: ClassVar[tuple[str, ...]] = ("rollout", "field", "list")
    HINTS: ClassVar[tuple[str, ...]] = ("policy.save", "policy.view", "refresh", "policy.reread", "back")
    TAB: ClassVar[str] = "rollouts"
    NOUN: ClassVar[str] = "rollout"
    PLACE: ClassVar[str] = "Rollouts"
    VIEWS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("form", "Form"), ("document", "JSON"), ("changes", "Changes"), ("reach", "Reach"), ("images", "Images"),
        ("conflicts", "Conflicts"), ("progress", "Progress"),
    )  # fmt: skip
    BINDINGS = bindings("rollout")
    DEFAULT_CSS: ClassVar[str] = """
    RolloutScreen #middle { height: 1fr; }
    RolloutScreen #form { width: 5fr; }
    RolloutScreen #side { width: 3fr; }
    RolloutScreen #side.beside { border-left: solid $line; }
    RolloutScreen JsonArea { width: 5fr; }
    RolloutScreen #problems { height: auto; max-height: 6; }
    """

    def __init__(self, session: Any, rollout_id: str = "", *, opened: Any = None, view: str = "") -> None:
        """opened: as `Rollouts.open` and `Rollouts.new` answer, instead of an id. view: the one shown first."""
        super().__init__(session, rollout_id, opened=opened)
        self.view = view or self.view
        self.known = Known()
        self.looked: Any = None
        self.start_text()
        self.start_findings()

    def body(self) -> ComposeResult:
        yield Lines(id="title")
        yield Strip(id="views")
        yield Notice(id="notice")
        yield Lines(id="summary")
        with Horizontal(id="middle"):
            yield FormLines(id="form")
            yield JsonArea(id="document")
            yield List(REACH, self.reach_source, id="reach")
            yield List(PROGRESS, self.progress_source, id="progress")
            yield LinesView(id="side")
        yield LinesView(id="problems")

    @property
    def service(self) -> Any:
        return self.session.rollouts

    @property
    def held(self) -> Any:
        return self.opened.rollout if self.opened is not None else None

    @property
    def rollout(self) -> Rollout:
        """The document in neutral words; an empty one while it cannot be read."""
        return self.service.form.read(self.document) if self.document is not None else Rollout("", "")

    # --- opening ---

    def on_mount(self) -> None:
        self.query_one("#problems").display = False
        self.query_one("#summary").display = False
        self.lay_out()
        self.focus_view()
        self.tick()
        self.app.spawn(self._open(), "rollout")

    async def _open(self) -> None:
        await self.learn()
        if not await self.begin():
            return
        self.enter_view()
        await self.learn(fresh=True)
        await self.check()

    async def look(self, text: str) -> Any:
        """The contract's problems with their lines, and what is missing or doubtful at the service, without any."""
        checked = await self.service.check_text(text)
        if not isinstance(checked.document, dict):
            return checked
        known_as = "" if self.new else self.document_id
        self.looked = await self.service.check(checked.document, known_as)
        placed = {(problem.pointer, problem.message) for problem in checked.problems}
        more = [
            PlacedProblem(0, 0, 0, 0, problem.message, problem.pointer, problem.allowed, problem.warning)
            for problem in self.looked.problems
            if (problem.pointer, problem.message) not in placed
        ]
        return Checked((*checked.problems, *more), checked.document)

    def named(self, document: Any) -> str:
        name = self.service.form.read(document).name if isinstance(document, dict) else ""
        return "" if name == NAMELESS else name

    # --- drawing ---

    def lay_out(self) -> None:
        beside = self.app.size.width >= _WIDE and self.view in ("form", "document")
        shown = {"form": "form", "document": "document", "reach": "reach", "progress": "progress"}.get(
            self.view, "side"
        )
        for name in ("form", "document", "reach", "progress"):
            self.query_one(f"#{name}").display = name == shown
        side = self.query_one("#side", LinesView)
        side.display = beside or shown == "side"
        side.set_class(beside, "beside")
        self.show_side()

    def focus_view(self) -> None:
        name = self.view if self.view in ("form", "document", "reach", "progress") else "side"
        self.query_one(f"#{name}").focus()

    def show_view(self, view: str) -> None:
        self.leave_text(view)
        super().show_view(view)
        self.show_problems()
        self.enter_view()

    def hints(self) -> Sequence[str]:
        """Of what can be done in the view that is shown."""
        more = {
            "form": ("field.choose", "field.add", "field.clear", "undo"),
            "document": ("undo", "policy.editor"),
            "reach": ("grid.open", "rollout.out", "grid.next"),
            "progress": ("grid.open",),
        }.get(self.view, ("refresh",) if self.view in _FOUND_OUT else ())
        again = ("refresh",) if self.view in ("reach", "progress") else ()
        return ("policy.save", "policy.view", *more, *again, "policy.reread", "back")

    def enter_view(self) -> None:
        """Find out what the view is about, and follow the progress only while it is looked at."""
        self.query_one(Hints).offer(self.hints())
        self.follow(self.view == "progress")
        if self.view in _FOUND_OUT:
            self.app.spawn(self.find_out(), "reach")

    def show_side(self) -> None:
        if self.gone:
            return
        form, side = self.query_one("#form", FormLines), self.query_one("#side", LinesView)
        if form.display and self.document is not None:
            wrong = self.looked.problems if self.looked is not None else ()
            width = form.size.width or self.app.size.width
            first = form.entry is None and form.cursor == 0
            form.set_lines(form_lines(self.rollout, self.service.form, self.known, wrong, width))
            if first:
                # On the first field: enter does something there.
                form.move_to(1)
        elif form.display:
            form.set_lines(told("Not JSON: the view JSON has the text; F3.", self.app.size.width, "warn"))
        self.show_summary()
        if side.display:
            side.set_lines(self._side_lines(side.size.width or self.app.size.width))

    def _side_lines(self, width: int) -> list[Any]:
        rollout = self.rollout
        if self.view in ("images", "conflicts") and self.working:
            return told(f"{self.working}   esc stops", width, "info")
        if self.view == "images" and self.prediction is not None:
            images = {ref: self.known.images[ref] for ref in rollout.images if ref in self.known.images}
            return image_lines(self.prediction, images, rollout.images, width)
        if self.view == "conflicts" and self.clashes is not None:
            return conflict_lines(self.clashes, self.device_names, width)
        if self.view in ("images", "conflicts"):
            return told("Not found out yet; r does.", width)
        when = f", read {age(self.app.now() - self.read_at)} ago" if self.read_at is not None else ""
        title = "New: everything is a change" if self.new else f"Changes against the service{when}"
        return difference_lines(title, self.differences, width, readable=self.readable, name_of=self.known.name_of)

    def counts(self) -> dict[str, int | None]:
        clashes = None if self.clashes is None else len(self.clashes)
        return {**super().counts(), "reach": None if self.reach is None else self.reach.count, "conflicts": clashes}

    def title_words(self) -> tuple[list[Part], list[Part]]:
        rollout = self.rollout
        after = [part("   disabled", "warn")] if rollout.enabled is False else []
        if rollout.everyone:
            return after, [part("   EVERYONE", "bad")]
        if self.reach is None:
            return after, []
        return after, [part(f"   reaches {self.reach.count:,}", "warn" if self.stale else "muted")]

    def on_resize(self, event: events.Resize) -> None:
        self.lay_out()

    def on_lines_view_resized(self, message: LinesView.Resized) -> None:
        self.show_side()

    def show_problems(self) -> None:
        """What stops the saving first; warnings that the form shows at their fields are not said twice."""
        if self.checked is not None:
            at_fields = self.view == "form"
            problems = [one for one in self.checked.problems
                        if not (at_fields and one.warning and one.pointer.partition("[")[0] in _AT_FIELDS)]  # fmt: skip
            # Only beside the document its own names and lines help.
            title_of = None if self.view == "document" else self.service.form.title
            self.show_these(sorted(problems, key=lambda one: one.warning), title_of)

    # --- what is open ---

    def opened_entry(self, view_id: str, path: str, value: object) -> bool:
        """enter on a device or on another rollout opens it."""
        kind = path.partition(":")[0]
        if view_id != "side" or kind not in ("device", "kin", "rollout") or not value:
            return False
        if kind == "rollout":
            self.app.push_screen(RolloutScreen(self.session, str(value)))
        else:
            self.app.open_device(str(value), self.session)
        return True

    def go_to_line(self, line: int) -> None:
        if line:
            super().go_to_line(line)
        else:
            self.show_view("form")

    # --- saving ---

    async def send(self, base: str) -> Any:
        stop, text = self.begin_work(), self.text

        def say(words: str) -> None:
            self.say(words, "info")

        try:
            return await plan_and_save(
                self.app, self.session, self.document_id, text, base, say, stop,
                lambda: not self.gone and self.text == text,
            )  # fmt: skip
        finally:
            self.end_work()

    def saved(self, answer: Any) -> str:
        from mdm_tui.services.rollouts import OpenedRollout

        self.document_id = answer.rollout.id
        self.opened = OpenedRollout(answer.rollout.id, answer.rollout, answer.base)
        # What was unknown may be registered by now.
        self.forget()
        return ""

    # --- news ---

    def news(self, events: Sequence[object]) -> None:
        from mdm_tui.services import events as kinds

        if any(isinstance(event, kinds.ItemsChanged) and event.kind != "rollouts" for event in events):
            self.app.spawn(self.learn(), "names")
        self.tick()
