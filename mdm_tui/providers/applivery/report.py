"""Where each part of an Applivery AOSP device stands in the neutral report. Pure: needs no network or model library.

Source: the answer of "Update non-GMS Android device" (schema AosDevice of the contract).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mdm_tui.fleet.report import Report, move

__all__ = ["REDACTED", "SECRET_NAMES", "redact", "report"]

REDACTED = "(secret, not kept)"
# Answers may echo these; none of them is ever stored or shown.
SECRET_NAMES = frozenset({"newPassword", "oneTimeToken", "qrCode", "enrollmentTokenData"})

_R = "config.deviceReport"
_TABLE: tuple[tuple[str, str], ...] = (
    (f"{_R}.softwareInfo", "software"),
    (f"{_R}.apiLevel", "software.apiLevel"),
    (f"{_R}.hardwareInfo.enterpriseSpecificId", "identity.enterpriseSpecificId"),
    (f"{_R}.hardwareInfo", "hardware"),
    (f"{_R}.displays", "displays"),
    (f"{_R}.networkInfo", "network"),
    (f"{_R}.memoryInfo", "memory"),
    (f"{_R}.memoryEvents", "memory.memoryEvents"),
    (f"{_R}.powerManagementEvents", "power.powerManagementEvents"),
    (f"{_R}.hardwareStatusSamples", "power.hardwareStatusSamples"),
    (f"{_R}.securityPosture", "security"),
    (f"{_R}.appliedPasswordPolicies", "security.appliedPasswordPolicies"),
    (f"{_R}.commonCriteriaModeInfo", "security.commonCriteriaModeInfo"),
    (f"{_R}.deviceSettings", "settings"),
    (f"{_R}.systemProperties", "settings.systemProperties"),
    (f"{_R}.defaultApplicationInfo", "settings.defaultApplicationInfo"),
    (f"{_R}.applicationReports", "applications"),
    (f"{_R}.policyCompliant", "compliance.policyCompliant"),
    (f"{_R}.nonComplianceDetails", "compliance.nonComplianceDetails"),
    (f"{_R}.lastPolicyComplianceReportTime", "compliance.lastPolicyComplianceReportTime"),
    (f"{_R}.policyName", "policy.policyName"),
    (f"{_R}.appliedPolicyName", "policy.appliedPolicyName"),
    (f"{_R}.appliedPolicyVersion", "policy.appliedPolicyVersion"),
    (f"{_R}.lastPolicySyncTime", "policy.lastPolicySyncTime"),
    (f"{_R}.state", "state.reportState"),
    (f"{_R}.appliedState", "state.appliedState"),
    (f"{_R}.lastStatusReportTime", "state.reportedAt"),
    (f"{_R}.enrollmentTime", "state.enrollmentTime"),
    (f"{_R}.disabledReason", "state.disabledReason"),
    (f"{_R}.name", "identity.reportName"),
    (f"{_R}.userName", "identity.reportUserName"),
    (f"{_R}.user", "identity.reportUser"),
    (f"{_R}.ownership", "identity.ownership"),
    (f"{_R}.managementMode", "identity.reportManagementMode"),
    (f"{_R}.previousDeviceNames", "identity.previousDeviceNames"),
    (f"{_R}.enrollmentTokenName", "identity.enrollmentTokenName"),
    (f"{_R}.enrollmentTokenData", "identity.enrollmentTokenData"),
    (f"{_R}.dpcMigrationInfo", "identity.dpcMigrationInfo"),
    ("config.managementMode", "identity.managementMode"),
    ("config.location", "location"),
    ("config.appliedPolicy", "policy.appliedPolicy"),
    ("id", "identity.id"),
    ("displayName", "identity.displayName"),
    ("tags", "identity.tags"),
    ("segmentId", "identity.segmentId"),
    ("mdmUser", "identity.user"),
    ("organizationId", "identity.organization"),
    ("aosEnterpriseId", "identity.enterprise"),
    ("pushNotificationProvider", "identity.pushNotificationProvider"),
    ("type", "identity.type"),
    ("subType", "identity.subType"),
    ("enrolledDate", "identity.enrolledDate"),
    ("createdAt", "identity.createdAt"),
    ("updatedAt", "identity.updatedAt"),
    ("state", "state.state"),
    ("lastStatusReportTime", "state.lastStatusReportTime"),
    ("stateHistory", "state.stateHistory"),
    ("devicePolicyStatus.audit.config.version", "policy.status.wanted"),
    ("devicePolicyStatus.audit.device.version", "policy.status.has"),
    ("devicePolicyStatus.audit.name", "policy.status.name"),
    ("devicePolicyStatus.pushed", "policy.status.pushed"),
    ("aosPolicy", "policy.assigned"),
    ("aosPolicyId", "policy.assignedId"),
    ("aosPolicyAssignments[].aosPolicyId", "policy.assignments[].policyId"),
    ("aosPolicyAssignments[].aosPolicy", "policy.assignments[].policy"),
    ("aosPolicyAssignments[].priority", "policy.assignments[].priority"),
    ("deviceAosPolicy", "policy.effective"),
    ("summary", "summary"),
)


def report(raw: Mapping[str, Any]) -> Report:
    """The device in neutral words; what the table does not name lands in `other` under its own path."""
    return move(raw, _TABLE)


def redact(node: Any) -> Any:
    """A copy with the secrets that answers may echo replaced. Nesting is bounded where answers are read."""
    if isinstance(node, Mapping):
        return {key: REDACTED if key in SECRET_NAMES and value else redact(value) for key, value in node.items()}
    if isinstance(node, list):
        return [redact(item) for item in node]
    return node
