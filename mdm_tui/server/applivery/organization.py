"""The organisation, its segments, its users, the tags in use."""

from __future__ import annotations

from typing import Any

from . import validation
from .call import Call
from .envelope import invalid, page_of
from .shapes import person_shape, segment_shape
from .sorts import by_path

_USER_FIELDS = frozenset(["id", "email", "name", "tags", "language", "metadata", "managedAppleId"])


def get_organization(call: Call) -> dict[str, Any]:
    """Turns a slug into an identifier."""
    world = call.world
    return {"id": world.organization, "_id": world.organization, "slug": world.slug, "name": "Demo fleet"}


def list_segments(call: Call) -> dict[str, Any]:
    """The tree of segments."""
    return {"organizationId": call.world.organization, "children": segment_shape(0)}


def list_device_tags(call: Call) -> dict[str, Any]:
    """Tags in use on devices."""
    return {"items": [{"value": tag[:256]} for tag in call.world.devices.tags()]}


def list_users(call: Call) -> dict[str, Any]:
    """MDM users. `search` looks at name and e-mail; `email` and `name` find parts; several tags mean any of them."""
    query = call.query
    page, limit = validation.paging(query)
    path, descending = validation.sorting(query)
    if path and path.split(".")[0] not in _USER_FIELDS:
        raise invalid("sort", f"no field {path}")
    search = (validation.text(query, "search", 128) or "").casefold()
    email = (validation.text(query, "email", 128) or "").casefold()
    name = (validation.text(query, "name", 128) or "").casefold()
    tags = set(query.getlist("tags"))
    found = [
        person_shape(person)
        for person in call.world.registry.people.values()
        if search in f"{person.name}\n{person.email}".casefold()
        and email in person.email.casefold()
        and name in person.name.casefold()
        and (not tags or tags & set(person.tags))
    ]
    if path:
        found = by_path(found, path, descending)
    offset = max(0, (page - 1) * limit + call.shift)
    return page_of(found[offset : offset + limit], len(found), page, limit)


def list_user_tags(call: Call) -> dict[str, Any]:
    """Tags in use on users."""
    tags = {tag for person in call.world.registry.people.values() for tag in person.tags}
    return {"items": [{"value": tag[:256]} for tag in sorted(tags)]}
