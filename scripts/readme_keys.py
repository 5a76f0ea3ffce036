"""The README's table of keys, made from the registry of actions. `--write` puts it into the README; a test compares."""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
_PLACE = re.compile(r"(<!-- keys: made by scripts/readme_keys.py -->\n).*?(<!-- end of keys -->)", re.DOTALL)


def table() -> str:
    """One Markdown table for each place where keys work."""
    from mdm_tui.tui.actions import ACTIONS, GROUP_TITLES, key_text

    out: list[str] = []
    for group, title in GROUP_TITLES.items():
        rows = [action for action in ACTIONS if group in action.where]
        if not rows:
            continue
        out.append(f"\n**{title}**\n\n| key | what it does | name |\n| --- | --- | --- |\n")
        for action in rows:
            keys = " ".join(f"`{key}`" for key in key_text(action.keys).split()) or "in the palette"
            what = f"{action.title}: {action.help}" if action.help else action.title
            out.append(f"| {keys} | {what} | `{action.id}` |\n")
    return "".join(out) + "\n"


def filled(text: str) -> str:
    """The README's text with the table as it should be."""
    if not _PLACE.search(text):
        raise SystemExit("README.md has no place for the table of keys")
    return _PLACE.sub(lambda match: f"{match[1]}{table()}{match[2]}", text)


def main() -> int:
    sys.path.insert(0, str(README.parent))
    if "--write" in sys.argv[1:]:
        README.write_text(filled(README.read_text()))
        return 0
    print(table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
