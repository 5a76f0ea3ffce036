"""What the contract says of request bodies, figure by figure."""

from __future__ import annotations

from typing import Any

from .validation import ID_PATTERN, SAFE_INTEGER
from .words import COMMANDS_BACK

ID: dict[str, Any] = {"type": "string", "pattern": ID_PATTERN}
TEXT: dict[str, Any] = {"type": "string"}
FLAG: dict[str, Any] = {"type": "boolean"}
SEGMENT: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": SAFE_INTEGER}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _text(length: int) -> dict[str, Any]:
    return {"type": "string", "max_length": length}


DEVICE_UPDATE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "displayName": _text(256),
        "tags": _list(TEXT),
        "policyId": ID,
        "aosPolicyAssignments": _list(
            {
                "type": "object",
                "required": ["aosPolicyId", "priority"],
                "properties": {
                    "aosPolicyId": ID,
                    "priority": {"type": "integer", "minimum": -SAFE_INTEGER, "maximum": SAFE_INTEGER},
                },
            }
        ),
        "mdmUserId": {**ID, "nullable": True},
        "pushNotificationProvider": ID,
        "segmentId": SEGMENT,
    },
}

MOVE: dict[str, Any] = {"type": "object", "required": ["segmentId"], "properties": {"segmentId": SEGMENT}}

COMMAND_CREATE: dict[str, Any] = {
    "type": "object",
    "required": ["command"],
    "properties": {
        "command": {"type": "string", "enum": list(COMMANDS_BACK)},
        # A validity beyond ten years is a mistake in the unit, not a wish.
        "duration": {"type": "number", "minimum": 1, "maximum": 315_360_000},
        "params": {
            "type": "object",
            "properties": {"newPassword": TEXT, "packageNames": _list(TEXT)},
        },
    },
}

_FEATURE: dict[str, Any] = {
    "type": "string",
    "enum": ["bookmarks", "applications", "files", "notifications", "status"],
}

_POLICY_PROPERTIES: dict[str, Any] = {
    "name": _text(256),
    "description": _text(500),
    "config": {"type": "object"},
    "private": FLAG,
    "segmentId": SEGMENT,
    "exposeToChildren": {"type": "any"},
    "agentConfiguration": {
        "type": "object",
        "properties": {
            "allowLocation": FLAG,
            "allowPackageTime": FLAG,
            "allowPackageTransfer": FLAG,
            "allowNetworkStatus": FLAG,
            "policyFeatures": {
                "type": "object",
                "properties": {
                    "defaultViewFeature": _FEATURE,
                    "toggledFeatures": _list({"type": "object", "properties": {"name": _FEATURE, "active": FLAG}}),
                    "enableDefaultView": FLAG,
                },
            },
        },
    },
    "assets": _list(
        {
            "type": "object",
            "required": ["mdmAssetId", "location", "scope"],
            "properties": {
                "mdmAssetId": ID,
                "location": _text(256),
                "assetName": _text(256),
                "scope": {"type": "string", "enum": ["user", "system", "all-users"]},
            },
        }
    ),
    "applications": _list(
        {
            "type": "object",
            "required": ["aosApplicationId"],
            "properties": {
                "aosApplicationId": ID,
                "configuration": TEXT,
                "action": {"type": "string", "enum": ["forceInstall", "available"]},
                "updatePolicy": {"type": "object"},
                "customAppConfig": {"type": "object"},
            },
        }
    ),
    "certificateProviderIds": _list(TEXT),
}

POLICY_UPDATE: dict[str, Any] = {"type": "object", "properties": _POLICY_PROPERTIES}
POLICY_CREATE: dict[str, Any] = {**POLICY_UPDATE, "required": ["name"]}
