"""Themes: twelve roles, each a colour for true colour, 256 and 16 colours.

Widgets name roles and nothing else; in Textual CSS a role is a variable (`$muted`), in the line API it is
`palette(app).style("muted")`. A theme is a TOML file: ours are shipped as data, a person's own lie in a folder
that the caller names.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

from rich.color import Color as RichColor
from rich.style import Style
from textual.app import App
from textual.theme import Theme

Depth = Literal["truecolor", "color256", "color16"]
DEPTHS: Final[tuple[Depth, ...]] = get_args(Depth)

ROLES: Final = (
    "ground",
    "raised",
    "line",
    "text",
    "muted",
    "accent",
    "good",
    "warn",
    "bad",
    "info",
    "marked",
    "production",
)
ANSI_NAMES: Final = (
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "white",
    "bright_black",
    "bright_red",
    "bright_green",
    "bright_yellow",
    "bright_blue",
    "bright_magenta",
    "bright_cyan",
    "bright_white",
)
DEFAULT: Final = "night"

_HEX = re.compile(r"#[0-9a-fA-F]{6}\Z")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}\Z")


class ThemeError(Exception):
    """A theme file that cannot be used. Its text names the file, the key and what is allowed."""


@dataclass(frozen=True, slots=True)
class ThemeFile:
    """One theme as its file says it, checked.

    `colours` holds, for each depth, every role as a colour Textual and Rich both understand:
    `#rrggbb` for true colour and 256, `ansi_…` for 16.
    """

    name: str
    title: str
    dark: bool
    colours: Mapping[Depth, Mapping[str, str]]
    path: Path | None = None


def themes_dir() -> Path:
    """Where the shipped themes lie: inside the installed package, or beside it in a source tree."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "themes"
    return inside if inside.is_dir() else package.parent / "themes"


def load_theme(path: Path) -> ThemeFile:
    """Read and check one theme file.

    Raises:
        ThemeError: the file cannot be read, is not TOML, or has a missing, unknown or wrong key.
    """
    try:
        with path.open("rb") as file:
            data = tomllib.load(file)
    except OSError as error:
        raise ThemeError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ThemeError(f"{path}: is not TOML: {error}") from None
    _only(path, "", data, ("name", "title", "dark", *DEPTHS))
    name = data.get("name", path.stem)
    if not isinstance(name, str) or not _NAME.match(name):
        raise ThemeError(f"{path}: name: allowed are a-z, 0-9 and -, a letter first, at most 32 characters")
    title = data.get("title", name)
    if not isinstance(title, str) or not title.isprintable():
        raise ThemeError(f"{path}: title: allowed is printable text")
    dark = data.get("dark", True)
    if not isinstance(dark, bool):
        raise ThemeError(f"{path}: dark: allowed are true and false")
    colours: dict[Depth, Mapping[str, str]] = {depth: MappingProxyType(_table(path, data, depth)) for depth in DEPTHS}
    return ThemeFile(name, title, dark, MappingProxyType(colours), path)


def find_theme(name: str, user_dir: Path | None = None) -> tuple[ThemeFile, str | None]:
    """The theme called `name`, and a sentence if it could not be had and the default stands in.

    A file in `user_dir` wins over a shipped one of the same name.
    """
    problem: str | None = None
    for folder in (user_dir, themes_dir()):
        path = folder / f"{name}.toml" if folder is not None and _NAME.match(name) else None
        if path is None or not path.is_file():
            continue
        try:
            return load_theme(path), problem
        except ThemeError as error:
            problem = problem or f"{error}. The theme {DEFAULT} is used instead."
    known = ", ".join(theme_names(user_dir))
    problem = problem or f"No theme is called {name!r}. There are: {known}. The theme {DEFAULT} is used instead."
    return load_theme(themes_dir() / f"{DEFAULT}.toml"), problem


def theme_names(user_dir: Path | None = None) -> list[str]:
    """Names of all themes that can be chosen, shipped and the person's own."""
    folders = [themes_dir(), *([user_dir] if user_dir is not None else [])]
    return sorted({path.stem for folder in folders for path in folder.glob("*.toml")})


def colour_depth(environ: Mapping[str, str] = os.environ) -> Depth:
    """How many colours the terminal says it has, by the usual variables."""
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return "truecolor"
    term = environ.get("TERM", "").strip().lower()
    if term.endswith("-direct"):
        return "truecolor"
    return "color256" if "256" in term else "color16"


# --- towards Textual ---------------------------------------------------------------------------------------


def to_textual(theme: ThemeFile, depth: Depth = "truecolor") -> Theme:
    """The theme as Textual's own, with a CSS variable for each role. Textual's names are mapped on ours,
    so that its built-in widgets (inputs, the palette) look like the rest."""
    c = theme.colours[depth]
    variables = {role: c[role] for role in ROLES}
    variables |= {
        "text": c["text"],
        "text-muted": c["muted"],
        "text-disabled": c["muted"],
        "border": c["accent"],
        "border-blurred": c["line"],
        "block-cursor-foreground": c["text"] if depth != "color16" else c["ground"],
        "block-cursor-background": c["line"] if depth != "color16" else c["accent"],
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-foreground": c["text"],
        "block-cursor-blurred-background": c["raised"],
        "block-hover-background": c["raised"],
        "input-cursor-background": c["accent"],
        "input-cursor-foreground": c["ground"],
        "input-selection-background": c["line"],
        "input-selection-foreground": c["text"],
        "screen-selection-background": c["line"],
        "screen-selection-foreground": c["text"],
        "scrollbar": c["line"],
        "scrollbar-hover": c["muted"],
        "scrollbar-active": c["accent"],
        "scrollbar-background": c["ground"],
        "scrollbar-background-hover": c["ground"],
        "scrollbar-background-active": c["ground"],
        "scrollbar-corner-color": c["ground"],
        "footer-background": c["ground"],
        "footer-foreground": c["muted"],
        "footer-key-foreground": c["accent"],
        "footer-description-foreground": c["muted"],
        "link-color": c["info"],
        # Textual's own sheets ask for these two when it leaves the terminal's 16 colours alone.
        "ansi-background": c["ground"],
        "ansi-foreground": c["text"],
    }
    return Theme(
        name=theme_id(theme, depth),
        primary=c["accent"],
        secondary=c["info"],
        warning=c["warn"],
        error=c["bad"],
        success=c["good"],
        accent=c["accent"],
        foreground=c["text"],
        background=c["ground"],
        surface=c["ground"],
        panel=c["raised"],
        boost=c["raised"],
        dark=theme.dark,
        text_alpha=1.0,
        variables=variables,
        ansi=depth == "color16",
    )


def theme_id(theme: ThemeFile, depth: Depth) -> str:
    """The name under which a theme at a depth is registered with Textual."""
    return theme.name if depth == "truecolor" else f"{theme.name}-{depth.removeprefix('color')}"


@dataclass(frozen=True)
class Palette:
    """The roles of one theme at one depth as Rich styles, for widgets that paint lines themselves."""

    theme: ThemeFile
    depth: Depth = "truecolor"
    _styles: dict[tuple[str, str, bool], Style] = field(default_factory=dict, repr=False, compare=False)

    def style(self, role: str = "", on: str = "ground", *, bold: bool = False) -> Style:
        """The style of a role (empty: text) on another role's colour."""
        key = (role, on, bold)
        style = self._styles.get(key)
        if style is None:
            colours = self.theme.colours[self.depth]
            style = Style(color=_rich(colours[role or "text"]), bgcolor=_rich(colours[on]), bold=True if bold else None)
            self._styles[key] = style
        return style


_palettes: dict[str, Palette] = {}


def use_theme(app: App[Any], theme: ThemeFile, depth: Depth = "truecolor") -> Palette:
    """Register the theme with the app, choose it, and answer with its palette."""
    textual_theme = to_textual(theme, depth)
    palette = Palette(theme, depth)
    _palettes[textual_theme.name] = palette
    app.register_theme(textual_theme)
    if app.is_running:
        app.theme = textual_theme.name
    else:
        # Before the start there is nothing to repaint: Textual's watcher would have every style sheet read twice more.
        app.set_reactive(App.theme, textual_theme.name)
        app.stylesheet.set_variables(app.get_css_variables())
        app.update_classes(
            {
                f"-theme-{textual_theme.name}": True,
                "-dark-mode": textual_theme.dark,
                "-light-mode": not textual_theme.dark,
            },
            update=False,
        )
    return palette


def palette(app: App[Any]) -> Palette:
    """The palette of the theme the app shows now; the default theme's where it shows one that is not ours."""
    return _palettes.get(app.theme) or _default_palette()


@lru_cache(1)
def _default_palette() -> Palette:
    return Palette(load_theme(themes_dir() / f"{DEFAULT}.toml"))


def style(app: App[Any], role: str = "", on: str = "ground", *, bold: bool = False) -> Style:
    """Shorthand for `palette(app).style(…)`."""
    return palette(app).style(role, on, bold=bold)


# --- checking ----------------------------------------------------------------------------------------------


def _only(path: Path, where: str, table: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
    for key in table:
        if key not in allowed:
            raise ThemeError(f"{path}: {where}{key}: unknown key; allowed are {', '.join(allowed)}")


def _table(path: Path, data: Mapping[str, Any], depth: Depth) -> dict[str, str]:
    table = data.get(depth)
    if not isinstance(table, dict):
        raise ThemeError(f"{path}: [{depth}]: the table is missing; it gives each role a colour")
    _only(path, f"{depth}.", table, ROLES)
    missing = [role for role in ROLES if role not in table]
    if missing:
        raise ThemeError(f"{path}: [{depth}]: missing are {', '.join(missing)}")
    return {role: _colour(path, depth, role, table[role]) for role in ROLES}


def _colour(path: Path, depth: Depth, role: str, value: Any) -> str:
    where = f"{path}: {depth}.{role}: {value!r}"
    if depth == "truecolor":
        if isinstance(value, str) and _HEX.match(value):
            return value.lower()
        raise ThemeError(f'{where}; allowed is "#rrggbb"')
    if depth == "color256":
        if isinstance(value, int) and not isinstance(value, bool) and 16 <= value <= 255:
            return _hex256(value)
        raise ThemeError(f"{where}; allowed are whole numbers from 16 to 255")
    if value == "default" or value in ANSI_NAMES:
        return f"ansi_{value}"
    raise ThemeError(f"{where}; allowed are default, {', '.join(ANSI_NAMES)}")


def _hex256(number: int) -> str:
    """The true colour that Rich sends as this number where there are 256."""
    if number < 232:
        return RichColor.from_ansi(number).get_truecolor().hex
    # Rich divides the greys evenly from black (231) to white (256), the palette does not.
    grey = round((number - 231) / 25 * 255)
    return f"#{grey:02x}{grey:02x}{grey:02x}"


@lru_cache(256)
def _rich(colour: str) -> RichColor:
    return RichColor.parse(colour.removeprefix("ansi_"))
