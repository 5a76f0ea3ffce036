"""The contract's words for the world's words, and back."""

from __future__ import annotations

STATES = {
    "provisioning": "PROVISIONING",
    "active": "ACTIVE",
    "disabled": "DISABLED",
    "leaving": "PENDING_DISENROLL",
    "gone": "DELETED",
}
STATES_BACK = {theirs: ours for ours, theirs in STATES.items()}

# The report has its own states: a device that is leaving still works.
REPORT_STATES = {
    "provisioning": "PROVISIONING",
    "active": "ACTIVE",
    "disabled": "DISABLED",
    "leaving": "ACTIVE",
    "gone": "DELETED",
}

COMMANDS = {
    "reboot": "REBOOT",
    "lock": "LOCK",
    "clear_app_data": "CLEAR_APP_DATA",
    "reset_password": "RESET_PASSWORD",
    "disenroll": "DISENROLL",
}
COMMANDS_BACK = {theirs: ours for ours, theirs in COMMANDS.items()}

COMMAND_STATES = {
    "pending": "PENDING",
    "received": "RECEIVED",
    "done": "DONE",
    "error": "ERROR",
    "expired": "EXPIRED",
    "cancelled": "CANCEL",
}

POSTURES = {"secure": "SECURE", "risk": "AT_RISK", "compromised": "POTENTIALLY_COMPROMISED"}

APP_ORIGINS = {
    "system": "SYSTEM_APP_FACTORY_VERSION",
    "updated": "SYSTEM_APP_UPDATED_VERSION",
    "custom": "CUSTOM",
}
