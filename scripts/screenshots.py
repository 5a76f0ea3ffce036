"""`make screenshots`: each screen as SVG, drawn by the program itself on the embedded server in virtual time.

The fleet, its clock and everything done to it come from a seed, so that the pictures stay alike from one making to
the next.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "tui")]
# Times are drawn in the person's zone, commands under the person's name: everybody's pictures are to be the same.
os.environ["TZ"] = "UTC"
os.environ["LOGNAME"] = "marta"
time.tzset()

from house import House, open_house  # noqa: E402

from mdm_tui.tui.app import MdmApp  # noqa: E402

OUT = ROOT / "screenshots"
WIDTH, HEIGHT = 124, 34
_FONTS = re.compile(r"@font-face\s*\{[^}]*\}\s*")


async def keep(house: House, name: str) -> None:
    """Write the screen as it is now."""
    house.app.clear_notifications()
    # The preview follows the cursor after a rest.
    await house.pilot.pause(0.3)
    await house.rest()
    write(house.app, name)


def write(app: MdmApp, name: str) -> None:
    """The picture of what is shown. No font is fetched from anywhere: it stands alone."""
    svg = app.export_screenshot(title="mdm-tui", simplify=True)
    svg = _FONTS.sub("", svg).replace("Fira Code, monospace", "monospace").replace("Fira Code", "monospace")
    # The class names hold a random number.
    number = re.search(r"terminal-(\d+)-", svg)
    if number:
        svg = svg.replace(f"terminal-{number[1]}-", "mdm-").replace(f"terminal-{number[1]}", "mdm")
    svg = "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"
    (OUT / f"{name}.svg").write_text(svg)
    print(f"screenshots/{name}.svg")


async def command(house: House, name: str, ids: list[str]) -> None:
    """From the list to the confirmation of a command for these devices."""
    grid = house.screen.grid
    grid.marks.update(ids)
    grid.marks_changed()
    grid.move_cursor_to(ids[0])
    await house.press("c")
    await house.press(*["down"] * list(house.session.factory.commands).index(name), "enter")


async def send(house: House, name: str, ids: list[str]) -> None:
    """The same, typed and sent; back on the list."""
    await command(house, name, ids)
    await house.type(house.screen.plan.expects)
    await house.press("enter", "1", "u")


async def draw(folder: Path) -> None:
    """Walk through the screens."""
    options = {"devices": 240, "connection": {"name": "acme", "production": True}}
    async with open_house(folder, width=WIDTH, height=HEIGHT, **options) as house:
        house.session.arming.arm("acme", 60)
        source = house.screen.source
        ids = [source.id_at(index) for index in range(30)]
        await house.press("down", "down", "space", "down", "down", "down", "space", "down", "down")
        await keep(house, "devices")
        await house.press("enter")
        await keep(house, "device")
        await house.press("escape", "u")
        await command(house, "DISENROLL", ids[5:8])
        await keep(house, "confirm")
        await house.press("escape", "u")
        house.app.clear_notifications()
        await house.press("question_mark")
        await keep(house, "help")
        await house.press("escape", "2")
        await keep(house, "policies")
        await house.press("down", "enter")
        # One change that the contract takes, one that it does not.
        await house.press("down", "down", "down", "end", "left", *["backspace"] * 5)
        await house.type("true")
        await house.press("up", "end", "left", "left")
        await house.type("-")
        await keep(house, "policy")
        await house.press("escape", "1")
        await send(house, "REBOOT", ids[10:14])
        await house.advance(240)
        await send(house, "LOCK", [house.listening(), ids[18]])
        await house.advance(20)
        await send(house, "REBOOT", ids[20:22])
        await house.advance(2)
        await house.press("3")
        await keep(house, "queue")


async def draw_site(folder: Path) -> None:
    """The screens of a service with groups, a catalogue and rollouts."""
    options = {"devices": 240, "connection": {"name": "depot", "production": True}, "midm": True}
    async with open_house(folder, width=WIDTH, height=HEIGHT, **options) as house:
        house.session.arming.arm("depot", 60)
        await house.press("6")
        await house.rest()
        await house.press("right", "down", "right", "down", "down")
        await keep(house, "groups")
        await house.press("9")
        await house.rest()
        screen = house.screen
        screen.grid.move_cursor_to(next(one.id for one in screen.source.all() if one.name.startswith("Picking")))
        await house.press("enter")
        await keep(house, "rollout")


async def draw_both(folder: Path) -> None:
    """Two systems as one list."""
    options = {"devices": 240, "connection": {"name": "acme"}, "beside": "depot"}
    async with open_house(folder, width=WIDTH, height=HEIGHT, **options) as house:
        house.app.open_connection("depot")
        await house.rest()
        await house.advance(120)
        await house.press("B", "d", "down")
        await keep(house, "both")


def main() -> int:
    OUT.mkdir(exist_ok=True)
    for made in (draw, draw_site, draw_both):
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(made(Path(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
