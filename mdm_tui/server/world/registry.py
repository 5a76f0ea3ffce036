"""People, push providers, applications and segments: small, read often, kept in memory."""

from __future__ import annotations

import json

from .catalog import APPS
from .database import Database
from .places import PLACE_BY_ID, ancestors, descendants
from .records import Application, Person


class Registry:
    """Read-only lists that the rest of the world refers to."""

    def __init__(self, database: Database) -> None:
        self.people: dict[str, Person] = {
            row[0]: Person(row[0], row[1], row[2], json.loads(row[3]), row[4], row[5])
            for row in database.all("SELECT id, email, name, tags, language, department FROM person ORDER BY id")
        }
        self.providers: dict[str, str] = dict(database.all("SELECT id, name FROM provider ORDER BY id"))
        self.applications: dict[str, Application] = {
            row[0]: Application(*row)
            for row in database.all(
                "SELECT id, number, package, title, slug, source, selector, app_id, build_id, version_name, "
                "version_code, size, revision, created_at, updated_at FROM application ORDER BY number"
            )
        }
        self.by_package: dict[str, Application] = {app.package: app for app in self.applications.values()}

    def has_segment(self, segment_id: int) -> bool:
        """0 is the organisation itself."""
        return segment_id == 0 or segment_id in PLACE_BY_ID

    def segments(self, segment_id: int, expand: str | None) -> set[int]:
        """The segments a filter means: the one named, with those above or below it when asked."""
        if expand == "children":
            return descendants(segment_id)
        if expand == "ancestors":
            return ancestors(segment_id)
        return {segment_id}

    def versions(self, application: Application) -> tuple[str, ...]:
        """Known version names, oldest first."""
        return APPS[application.number].versions
