"""The operations this server has, each with the permission the contract asks for.

Where the contract names no permission, the nearest one is asked for: reading a device for its applications, listing
devices for their tags, none for the organisation itself.
"""

from __future__ import annotations

from . import commands, devices, organization, policies
from .call import Operation

_ORGANIZATION = "/organizations/{organizationId}"
_AOSP = f"{_ORGANIZATION}/mdm/aosp/enterprise"
_DEVICES = f"{_AOSP}/devices"
_DEVICE = f"{_DEVICES}/{{aosDeviceId}}"
_COMMANDS = f"{_DEVICE}/commands"
_COMMAND = f"{_COMMANDS}/{{aosCommandId}}"
_POLICIES = f"{_AOSP}/policies"
_POLICY = f"{_POLICIES}/{{aosPolicyId}}"
_APPLICATIONS = f"{_AOSP}/applications"
_APPLICATION = f"{_APPLICATIONS}/{{aosApplicationId}}"

OPERATIONS: tuple[Operation, ...] = (
    Operation("GET", _DEVICES, "mdm.aosp.device.list", devices.list_devices),
    Operation("GET", _DEVICE, "mdm.aosp.device.get", devices.get_device),
    Operation("PUT", _DEVICE, "mdm.aosp.device.update", devices.update_device, body=True),
    Operation("DELETE", _DEVICE, "mdm.aosp.device.remove", devices.disenroll_device),
    Operation("PUT", f"{_DEVICE}/move", "mdm.aosp.device.move", devices.move_device, body=True),
    Operation("GET", f"{_DEVICE}/applications", "mdm.aosp.device.get", devices.list_installed),
    Operation("GET", _COMMANDS, "mdm.aosp.command.list", commands.list_commands),
    Operation("POST", _COMMANDS, "mdm.aosp.command.create", commands.create_command, body=True, replayable=True),
    Operation("GET", _COMMAND, "mdm.aosp.command.get", commands.get_command, documented=False),
    Operation("GET", f"{_COMMAND}/push-status", "mdm.aosp.command.get", commands.get_push_status),
    Operation("POST", f"{_COMMAND}/cancel", "mdm.aosp.command.cancel", commands.cancel_command, documented=False),
    # Before the policy with an identifier, or `templates` would be taken for one.
    Operation("GET", f"{_POLICIES}/templates", "mdm.aosp.policy.list", policies.list_templates),
    Operation("GET", _POLICIES, "mdm.aosp.policy.list", policies.list_policies),
    Operation("POST", _POLICIES, "mdm.aosp.policy.create", policies.create_policy, body=True, replayable=True),
    Operation("GET", _POLICY, "mdm.aosp.policy.get", policies.get_policy, documented=False),
    Operation("PUT", _POLICY, "mdm.aosp.policy.update", policies.update_policy, documented=False, body=True),
    Operation("DELETE", _POLICY, "mdm.aosp.policy.remove", policies.delete_policy, documented=False),
    Operation("GET", _APPLICATIONS, "mdm.aosp.application.list", policies.list_applications),
    Operation("GET", _APPLICATION, "mdm.aosp.application.get", policies.get_application, documented=False),
    Operation("GET", f"{_ORGANIZATION}/mdm/users", "mdm.global.mdmUser.list", organization.list_users),
    Operation("GET", f"{_ORGANIZATION}/mdm/users/tags", "mdm.global.mdmUser.list", organization.list_user_tags),
    Operation("GET", f"{_ORGANIZATION}/mdm/devices/tags", "mdm.aosp.device.list", organization.list_device_tags),
    Operation("GET", f"{_ORGANIZATION}/segments", "base.organization.segment.list", organization.list_segments),
    Operation("GET", _ORGANIZATION, None, organization.get_organization),
)
