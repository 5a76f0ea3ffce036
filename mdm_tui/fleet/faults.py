"""What is wrong with a device, in plain words, from its column values. Time-dependent faults are asked with a clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from .devices import Value
from .values import age

__all__ = ["LOW_BATTERY", "SILENT_AFTER", "find", "role", "silent"]

LOW_BATTERY = 15
HOT = 50.0
SILENT_AFTER = 6 * 3600.0
PATCH_AFTER_DAYS = 365
# What may be as it is meant to be; every other fault is "bad".
_MILD = ("leaving", "left management", "outdated", "policy not applied", "silent ")


def find(values: Mapping[str, Value], *, today: date) -> str:
    """The faults that hold until the device reports again, joined by ", "; "" when there are none."""
    found: list[str] = []
    state = values.get("state")
    if state == "PENDING_DISENROLL":
        found.append("leaving")
    if state == "DELETED":
        return "left management"
    if values.get("applied") == "error":
        found.append("policy failed")
    if values.get("pushed") == 0:
        found.append("policy not applied")
    if values.get("compliant") == 0:
        found.append("not compliant")
    battery = values.get("battery")
    if isinstance(battery, (int, float)) and 0 <= battery < LOW_BATTERY:
        found.append("low battery")
    temp = values.get("temp")
    if isinstance(temp, (int, float)) and temp >= HOT:
        found.append("hot")
    if values.get("posture") in ("AT_RISK", "POTENTIALLY_COMPROMISED"):
        found.append("at risk" if values["posture"] == "AT_RISK" else "may be compromised")
    if values.get("encrypted") == 0:
        found.append("not encrypted")
    if _outdated(values.get("patch"), today):
        found.append("outdated")
    return ", ".join(found)


def silent(seen: Value, now: float) -> str:
    """`silent 9h` when the last report is older than `SILENT_AFTER` seconds, else ""."""
    if isinstance(seen, (int, float)) and now - seen > SILENT_AFTER:
        return f"silent {age(now - seen)}"
    return ""


def role(words: str) -> str:
    """The theme role of one fault, or of several joined by ", ": `bad` when one of them is, else `warn`."""
    return "warn" if all(word.strip().startswith(_MILD) for word in words.split(",")) else "bad"


def _outdated(patch: Value, today: date) -> bool:
    if not isinstance(patch, str):
        return False
    try:
        return (today - date.fromisoformat(patch)).days > PATCH_AFTER_DAYS
    except ValueError:
        return False
