"""The apps of a device as a section of its report, where a service keeps their list apart from it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from .devices import App
from .inventory import Column, Entry, Section, Table
from .values import Kind, age, show

__all__ = ["apps_section"]

_COLUMNS: tuple[tuple[str, str, Kind], ...] = (
    ("Name", "name", "text"), ("Package", "package", "text"), ("Version", "version", "version"),
    ("Code", "version_code", "int"), ("State", "state", "enum"), ("Source", "source", "enum"),
    ("Size", "size", "bytes"), ("Data", "data", "bytes"), ("SDK", "target_sdk", "int"),
    ("Installed", "installed_at", "time"), ("Updated", "updated_at", "time"),
)  # fmt: skip
# An app is known by these even where no other app of the list has them.
_ALWAYS = ("name", "version", "package")


def apps_section(apps: Sequence[App], now: float) -> Section:
    """The list as a section of the report; columns of which the service says nothing are left out."""
    columns: list[tuple[str, str, Kind]] = [
        (title, key, kind)
        for title, key, kind in _COLUMNS
        if key in _ALWAYS or any(getattr(app, key) not in (None, "") for app in apps)
    ]
    rows = tuple(tuple(_entry(app, title, key, kind) for title, key, kind in columns) for app in apps)
    told = max((app.reported_at for app in apps if app.reported_at is not None), default=None)
    title = "Installed" if told is None else f"Installed, as reported {_ago(now - told)}"
    table = Table(title, "apps", tuple(Column(title, kind) for title, _key, kind in columns), rows)
    return Section("applications", "Applications", (table,))


def _ago(seconds: float) -> str:
    gone = age(seconds)
    return gone if gone == "now" or gone.startswith("in ") else f"{gone} ago"


def _entry(app: App, title: str, key: str, kind: Kind) -> Entry:
    value = getattr(app, key)
    text = show(value, kind)[:10] if kind == "time" else show(value, kind)
    return Entry(title, text, kind, value, f"apps.{app.package}.{key}")
