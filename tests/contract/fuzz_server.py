"""What the bounded and the long schemathesis runs share: the schema of what is implemented, and the checks."""

from __future__ import annotations

import copy
from typing import Any

import schemathesis
import server_contract as contract
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mdm_tui.server.applivery.operations import OPERATIONS
from mdm_tui.server.testing import BASE_URL, TOKEN, Fleet

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def document(made: Fleet) -> dict[str, Any]:
    """The contract with only the implemented operations, and ids that often exist, so that calls get past the 404."""
    full = copy.deepcopy(contract.document())
    implemented: dict[str, set[str]] = {}
    for operation in OPERATIONS:
        implemented.setdefault(operation.path, set()).add(operation.method.lower())
    full["paths"] = {
        path: {key: value for key, value in item.items() if key not in contract.METHODS or key in implemented[path]}
        for path, item in full["paths"].items()
        if path in implemented
    }
    full["servers"] = [{"url": "http://127.0.0.1/v1"}]
    world = made.world
    device = next(iter(world.database.all("SELECT id FROM device WHERE state = 'active' AND has_push = 1")))[0]
    known = {
        "OrganizationId": [made.organization],
        "AosDeviceId": [device, "0" * 24],
        "AosPolicyId": [*list(world.policies.all)[:2], "0" * 24],
        "AosApplicationId": [next(iter(world.registry.applications)), "0" * 24],
        "AosCommandId": [world.commands.create(world.devices.get(device), "lock", None).id, "0" * 24],
    }
    for name, values in known.items():
        full["components"]["parameters"][name]["schema"] = {"type": "string", "enum": values}
    return full


def schema(made: Fleet) -> Any:
    """A schemathesis schema over the in-process application."""
    loaded = schemathesis.openapi.from_dict(document(made))
    loaded.app = made.app
    return loaded


def call_options() -> dict[str, Any]:
    """A loopback Host, as the server asks, and the token."""
    return {"base_url": BASE_URL, "headers": {"Authorization": f"Bearer {TOKEN}"}}
