"""Operations on policies, their templates and applications."""

from __future__ import annotations

from typing import Any

from ..world import World
from ..world.documents import TEMPLATES, app_number
from ..world.errors import NotThere
from ..world.records import Policy
from . import bodies, validation
from .call import Call
from .documents import policy_in
from .envelope import invalid, page_of
from .shapes import application_shape, policy_shape
from .sorts import by_path

_POLICY_FIELDS = frozenset(
    (
        "id",
        "organizationId",
        "aosEnterpriseId",
        "name",
        "description",
        "config",
        "private",
        "segmentId",
        "exposeToChildren",
        "agentConfiguration",
        "assets",
        "assetsInfo",
        "applications",
        "applicationsInfo",
        "certificateProviderIds",
        "version",
        "updatedAt",
        "createdAt",
    )
)
_APPLICATION_FIELDS = frozenset(
    ("id", "organizationId", "aosEnterpriseId", "type", "config", "info", "version", "updatedAt", "createdAt")
)
_APPLICATION_TYPES = ("build", "lastBuild", "lastGitBranchBuild", "lastGitTagBuild", "lastTagBuild")


def _window(call: Call, items: list[dict[str, Any]], fields: frozenset[str]) -> dict[str, Any]:
    page, limit = validation.paging(call.query)
    path, descending = validation.sorting(call.query)
    if path and path.split(".")[0] not in fields:
        raise invalid("sort", f"no field {path}")
    if path:
        items = by_path(items, path, descending)
    offset = max(0, (page - 1) * limit + call.shift)
    return page_of(items[offset : offset + limit], len(items), page, limit)


def list_policies(call: Call) -> dict[str, Any]:
    """Policies; `name` finds a part of the name in any case.

    With `expandTo=ancestors` a policy of a segment above counts only where it is exposed to children.
    """
    world, query = call.world, call.query
    name = validation.text(query, "name", 256)
    segment = validation.whole(query, "segmentId", -validation.SAFE_INTEGER, validation.SAFE_INTEGER)
    expand = validation.choice(query, "expandTo", ("ancestors", "children"))
    found = list(world.policies.all.values())
    if name:
        found = [policy for policy in found if name.casefold() in policy.name.casefold()]
    if segment is not None:
        wanted = world.registry.segments(segment, expand)
        found = [
            policy
            for policy in found
            if policy.segment_id in wanted and (expand != "ancestors" or policy.segment_id == segment or policy.expose)
        ]
    return _window(call, [policy_shape(world, policy) for policy in found], _POLICY_FIELDS)


def list_templates(call: Call) -> list[dict[str, Any]]:
    """Templates: a plain list, not a page."""
    applications = list(call.world.registry.applications)
    return [
        {
            "templateId": entry["id"],
            "templateVersion": entry["version"],
            "templatePolicy": {
                "config": entry["settings"],
                "applications": [
                    {"aosApplicationId": applications[app_number(slug)], "action": "forceInstall"}
                    for slug in entry["apps"]
                ],
            },
        }
        for entry in TEMPLATES
    ]


def get_policy(call: Call) -> dict[str, Any]:
    """One policy."""
    return policy_shape(call.world, call.world.policies.get(call.ids["aosPolicyId"]))


def _references(world: World, body: dict[str, Any]) -> None:
    """Segment and applications must exist; assets and certificate providers have no list here to check against."""
    if "segmentId" in body and not world.registry.has_segment(body["segmentId"]):
        raise NotThere("segment", body["segmentId"])
    for entry in body.get("applications", ()):
        if entry["aosApplicationId"].lower() not in world.registry.applications:
            raise NotThere("application", entry["aosApplicationId"])


def _split(body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(columns, document)."""
    columns: dict[str, Any] = {}
    if "name" in body:
        columns["name"] = body["name"]
    if "segmentId" in body:
        columns["segment_id"] = int(body["segmentId"])
    if "exposeToChildren" in body:
        columns["expose"] = bool(body["exposeToChildren"])
    return columns, policy_in(body)


def create_policy(call: Call) -> dict[str, Any]:
    """A new policy, version 1. Answers 200, as documented."""
    world = call.world
    body = validation.require(call.body, bodies.POLICY_CREATE)
    _references(world, body)
    columns, document = _split(body)
    policy = world.policies.create(
        columns["name"], columns.get("segment_id", 0), columns.get("expose", False), document
    )
    return policy_shape(world, policy)


def update_policy(call: Call) -> dict[str, Any]:
    """The fields sent are replaced whole, `config` too. Every update makes a new version."""
    world = call.world
    policy: Policy = world.policies.get(call.ids["aosPolicyId"])
    body = validation.require(call.body, bodies.POLICY_UPDATE)
    _references(world, body)
    columns, document = _split(body)
    changed = world.policies.update(policy, document, **columns)
    world.agents.policy_changed(changed.id)
    return policy_shape(world, changed)


def delete_policy(call: Call) -> dict[str, Any]:
    """Refused with 409 while a device still names the policy: a rule of this server, the contract is silent."""
    policy = call.world.policies.get(call.ids["aosPolicyId"])
    call.world.policies.delete(policy)
    return {"id": policy.id}


def list_applications(call: Call) -> dict[str, Any]:
    """Application mappings."""
    query = call.query
    build = validation.identifier(query, "buildId")
    application_id = validation.identifier(query, "applicationId")
    selector = validation.text(query, "filter", 256)
    source = validation.choice(query, "type", _APPLICATION_TYPES)
    shapes = [
        application_shape(call.world, application)
        for application in call.world.registry.applications.values()
        if (source is None or application.source == source)
        and (application_id is None or application.app_id == application_id)
        and (build is None or (application.source == "build" and application.build_id == build))
        and (selector is None or application.selector == selector)
    ]
    return _window(call, shapes, _APPLICATION_FIELDS)


def get_application(call: Call) -> dict[str, Any]:
    """One mapping."""
    application_id = call.ids["aosApplicationId"]
    application = call.world.registry.applications.get(application_id.lower())
    if application is None:
        raise NotThere("application", application_id)
    return application_shape(call.world, application)
