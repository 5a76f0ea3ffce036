"""The registry of actions: what a person can do, on which key, and where.

Bindings of the app, the screens and the grid, the help, the palette and the table in the README are all made from
it; a key that is not here does not exist. Screens implement `action_…` under the names in `do`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from textual.binding import Binding, BindingType

from mdm_tui.fleet.provider import Capability
from mdm_tui.tui.modes import SCREENS
from mdm_tui.tui.widgets.grid_keys import GRID_KEYS

__all__ = [
    "ACTIONS",
    "BY_ID",
    "GROUP_TITLES",
    "Action",
    "bindings",
    "check_keymap",
    "for_groups",
    "help_lines",
    "key_text",
]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do.

    id: stable, the name in a keymap. keys: default keys, comma-separated, Textual's names; "" for none until a keymap
    gives one: a dialog or the palette has it. title: two or three words.
    where: groups it works in (see `GROUP_TITLES`). do: the Textual action, looked up on whatever owns the group.
    help: one line more, "" when the title says it all. palette: offered in the palette. line: the help shows
    neighbours of the same line as one. needs: capabilities of which the service must have one, () for none.
    """

    id: str
    keys: str
    title: str
    where: tuple[str, ...]
    do: str
    help: str = ""
    palette: bool = True
    line: str = ""
    needs: tuple[Capability, ...] = ()

    def offered(self, capabilities: Collection[Capability] | None) -> bool:
        """Whether a service with these capabilities can do it; None: whatever it is."""
        return capabilities is None or not self.needs or any(one in capabilities for one in self.needs)


# In the order in which the help shows them.
GROUP_TITLES: Final[dict[str, str]] = {
    "devices": "Devices",
    "device": "Device",
    "policies": "Policies",
    "policy": "Policy editor",
    "queue": "Queue",
    "rollouts": "Rollouts",
    "rollout": "Rollout editor",
    "groups": "Groups",
    "catalogue": "Apps and images",
    "record": "One of them, whole",
    "register": "Registering devices",
    "both": "Both: all open connections",
    "connections": "The list of connections",
    "form": "Editing a device",
    "field": "A field of a form",
    "list": "Moving and marking",
    "moves": "Moving",
    "tree": "In the tree",
    "everywhere": "Everywhere",
}

_SCREENS = (("devices", "Devices"), ("policies", "Policies"), ("queue", "Queue"), ("activity", "Activity"),
            ("pulse", "Pulse"), ("groups", "Groups"), ("apps", "Apps"), ("images", "Images"),
            ("rollouts", "Rollouts"))  # fmt: skip
_FLAT = ("devices", "policies", "queue", "catalogue", "rollouts", "both")
_LISTS = (*_FLAT, "groups")
_LATER = frozenset({"activity", "pulse"})
_NEEDS = {place.key: (place.needs,) for place in SCREENS if place.needs is not None}
_LINES = {
    "grid.up": "Up, down", "grid.down": "Up, down", "grid.page_up": "A page", "grid.page_down": "A page",
    "grid.half_page_up": "Half a page", "grid.half_page_down": "Half a page", "grid.home": "First row, last row",
    "grid.end": "First row, last row", "grid.left": "Columns, when wide", "grid.right": "Columns, when wide",
    "grid.extend_up": "Mark up, down", "grid.extend_down": "Mark up, down",
    "grid.next": "Next, previous fault", "grid.previous": "Next, previous fault",
}  # fmt: skip
# What a list without columns to scroll and without marks has too.
_SHARED = frozenset(_LINES) - {"grid.left", "grid.right", "grid.extend_up", "grid.extend_down"} | {"grid.open"}
_MOVES = frozenset(_LINES) - {"grid.next", "grid.previous"}

ACTIONS: Final[tuple[Action, ...]] = (
    # everywhere: owned by the app
    *(
        Action(f"go.{name}", str(number), title, ("everywhere",), f"go('{name}')", palette=name not in _LATER,
               line="Not in this version" if name in _LATER else "The screens on top", needs=_NEEDS.get(name, ()))
        for number, (name, title) in enumerate(_SCREENS, 1)
    ),
    Action("bar.open", "colon", "Go anywhere", ("everywhere",), "command_bar",
           "a screen, a device by name or serial, words to filter by, a theme"),
    Action("palette.open", "ctrl+p", "Palette", ("everywhere",), "command_palette", palette=False),
    Action("help.open", "question_mark", "Keys that work here", ("everywhere",), "help"),
    Action("back", "escape,q", "One layer back", ("everywhere",), "back"),
    Action("connections", "at", "Connections", ("everywhere",), "connections",
           "shows another one, opens several beside each other, closes one"),
    Action("go.register", "", "Register devices", ("everywhere",), "register", "from a list or a CSV file",
           needs=(Capability.DEVICE_REGISTER,)),
    Action("both", "B", "Both", ("everywhere",), "both", "the devices of all open connections, joined by serial"),
    Action("arm", "A", "Arm or lock", ("everywhere",), "arm", "a production connection, for a while, to change things"),
    Action("quit", "ctrl+q", "Quit", ("everywhere",), "leave", "asks if something is running"),
    Action("copy.selection", "ctrl+c", "Copy or clear", ("everywhere",), "copy_or_clear",
           "copies what is selected, else clears what is typed; never quits", palette=False),
    # lists: owned by the screen that has the list
    Action("filter.open", "slash", "Filter", _LISTS, "filter", "words side by side must all be there"),
    Action("sort.by", "s", "Sort by", _FLAT, "sort", "the same column again turns it round", line="Sort by, then by"),
    Action("sort.add", "S", "Add to the sorting", _FLAT, "sort_add", line="Sort by, then by"),
    Action("refresh", "r", "Refresh now", (*_LISTS, "device", "rollout"), "refresh_now",
           "reads anew, and lets the order settle"),
    Action("act", "c", "Act", ("devices", "device"), "act",
           "the commands for the marked devices, else for the one under the cursor",
           needs=(Capability.COMMANDS, Capability.DEVICE_HAS_APP)),
    Action("policies.act", "c", "Act", ("policies",), "act", "assign to devices, copy, delete; choose the segment"),
    Action("rollouts.act", "c", "Act", ("rollouts",), "act", "open, copy, enable or disable, how far it is"),
    Action("cancel", "c", "Cancel", ("queue",), "act",
           "what is pending; what an earlier session left unsent is sent or withdrawn"),
    Action("edit", "e", "Edit", ("devices", "device", "policies"), "edit",
           needs=(Capability.DEVICE_EDIT, Capability.POLICY_EDIT)),
    Action("new", "plus", "New", ("policies", "rollouts"), "new"),
    Action("register", "plus", "Register devices", ("devices",), "register", palette=False,
           needs=(Capability.DEVICE_REGISTER,)),
    Action("group.new", "plus", "New", ("groups",), "new", "a group below the one under the cursor, or devices in it",
           needs=(Capability.GROUP_EDIT, Capability.DEVICE_REGISTER)),
    Action("group.rename", "e", "Rename", ("groups",), "rename", needs=(Capability.GROUP_EDIT,)),
    Action("group.act", "c", "Act", ("groups",), "act", "rename, move, delete; a new group, devices to register"),
    Action("group.devices", "o", "Devices", ("groups",), "devices", "of the group, also with the groups below it"),
    Action("group.whole", "asterisk", "Open all below", ("groups",), "open_all", "pressed again, closes them"),
    Action("rollouts.edit", "e", "Edit", ("rollouts",), "edit"),
    Action("rollouts.related", "o", "Related", ("rollouts",), "related", "whom it reaches, what it installs"),
    Action("rollouts.using", "o", "Rollouts", ("catalogue", "record"), "related", "those that use it",
           needs=(Capability.ROLLOUTS,)),
    Action("more", "greater_than_sign", "Next page", ("catalogue",), "more", "of what the service finds"),
    Action("copy", "y", "Copy", (*_LISTS, "device", "record"), "copy", "a line fit for a ticket"),
    Action("copy.all", "Y", "Copy all of it", ("device", "record"), "copy_all"),
    Action("export", "x", "Export", (*_LISTS, "device"), "export", "what is seen, to a CSV or JSON file"),
    Action("marks.only", "m", "Only marked", ("devices", "both"), "only_marked"),
    Action("faults.only", "f", "Faults only", ("devices",), "faults_only"),
    Action("freeze", "z", "Freeze", ("devices", "both"), "freeze", "order and members stay until it is pressed again"),
    Action("columns", "W", "Choose columns", ("devices",), "columns"),
    Action("preview", "p", "Preview", ("devices", "groups", "both"), "preview"),
    Action("both.act", "c", "Act", ("both",), "act", "asks which system first; a run never crosses connections"),
    Action("both.differ", "d", "Disagreements", ("both",), "differ", "only devices on which the systems disagree"),
    Action("both.only", "F", "Which disagreements", ("both",), "which", "version, group, last seen, only in one"),
    Action("connection.show", "enter", "Show it", ("connections",), "show", palette=False),
    Action("connection.open", "space", "Open it beside", ("connections",), "open", palette=False),
    Action("connection.close", "x,delete", "Close it", ("connections",), "close", "asks when something is being sent",
           palette=False),
    Action("scope", "", "Segment", ("policies",), "scope", "of this connection, as :segment"),
    Action("duplicate", "", "Copy the policy", ("policies",), "duplicate", "a new one that begins as it is"),
    Action("delete", "", "Delete", ("policies",), "delete"),
    Action("assign", "", "Assign to devices", ("policies",), "assign", "to the marked ones, else to one to be chosen"),
    # views and sections
    Action("section.next", "greater_than_sign", "Next section", ("device", "queue"), "section(1)",
           line="Next, previous section"),
    Action("section.previous", "less_than_sign", "Previous section", ("device", "queue"),
           "section(-1)", line="Next, previous section"),
    Action("section.tab", "tab", "Next section", ("device",), "section(1)", palette=False, line="Sections too"),
    Action("section.back_tab", "shift+tab", "Previous section", ("device",), "section(-1)", palette=False,
           line="Sections too"),
    Action("app.ask", "", "Is an app installed?", ("device",), "ask_app", "asks the service for one package",
           needs=(Capability.DEVICE_HAS_APP, Capability.DEVICE_APPS)),
    Action("apps.sort", "s", "Sort the apps", ("device",), "sort_apps", "the same column again turns it round",
           needs=(Capability.DEVICE_APPS,)),
    Action("find", "slash", "Find", ("device",), "find", "in the report"),
    Action("find.next", "n", "Next match or fault", ("device",), "find_next(1)", line="Next match or fault"),
    Action("find.previous", "N", "Previous match or fault", ("device",), "find_next(-1)", line="Next match or fault"),
    Action("related", "o", "Related", ("device", "queue"), "related",
           "a device's policy or group, a command's device",
           needs=(Capability.POLICIES, Capability.GROUPS, Capability.COMMANDS)),
    # the editors of policies and rollouts: function keys, because letters are text there
    Action("policy.save", "f2,ctrl+s", "Save", ("policy", "rollout"), "save"),
    Action("policy.view", "f3", "Next view", ("policy", "rollout"), "switch_view",
           "the document, what changed, what it would do; also while the text is typed"),
    Action("view.next", "greater_than_sign", "Next view", ("policy", "rollout"), "section(1)", palette=False,
           line="Next, previous view; not in the text"),
    Action("view.previous", "less_than_sign", "Previous view", ("policy", "rollout"), "section(-1)", palette=False,
           line="Next, previous view; not in the text"),
    Action("policy.editor", "f4", "$EDITOR", ("policy", "rollout"), "external_editor"),
    Action("policy.reread", "f5", "Read again", ("policy", "rollout"), "reread", "the service's copy, after asking"),
    Action("undo", "ctrl+z", "Undo", ("rollout",), "undo", line="Undo, redo"),
    Action("redo", "ctrl+y", "Redo", ("rollout",), "redo", line="Undo, redo"),
    Action("rollout.out", "delete,backspace", "Take out of the scope", ("rollout",), "take_out",
           "the group or device under the cursor", palette=False),
    # registering devices: function keys for the whole, because letters are text in the list
    Action("register.send", "f2,ctrl+s", "Check, then send", ("register",), "send"),
    Action("register.file", "f3", "CSV file", ("register",), "file", "read its rows"),
    Action("register.terms", "f4", "License, group", ("register",), "terms", "and whether licenses are renewed"),
    Action("register.again", "f5", "Begin again", ("register",), "check_again",
           "checks all anew; after sending, a new list"),
    Action("register.stop", "f6", "Stop", ("register",), "stop", "the check, or the sending"),
    Action("register.name", "space", "Reset this one", ("register",), "name_one",
           "one that exists: it is saved again, and its status is reset"),
    Action("register.export", "f7", "Export", ("register",), "export", "the rows and what became of them"),
    # forms: function keys for the whole, because letters are text there
    Action("form.send", "f2,ctrl+s", "Send the changes", ("form",), "send"),
    Action("form.reread", "f5", "Start again", ("form",), "reread", "from what the service holds"),
    Action("form.next", "down", "Next field", ("form",), "focus_by(1)", palette=False),
    Action("form.previous", "up", "Previous field", ("form",), "focus_by(-1)", palette=False),
    Action("field.choose", "enter", "Choose", ("field",), "choose", palette=False),
    Action("field.add", "plus", "Add", ("field",), "add", palette=False),
    Action("field.clear", "delete,backspace", "Remove", ("field",), "clear", palette=False),
    # the list itself: owned by the grid
    *(
        Action(name, keys, title[:1].upper() + title[1:], ("list", "moves") if name in _SHARED else ("list",), do,
               palette=name not in _MOVES, line=_LINES.get(name, ""))
        for keys, do, name, title in GRID_KEYS
    ),
    # the tree: owned by its grid
    Action("tree.close", "left,h", "Close, or to the one above", ("tree",), "close", palette=False),
    Action("tree.open", "right,l,space", "Open", ("tree",), "unfold", palette=False),
)  # fmt: skip

# A keymap moves bindings, so what has no key is bound to one that no keyboard has.
_NO_KEY: Final = "none"

BY_ID: Final[dict[str, Action]] = {action.id: action for action in ACTIONS}

_NAMES: Final = {
    "question_mark": "?", "slash": "/", "colon": ":", "greater_than_sign": ">", "less_than_sign": "<", "plus": "+",
    "asterisk": "*", "at": "@", "escape": "esc", "pageup": "pgup", "pagedown": "pgdn", "space": "space",
    "f2": "F2", "f3": "F3", "f4": "F4", "f5": "F5", "f6": "F6", "f7": "F7",
}  # fmt: skip


def for_groups(groups: Iterable[str], capabilities: Collection[Capability] | None = None) -> list[Action]:
    """The actions of these groups, in the registry's order; only those that a service can do."""
    wanted = frozenset(groups)
    return [action for action in ACTIONS if wanted.intersection(action.where) and action.offered(capabilities)]


def bindings(group: str, only: Collection[str] | None = None) -> list[BindingType]:
    """Textual bindings for the owner of a group; each has the action's id, so that a keymap can move it.

    only: ids of the actions wanted, None for all of the group.
    """
    return [
        Binding(
            action.keys or _NO_KEY,
            action.do,
            action.title,
            show=False,
            id=action.id,
            priority=action.id in ("quit", "palette.open"),
        )
        for action in for_groups((group,))
        if only is None or action.id in only
    ]


def help_lines(actions: Iterable[Action], keys_of: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """Keys and what they do, as the help says it; actions of one `line` side by side share theirs.

    What is not in this version is left out.
    """
    found: list[tuple[str, str, str]] = []
    for action in actions:
        keys = key_text((keys_of or {}).get(action.id, action.keys))
        if not keys or action.line == "Not in this version":
            continue
        if action.line and found and found[-1][2] == action.line:
            found[-1] = (f"{found[-1][0]} {keys}", action.line, action.line)
        else:
            found.append((keys, action.line or action.title, action.line))
    return [(_shorter(keys), title) for keys, title, _line in found]


def _shorter(keys: str) -> str:
    """`1 2 3 6` is `1-3 6`, `shift+up shift+down` is `shift+up/down`, `up k down j` is `up down k j`."""
    names = keys.split(" ")
    if len(names) > 2 and all(name.isdigit() for name in names):
        runs: list[list[int]] = []
        for number in map(int, names):
            if runs and runs[-1][-1] == number - 1:
                runs[-1].append(number)
            else:
                runs.append([number])
        return " ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
    if len(names) == 2 and "+" in names[0] and names[0].split("+")[0] == names[1].split("+")[0]:
        return f"{names[0]}/{names[1].split('+')[1]}"
    return " ".join([name for name in names if len(name) > 1] + [name for name in names if len(name) == 1])


def key_text(keys: str) -> str:
    """Keys as people read them: `f2,ctrl+s` is `F2 ctrl+s`."""
    return " ".join(_NAMES.get(key, key) for key in keys.split(","))


def check_keymap(keymap: Mapping[str, str]) -> list[str]:
    """What is wrong with a person's keymap (action id → keys), one sentence each; empty when nothing is.

    Textual ignores unknown ids and lets a key be stolen without a word; so both are looked for here.
    """
    found: list[str] = []
    keys_of = {action.id: action.keys for action in ACTIONS}
    for name, keys in keymap.items():
        if name not in BY_ID:
            found.append(f"keys.{name}: no action is called so; the help (?) and the README list them.")
        elif not keys.strip():
            found.append(f"keys.{name}: no key given.")
        else:
            keys_of[name] = keys
    for number, first in enumerate(ACTIONS):
        for second in ACTIONS[number + 1 :]:
            if not (first.id in keymap or second.id in keymap) or not _meet(first, second):
                continue
            shared = set(_split(keys_of[first.id])) & set(_split(keys_of[second.id]))
            found.extend(f"keys: {key} is both {first.id} and {second.id}; give one of them another key."
                         for key in sorted(shared))  # fmt: skip
    return found


def _split(keys: str) -> list[str]:
    return [key.strip() for key in keys.split(",") if key.strip()]


def _meet(first: Action, second: Action) -> bool:
    """Whether both can be meant at once: the app's keys work beside any screen's, the grid's beside a list's."""
    one, other = {*first.where}, {*second.where}
    for mine, theirs in ((one, other), (other, one)):
        if "everywhere" in mine or ("list" in mine and theirs & {*_LISTS, "list"}):
            return True
    return bool(one & other)
