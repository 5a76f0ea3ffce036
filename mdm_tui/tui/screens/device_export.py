"""A device's report as a file."""

from __future__ import annotations

import re
from pathlib import Path
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


def write(screen: Any, kind: str) -> Path:
    """Write it into the working folder under the device's serial, for its owner alone. Raises OSError."""
    values = screen.contents.values
    name = re.sub(r"[^A-Za-z0-9_-]", "", str(values.get("serial") or "")) or screen.device_id
    return devices_export.write(Path.cwd(), f"device-{name[:40]}", kind, content(screen, kind), screen.app.now())
