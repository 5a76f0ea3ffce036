"""What the bounded and the long schemathesis runs share: the schemas of what is implemented, and the checks."""

from __future__ import annotations

import copy
from typing import Any

import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from server_contract import APPLIVERY, METHODS, MIDM, Contract

from mdm_tui.server.applivery.operations import OPERATIONS
from mdm_tui.server.midm.operations import OPERATIONS as MIDM_OPERATIONS
from mdm_tui.server.testing import API_KEY, BASE_URL, EMAIL, MIDM_URL, PASSWORD, TOKEN, Fleet
from mdm_tui.server.world.units import UnitFilter

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
NOBODY = "0" * 24
NOWHERE = "00000000-0000-4000-8000-000000000000"


def _implemented(contract: Contract, operations: Any) -> dict[str, Any]:
    """The contract with only the implemented operations."""
    full = copy.deepcopy(contract.document)
    methods: dict[str, set[str]] = {}
    for operation in operations:
        methods.setdefault(operation.path, set()).add(operation.method.lower())
    full["paths"] = {
        path: {key: value for key, value in item.items() if key not in METHODS or key in methods[path]}
        for path, item in full["paths"].items()
        if path in methods
    }
    return full


def document(made: Fleet) -> dict[str, Any]:
    """Applivery's contract, with ids that often exist, so that calls get past the 404."""
    full = _implemented(APPLIVERY, OPERATIONS)
    full["servers"] = [{"url": BASE_URL}]
    world = made.world
    device = next(iter(world.database.all("SELECT id FROM device WHERE state = 'active' AND has_push = 1")))[0]
    known = {
        "OrganizationId": [made.organization],
        "AosDeviceId": [device, NOBODY],
        "AosPolicyId": [*list(world.policies.all)[:2], NOBODY],
        "AosApplicationId": [next(iter(world.registry.applications)), NOBODY],
        "AosCommandId": [world.commands.create(world.devices.get(device), "lock", None).id, NOBODY],
    }
    for name, values in known.items():
        full["components"]["parameters"][name]["schema"] = {"type": "string", "enum": values}
    return full


def midm_document(made: Fleet) -> dict[str, Any]:
    """MiDM's contract, with ids, serials and filters that often mean something."""
    full = _implemented(MIDM, MIDM_OPERATIONS)
    full["servers"] = [{"url": MIDM_URL}]
    world = made.world
    units = [unit for unit in world.units.page(UnitFilter(), limit=30) if unit.serial][:2]
    groups = [group.uuid for group in world.groups.all()[:2]]
    rollouts = [rollout.uuid for rollout in world.rollouts.all()[:2]]
    uuids = [*(unit.uuid for unit in units), *groups, *rollouts, NOWHERE]
    known = {
        "uuid": uuids,
        "deviceUuid": [*(unit.uuid for unit in units), NOWHERE],
        "serialNo": [units[0].serial, "none"],
        "siteUuid": [made.site, NOWHERE],
        "licenseModelUuid": [*(model.uuid for model in world.licenses.all()), NOWHERE],
        "sortBy": ["uuid", "updated", "name", "profile.hardware_info.serial_no", "states.state", "otaInfo.sdk"],
        "filter": [
            "{}",
            f'{{"siteUuid":"{made.site}"}}',
            f'{{"deviceGroup.uuid":["{groups[0]}"]}}',
            '{"enabled":true,"profile.software_info.os_version":["13",null]}',
            '{"enable":[true,false],"appInfo":{"versionCode":[1,2]}}',
            f'{{"forWhat":"{units[0].uuid}"}}',
        ],
    }
    for item in full["paths"].values():
        for operation in item.values():
            for parameter in operation.get("parameters", ()):
                if values := known.get(parameter["name"]):
                    parameter["schema"] = {"anyOf": [{"type": "string", "enum": values}, parameter["schema"]]}
    schemas = full["components"]["schemas"]
    _some(schemas["MidmDeviceGroupInput"]["properties"], "uuid", groups)
    _some(schemas["MidmDeviceGroupInput"]["properties"], "parentUuid", groups)
    _some(schemas["MidmDeviceInput"]["properties"], "groupUuid", groups)
    _some(schemas["MidmProfile"]["properties"], "uuid", rollouts)
    _some(schemas["MidmProfileApp"]["properties"], "uuid", [record.file_uuid for record in world.packages.all()[:3]])
    _some(
        schemas["MidmProfile"]["properties"]["otas"], "items", [record.file_uuid for record in world.images.all()[:3]]
    )
    return full


def _some(properties: dict[str, Any], name: str, values: list[str]) -> None:
    properties[name] = {"anyOf": [{"type": "string", "enum": [*values, NOWHERE]}, properties[name]]}


def schema(made: Fleet) -> Any:
    """A schemathesis schema of Applivery's contract over the in-process application."""
    return _over(made, document(made))


def midm_schema(made: Fleet) -> Any:
    """The same of MiDM's contract."""
    return _over(made, midm_document(made))


def _over(made: Fleet, contract: dict[str, Any]) -> Any:
    loaded = schemathesis.openapi.from_dict(contract)
    loaded.app = made.app
    return loaded


def call_options() -> dict[str, Any]:
    """A loopback Host, as the server asks, and the token."""
    return {"base_url": BASE_URL, "headers": {"Authorization": f"Bearer {TOKEN}"}}


def midm_call_options(case: Any) -> dict[str, Any]:
    """A loopback Host, the API key, and the token of a new session: one of the operations ends the session."""
    token = case.operation.schema.app.access.sign_in(EMAIL, PASSWORD)
    return {"base_url": MIDM_URL, "headers": {"x-api-key": API_KEY, "Authorization": f"Bearer {token}"}}
