"""Theme files: both shipped ones are whole and legible, and a wrong one says what is wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from textual.app import App

from mdm_tui.tui.theme import (
    DEPTHS,
    ROLES,
    Palette,
    ThemeError,
    colour_depth,
    find_theme,
    load_theme,
    palette,
    theme_names,
    themes_dir,
    to_textual,
    use_theme,
)

NIGHT = (themes_dir() / "night.toml").read_text(encoding="utf-8")


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio of two #rrggbb colours."""

    def luminance(colour: str) -> float:
        parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
        red, green, blue = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_two_themes_are_shipped():
    assert theme_names() == ["day", "night"]


@pytest.mark.parametrize("name", ["night", "day"])
@pytest.mark.parametrize("depth", ["truecolor", "color256"])
def test_every_role_can_be_read_on_its_ground(name, depth):
    colours = load_theme(themes_dir() / f"{name}.toml").colours[depth]
    assert contrast(colours["text"], colours["ground"]) >= 10
    for role in ("muted", "accent", "good", "warn", "bad", "info", "marked"):
        assert contrast(colours[role], colours["ground"]) >= 4.5, role
    for role in ("text", "accent", "warn", "bad"):
        assert contrast(colours[role], colours["raised"]) >= 4.5, role
    assert contrast(colours["production"], colours["ground"]) >= 3


@pytest.mark.parametrize("name", ["night", "day"])
def test_states_differ_from_each_other_in_every_depth(name):
    theme = load_theme(themes_dir() / f"{name}.toml")
    for depth in DEPTHS:
        states = [theme.colours[depth][role] for role in ("text", "good", "warn", "bad", "info")]
        assert len(set(states)) == 5, depth


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", ["night", "day"])
async def test_textual_takes_it_and_css_knows_the_roles(name, depth):
    theme = load_theme(themes_dir() / f"{name}.toml")

    class Probe(App[None]):
        CSS = "\n".join(f".{role} {{ color: ${role}; }}" for role in ROLES)

        def __init__(self) -> None:
            super().__init__()
            use_theme(self, theme, depth)

    app = Probe()
    async with app.run_test():
        assert app.current_theme.dark is theme.dark
        assert app.theme_variables["muted"] == to_textual(theme, depth).variables["muted"]
        assert palette(app) == Palette(theme, depth)
        assert app.native_ansi_color is (depth == "color16")


def test_256_colours_are_sent_as_the_numbers_of_the_file():
    from rich.color import ColorSystem

    for name in theme_names():
        path = themes_dir() / f"{name}.toml"
        numbers = tomllib.loads(path.read_text(encoding="utf-8"))["color256"]
        colours = Palette(load_theme(path), "color256")
        for role in ROLES:
            colour = colours.style(role).color
            assert colour is not None
            assert colour.downgrade(ColorSystem.EIGHT_BIT).number == numbers[role], (name, role)


def test_styles_are_made_once():
    colours = Palette(load_theme(themes_dir() / "night.toml"))
    assert colours.style("bad") is colours.style("bad")
    assert colours.style("") == colours.style("text")
    assert colours.style("text", "raised") != colours.style("text")
    assert colours.style("text", bold=True).bold


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("[truecolor]", "[truecolour]"), ["truecolour: unknown key", "truecolor"]),
        (('muted = "#7f8b9b"', 'mutted = "#7f8b9b"'), ["truecolor.mutted: unknown key", "muted"]),
        (('muted = "#7f8b9b"', ""), ["[truecolor]", "missing are muted"]),
        (('muted = "#7f8b9b"', 'muted = "grey"'), ["truecolor.muted", "'grey'", "#rrggbb"]),
        (("muted = 245", "muted = 7"), ["color256.muted", "16 to 255"]),
        (("muted = 245", "muted = true"), ["color256.muted", "16 to 255"]),
        (('muted = "bright_black"', 'muted = "gray"'), ["color16.muted", "bright_black"]),
        (("dark = true", 'dark = "yes"'), ["dark", "true and false"]),
        (('name = "night"', 'name = "../x"'), ["name", "a-z"]),
        (("dark = true", "dark = = true"), ["is not TOML", "line"]),
    ],
)
def test_a_wrong_file_names_itself_the_key_and_what_is_allowed(tmp_path: Path, change, words):
    path = tmp_path / "mine.toml"
    assert change[0] in NIGHT
    path.write_text(NIGHT.replace(*change, 1), encoding="utf-8")
    with pytest.raises(ThemeError) as caught:
        load_theme(path)
    assert str(caught.value).startswith(str(path))
    for word in words:
        assert word in str(caught.value)


def test_a_persons_own_theme_wins_and_a_bad_one_falls_back_with_a_sentence(tmp_path: Path):
    own = tmp_path / "night.toml"
    own.write_text(NIGHT.replace("#10141b", "#000000"), encoding="utf-8")
    theme, problem = find_theme("night", tmp_path)
    assert theme.colours["truecolor"]["ground"] == "#000000"
    assert problem is None
    own.write_text("name = 1", encoding="utf-8")
    theme, problem = find_theme("night", tmp_path)
    assert theme.colours["truecolor"]["ground"] == "#10141b"
    assert problem is not None and str(own) in problem and "is used instead" in problem


@pytest.mark.parametrize("name", ["nosuch", "../night", "", "NIGHT"])
def test_an_unknown_name_falls_back_and_lists_what_there_is(tmp_path: Path, name):
    theme, problem = find_theme(name, tmp_path)
    assert theme.name == "night"
    assert problem is not None and "day, night" in problem


@pytest.mark.parametrize(
    ("environ", "depth"),
    [
        ({"COLORTERM": "truecolor", "TERM": "xterm"}, "truecolor"),
        ({"COLORTERM": "24bit"}, "truecolor"),
        ({"TERM": "xterm-direct"}, "truecolor"),
        ({"TERM": "xterm-256color"}, "color256"),
        ({"TERM": "xterm"}, "color16"),
        ({}, "color16"),
    ],
)
def test_colour_depth(environ, depth):
    assert colour_depth(environ) == depth
