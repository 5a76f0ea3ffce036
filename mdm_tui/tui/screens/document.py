"""A document that is edited as a whole: read, checked while it is typed, compared, kept as a draft, saved.

What the editors of policies and of rollouts share. A kind of document says what it is called (`NOUN`, `PLACE`), which
views there are, and how it is sent; everything it has of its own is drawn by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual.widgets import TextArea

from mdm_tui.fleet.errors import FleetError
from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import age, show_time
from mdm_tui.tui.screens.base import FleetScreen
from mdm_tui.tui.screens.device_bars import Notice, Strip
from mdm_tui.tui.screens.document_actions import DocumentActions
from mdm_tui.tui.screens.editor_lines import counted, note_at, problem_lines
from mdm_tui.tui.widgets.grid_text import glyphs
from mdm_tui.tui.widgets.json_area import HIGHLIGHT_MOST, JsonArea
from mdm_tui.tui.widgets.lines import Lines, Part, length, part, spread
from mdm_tui.tui.widgets.report import LinesView

__all__ = ["DocumentScreen"]

_LARGE = 50_000
_PROBLEM_ROWS = 6


class DocumentScreen(DocumentActions, FleetScreen):
    """An editor. Leaving keeps the draft; only F2 sends.

    NOUN: what a document is called; PLACE: the list it is in; VIEWS: (key, title), the first one is shown first.
    """

    NOUN: ClassVar[str] = "document"
    PLACE: ClassVar[str] = ""
    VIEWS: ClassVar[tuple[tuple[str, str], ...]] = ()
    LIVE: ClassVar[bool] = True
    # Seconds without a key before the text is checked.
    pause: ClassVar[float] = 0.25

    def __init__(self, session: Any, document_id: str = "", *, opened: Any = None) -> None:
        super().__init__(session)
        self.document_id: str = opened.id if opened is not None else document_id
        self.opened: Any = opened
        self.base = ""
        self.view = self.VIEWS[0][0]
        self.checked: Any = None
        self.differences: Sequence[Any] = ()
        self.read_at: float | None = None
        self._timer: Any = None
        self._loading = False
        self._checking = 0
        # Whether there is a draft of it.
        self._kept = False

    # --- what each kind says itself ---

    @property
    def service(self) -> Any:
        """Opens, checks, compares and keeps the documents of this kind."""
        raise NotImplementedError

    @property
    def held(self) -> Any:
        """What the service holds of it; None for a new one."""
        raise NotImplementedError

    async def look(self, text: str) -> Any:
        """What is wrong with a text."""
        return await self.service.check(text)

    def named(self, document: Any) -> str:
        """The name that a document has, as it stands there."""
        name = document.get("name") if isinstance(document, dict) else None
        return name if isinstance(name, str) else ""

    def lay_out(self) -> None:
        """Show what the chosen view is made of."""

    def show_side(self) -> None:
        """Draw the view that is chosen."""

    def counts(self) -> dict[str, int | None]:
        """How many there are of what a view shows."""
        return {"changes": len(self.differences)}

    def title_words(self) -> tuple[list[Part], list[Part]]:
        """More for the title: after the name, and at the right edge."""
        return [], []

    # --- the text ---

    @property
    def area(self) -> JsonArea:
        """The text field."""
        return self.query_one(JsonArea)

    @property
    def text(self) -> str:
        """What is being edited."""
        return self.area.text

    def load(self, text: str) -> None:
        """Put a text into the editor without calling it typed."""
        if not self.gone:
            self._loading = True
            self.area.load(text)

    def take(self, text: str, *, typed: bool = True) -> None:
        """Put a text into the editor so that ctrl+z brings back what was there. typed: it becomes a draft."""
        if not self.gone:
            self._loading = not typed and text != self.area.text
            self.area.replace(text, (0, 0), self.area.document.end)

    @property
    def new(self) -> bool:
        """Whether the service does not have it yet."""
        return self.opened is None or self.held is None

    @property
    def readable(self) -> bool:
        """Whether the text is JSON, as far as it was looked at."""
        return self.checked is None or self.checked.document is not None

    # --- opening ---

    async def begin(self) -> bool:
        """Read it and show it; False where that failed or nobody waits for it any more."""
        if self.opened is None:
            self.say(f"Reading the {self.NOUN}…")
            try:
                self.opened = await self.service.open(self.document_id)
            except FleetError as error:
                self.say(error.sentence(), "bad")
                return False
        opened = self.opened
        if self.gone:
            return False
        self._kept = opened.draft is not None
        # A draft goes on from what it began with: saving then shows what others changed since.
        self.base = opened.draft_base if opened.draft is not None and opened.draft_base else opened.base
        self.read_at = self.app.now()
        self.load(opened.draft if opened.draft is not None else opened.base)
        if opened.draft is not None and opened.draft != opened.base:
            self._say_unsaved(opened.draft_at)
        elif opened.stale:
            self.say(clean(opened.stale, 400), "warn")
        else:
            large = len(self.text) > HIGHLIGHT_MOST
            self.say(f"More than {HIGHLIGHT_MOST:,} characters: shown without colours." if large else "")
        await self.check()
        return True

    def _say_unsaved(self, at: float | None) -> None:
        """Drafts belong to a service, not to a connection: one may be of another connection or of another day."""
        when = f" of {show_time(at)} ({age(self.app.now() - at)} ago)" if at is not None else ""
        words = f"Your unsaved text{when} is back. F2 saves it; F5 drops it and takes the service's copy."
        connection = self.session.connection
        if connection.production:
            self.tell(f"PRODUCTION: unsaved text{when} is in the editor.", "warning")
            words = f"PRODUCTION {connection.name}: {words} It may come from another connection to this service."
        self.say(words, "warn" if connection.production else "info")

    # --- while one types ---

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        if self._timer is not None:
            self._timer.stop()
        if self._loading:
            self._loading = False
        else:
            self.typed()
        self._timer = self.set_timer(self.pause, lambda: self.app.spawn(self.check(), "check"))

    def typed(self) -> None:
        """The text differs: it is kept."""
        if self.opened is not None:
            self._kept = True
            self.service.draft(self.document_id, self.base, self.text)

    def leaving(self) -> None:
        """Say what is left behind: text that is no JSON. A draft that changes nothing is none."""
        if self.opened is None or not self._kept:
            return
        text = self.text
        try:
            same = text == self.base or not self.service.differences(self.base, text)
        except FleetError:
            words = f"The text of this {self.NOUN} is not JSON. It is kept here as a draft; nothing was sent."
            self.tell(words, "warning")
            return
        if same:
            self.app.spawn(self.service.drop_draft(self.document_id), "draft")

    async def check(self) -> None:
        """Check the text and compare it; a later call makes an earlier one worthless."""
        if self.gone:
            return
        self._checking += 1
        mine, text = self._checking, self.text
        self.area.highlight()
        checked = await self.look(text)
        found: Sequence[Any] = ()
        if checked.document is not None:
            try:
                compare = self.service.differences
                large = len(text) > _LARGE
                found = await asyncio.to_thread(compare, self.base, text) if large else compare(self.base, text)
            except FleetError:
                found = ()
        if mine != self._checking or self.gone:
            return
        self.checked, self.differences = checked, found
        self.area.tell(note_at(problem for problem in checked.problems if problem.line))
        self.show_problems()
        self.show_side()
        self.tick()

    # --- drawing ---

    def show_problems(self) -> None:
        """The list of what is wrong, there while something is."""
        self.show_these(self.checked.problems if self.checked is not None else ())

    def show_these(self, found: Sequence[Any], title_of: Callable[[str], str] | None = None) -> None:
        """Show these problems; title_of as of `problem_lines`."""
        problems = self.query_one("#problems", LinesView)
        width = problems.size.width or self.app.size.width
        lines = problem_lines(found, width, title_of=title_of)
        problems.display = bool(lines)
        problems.styles.height = max(1, min(_PROBLEM_ROWS, len(lines)))
        problems.set_lines(lines)

    def say(self, sentence: str, role: str = "muted") -> None:
        """A sentence over the document; "" takes it away."""
        if not self.gone:
            self.query_one(Notice).say(sentence, role)

    def name_in_text(self) -> str:
        """The name that the text gives it."""
        return clean(self.named(self.checked.document), 80) if self.checked is not None else ""

    def tick(self) -> None:
        if self.gone or not self.query("#title"):
            return
        held = None if self.opened is None else self.held
        name = self.name_in_text() or (clean(held.name) if held is not None else f"new {self.NOUN}")
        left: list[Part] = [part(f" {glyphs().more_left} {self.PLACE}   ", "muted")]
        left.append(part(name or "(no name)", bold=True))
        more, right = self.title_words()
        left += more
        if self.differences:
            left.append(part(" → draft" if held is not None else "   draft", "warn"))
        removal = any(item.kind == "removed" for item in self.differences)
        words = counted(self.differences) if self.readable else "not JSON yet"
        left.append(part(f"   {words}", "warn" if removal or not self.readable else "muted"))
        end: list[Part] = []
        wrong = 0
        if self.checked is not None:
            wrong = sum(1 for problem in self.checked.problems if not problem.warning)
            words = f"{wrong} problem{'s' if wrong != 1 else ''}" if wrong else "fits the contract"
            end.append(part(words, "bad" if wrong else "good"))
        title = self.query_one("#title", Lines)
        width = title.size.width or self.app.size.width
        if end and not wrong and length([*left, *end, *right]) + 2 > width:
            # What is in order gives way first.
            end = []
        title.show([spread(left, [*end, *right, part(" ")], width)])
        counts = self.counts()
        self.query_one("#views", Strip).tell([(key, words, counts.get(key)) for key, words in self.VIEWS], self.view)
