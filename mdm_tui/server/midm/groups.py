"""Operations on device groups."""

from __future__ import annotations

from starlette.responses import Response

from . import query, values
from .call import Call
from .envelope import bad_value, not_there, ok
from .shapes import group_shape


def own_site(call: Call) -> bool:
    """Whether the call means this site, by its uuid (in any case) or its id name; without either it does."""
    site, name = query.text(call.query, "siteUuid"), query.text(call.query, "siteId")
    world = call.world
    return (not site or site.lower() == world.site) and (not name or name == world.site_name)


def require_site(call: Call) -> None:
    """Raises Refusal for another site."""
    if not own_site(call):
        raise not_there("site")


def list_groups(call: Call) -> Response:
    """All groups, flat."""
    counts = call.world.groups.counts()
    groups = [group_shape(call.world, group, counts.get(group.uuid, 0)) for group in call.world.groups.all()]
    return ok(data=groups)


def save_group(call: Call) -> Response:
    """A new group, or with `uuid` the change of one: what is sent replaces what was; no parent makes it top-level."""
    require_site(call)
    world = call.world
    body = values.thing(call.body, "body")
    name = values.text(values.thing(body.get("profile"), "profile").get("name"), "profile.name", required=True)
    if not name.strip():
        raise bad_value("profile.name", "must not be blank")
    parent = values.text(body.get("parentUuid"), "parentUuid") or None
    key = values.text(body.get("uuid"), "uuid") or None
    enabled = values.switch(body.get("enabled"), "enabled", world.groups.get(key).enabled if key else True)
    group = world.groups.save(key, name, parent, enabled)
    return ok(data=group_shape(world, group, world.groups.count(group.uuid)))


def delete_group(call: Call) -> Response:
    """A group with devices or groups in it stays."""
    body = values.thing(call.body, "body")
    call.world.groups.delete(values.text(body.get("uuid"), "uuid", required=True))
    return ok()
