"""Field paths a list may be sorted by, and how."""

from __future__ import annotations

from typing import Any

# Paths the database can sort by, with the world's name for the key.
DEVICE_SORTS: dict[str, str] = {
    "": "n",
    "id": "id",
    "displayName": "name",
    "segmentId": "segment",
    "aosPolicyId": "policy",
    "aosPolicy.id": "policy",
    "aosPolicy.name": "policy_name",
    "mdmUser.id": "person",
    "mdmUser.email": "person_email",
    "pushNotificationProvider": "provider",
    "updatedAt": "updated",
    "createdAt": "created",
    "enrolledDate": "enrolled",
    "lastStatusReportTime": "reported",
    "config.deviceReport.lastStatusReportTime": "reported",
    "config.deviceReport.hardwareInfo.serialNumber": "serial",
    "config.deviceReport.networkInfo.wifiMacAddress": "mac",
    "config.appliedPolicy.appliedAt": "applied_at",
}

# Fields of a device and of its report below which any path is taken; the value is computed for every device.
_TOP = frozenset(
    (
        "organizationId",
        "aosEnterpriseId",
        "tags",
        "state",
        "type",
        "subType",
        "mdmUser",
        "aosPolicy",
        "deviceAosPolicy",
        "aosPolicyAssignments",
        "devicePolicyStatus",
        "config",
        "summary",
        "stateHistory",
    )
)
_CONFIG = frozenset(("deviceReport", "managementMode", "location", "appliedPolicy"))
_REPORT = frozenset(
    (
        "name",
        "userName",
        "managementMode",
        "state",
        "appliedState",
        "policyCompliant",
        "nonComplianceDetails",
        "enrollmentTime",
        "lastPolicyComplianceReportTime",
        "lastPolicySyncTime",
        "policyName",
        "appliedPolicyName",
        "appliedPolicyVersion",
        "apiLevel",
        "enrollmentTokenData",
        "enrollmentTokenName",
        "disabledReason",
        "softwareInfo",
        "hardwareInfo",
        "displays",
        "previousDeviceNames",
        "networkInfo",
        "memoryInfo",
        "memoryEvents",
        "powerManagementEvents",
        "hardwareStatusSamples",
        "deviceSettings",
        "user",
        "systemProperties",
        "securityPosture",
        "ownership",
        "commonCriteriaModeInfo",
        "appliedPasswordPolicies",
        "dpcMigrationInfo",
        "defaultApplicationInfo",
    )
)

COMMAND_SORTS: dict[str, str] = {
    "": "created",
    "id": "id",
    "command": "kind",
    "status": "status",
    "pushId": "push",
    "mdmUser": "person",
    "createdAt": "created",
    "updatedAt": "updated",
    "sentAt": "sent",
    "deliveryExpiresAt": "expires",
}


def is_device_path(path: str) -> bool:
    """Whether the contract's device has such a field."""
    parts = path.split(".")
    if path in DEVICE_SORTS:
        return True
    if parts[0] not in _TOP or "" in parts or len(parts) > 8:
        return False
    if parts[0] == "config" and len(parts) > 1:
        return parts[1] in _CONFIG and (parts[1] != "deviceReport" or len(parts) == 2 or parts[2] in _REPORT)
    return True


def value_at(shape: Any, path: str) -> Any:
    """The value a path leads to: names in objects, numbers in lists; None where it leads nowhere."""
    for part in path.split("."):
        if isinstance(shape, dict):
            shape = shape.get(part)
        elif isinstance(shape, list) and part.isdecimal() and int(part) < len(shape):
            shape = shape[int(part)]
        else:
            return None
    return shape


def by_path(items: list[dict[str, Any]], path: str, descending: bool) -> list[dict[str, Any]]:
    """A short list of shapes ordered by a path; absent values come first."""

    def rank(item: dict[str, Any]) -> tuple[int, Any]:
        value = value_at(item, path)
        if value is None:
            return (0, 0)
        return (1, value) if isinstance(value, (bool, int, float)) else (2, str(value))

    return sorted(items, key=rank, reverse=descending)
