"""A device's report as a file."""

from __future__ import annotations

import re
from typing import Any

from mdm_tui.fleet import inventory
from mdm_tui.tui.screens import devices_export

__all__ = ["FORMATS", "content", "write"]

# key, title, what for
FORMATS: tuple[tuple[str, str, str], ...] = (
    ("txt", "Text", "as on the screen"),
    ("md", "Markdown", "for a ticket or a wiki"),
    ("json", "JSON", "the neutral report"),
)
_WIDTH = 100


def content(screen: Any, kind: str) -> str:
    """The report in one of `FORMATS`."""
    contents = screen.contents
    if kind == "json":
        return inventory.to_json(contents.report) + "\n"
    if kind == "md":
        return inventory.to_markdown(contents.sections)
    return inventory.to_text(contents.sections, _WIDTH)


async def write(screen: Any, kind: str) -> None:
    """Write it into the working folder under the device's serial, for its owner alone, and say where or why not."""
    values = screen.contents.values
    name = re.sub(r"[^A-Za-z0-9_-]", "", str(values.get("serial") or "")) or screen.device_id
    text = content(screen, kind)
    await devices_export.save(screen, "The report is", f"device-{name[:40]}", kind, lambda: text)
