"""What connections disagree in about one device, in the words of the screen and of the command line."""

from __future__ import annotations

from typing import Final

__all__ = ["DISAGREEMENTS", "IN_ROW"]

DISAGREEMENTS: Final = {"version": "OS or build", "group": "group", "seen": "last seen", "only": "only in one"}
"""By the name of the disagreement, see `TwinRow.differs`."""
IN_ROW: Final = {**DISAGREEMENTS, "os": "OS", "build": "build"}
"""How a row says each of `TwinRow.differs_in`."""
