"""The contract's objects, made from the world's records."""

from __future__ import annotations

import json
from typing import Any

from ..world import World
from ..world.chance import hex_digits
from ..world.clock import iso
from ..world.installed import Installed
from ..world.nature import location
from ..world.places import children_of
from ..world.records import DISABLED, Application, Command, Device, Person, Policy
from . import spoil
from .documents import params_out, policy_out
from .report import lean_report
from .report_full import full_report
from .words import APP_ORIGINS, COMMAND_STATES, COMMANDS, STATES


def policy_summary(policy: Policy) -> dict[str, Any]:
    return {"id": policy.id, "name": policy.name, "version": str(policy.version)}


def device_shape(world: World, device: Device, *, full: bool = False) -> dict[str, Any]:
    """A device: the lean shape of lists and updates, or the full one of the detail view."""
    policies = world.policies.all
    shape: dict[str, Any] = {
        "id": device.id,
        "organizationId": world.organization,
        "aosEnterpriseId": world.enterprise,
        "segmentId": device.segment_id,
        "displayName": device.name,
        "tags": json.loads(device.tags),
        "state": STATES[device.state],
        "type": "aosp",
        "subType": "device",
    }
    if device.provider_id:
        shape["pushNotificationProvider"] = device.provider_id
    person = world.registry.people.get(device.person_id or "")
    if person:
        shape["mdmUser"] = {"id": person.id, "email": person.email}
    if device.policy_id:
        shape["aosPolicyId"] = device.policy_id
        if direct := policies.get(device.policy_id):
            shape["aosPolicy"] = policy_summary(direct)
    shape["aosPolicyAssignments"] = [
        {"aosPolicyId": policy_id, "aosPolicy": policy_summary(policies[policy_id]), "priority": priority}
        for policy_id, priority in (json.loads(device.assignments) if device.assignments != "[]" else ())
        if policy_id in policies
    ]
    effective = policies.get(device.effective_id or "")
    if effective:
        shape["devicePolicyStatus"] = _policy_status(world, device, effective)
    shape["config"] = _config(world, device, effective, full)
    shape["stateHistory"] = [_state(state, at) for state, at in json.loads(device.history)]
    if device.reported_at is not None:
        shape["lastStatusReportTime"] = iso(device.reported_at)
    shape["enrolledDate"] = iso(device.enrolled_at or device.created_at)
    shape["updatedAt"] = iso(device.updated_at)
    shape["createdAt"] = iso(device.created_at)
    if full:
        if effective:
            shape["deviceAosPolicy"] = policy_shape(world, effective)
        shape["summary"] = _summary(shape)
    if world.scenario == "hostile":
        spoil.device(world.seed, device.n, shape)
    return shape


def _state(state: str, at: int) -> dict[str, Any]:
    entry: dict[str, Any] = {"state": STATES[state], "date": iso(at)}
    if state == DISABLED:
        entry["config"] = {"reason": "reported lost"}
    return entry


def _policy_status(world: World, device: Device, effective: Policy) -> dict[str, Any]:
    audit: dict[str, Any] = {
        "name": effective.name,
        "config": {"version": str(effective.version)},
        "device": {},
    }
    if device.applied_id == effective.id:
        audit["device"] = {"version": str(device.applied_version)}
    return {"pushed": world.policies.is_applied(device), "audit": audit}


def _config(world: World, device: Device, effective: Policy | None, full: bool) -> dict[str, Any]:
    config: dict[str, Any] = {"managementMode": "DEVICE_OWNER"}
    report = full_report(world, device) if full else lean_report(world, device)
    if report is None:
        config["managementMode"] = "MANAGEMENT_MODE_UNSPECIFIED"
        return config
    agent = effective.body.get("agent") if effective else None
    if device.reported_at and agent and agent.get("location"):
        latitude, longitude, accuracy = location(
            world.seed, device, device.reported_at, moves='"drivers"' in device.tags
        )
        config["location"] = {"latitude": latitude, "longitude": longitude, "accuracy": accuracy}
    if device.applied_at is not None:
        config["appliedPolicy"] = {
            "policyId": (device.effective_id if device.applied_error else device.applied_id) or "",
            "status": "error" if device.applied_error else "success",
            "appliedAt": iso(device.applied_at),
        }
        if device.applied_error:
            config["appliedPolicy"]["errorMessage"] = device.applied_error
    config["deviceReport"] = report
    return config


def _summary(shape: dict[str, Any]) -> dict[str, Any]:
    """The names are those that a public client reads for other platforms (schema AosDevice)."""
    report = shape["config"].get("deviceReport")
    if report is None:
        return {}
    free = {event["eventType"]: event["byteCount"] for event in report["memoryEvents"]}
    return {
        "model": report["hardwareInfo"]["model"],
        "manufacturer": report["hardwareInfo"]["manufacturer"],
        "serialNumber": report["hardwareInfo"]["serialNumber"],
        "osVersion": report["softwareInfo"]["androidVersion"],
        "battery": report["powerManagementEvents"][-1].get("batteryLevel"),
        "totalStorage": report["memoryInfo"]["totalInternalStorage"],
        "availableStorage": free.get("INTERNAL_STORAGE_MEASURED"),
        "totalMemory": report["memoryInfo"]["totalRam"],
        "macAddress": report["networkInfo"].get("wifiMacAddress"),
        "managementMode": report["managementMode"],
    }


def policy_shape(world: World, policy: Policy) -> dict[str, Any]:
    """A policy with its applications expanded."""
    known = world.registry.applications
    body = policy_out(policy.body)
    return {
        "id": policy.id,
        "organizationId": world.organization,
        "aosEnterpriseId": world.enterprise,
        "name": policy.name,
        "segmentId": policy.segment_id,
        "exposeToChildren": policy.expose,
        **body,
        "assetsInfo": [
            {"id": entry["mdmAssetId"], "name": entry.get("assetName", ""), "size": "482133"}
            for entry in body.get("assets", ())
        ],
        "applicationsInfo": [
            application_shape(world, known[entry["aosApplicationId"]])
            for entry in body["applications"]
            if entry["aosApplicationId"] in known
        ],
        "version": policy.version,
        "updatedAt": iso(policy.updated_at),
        "createdAt": iso(policy.created_at),
    }


def application_shape(world: World, application: Application) -> dict[str, Any]:
    """An application mapping."""
    config: dict[str, Any] = {"applicationId": application.app_id}
    if application.source == "build":
        config["buildId"] = application.build_id
    if application.selector:
        config["filter"] = application.selector
    return {
        "id": application.id,
        "organizationId": world.organization,
        "aosEnterpriseId": world.enterprise,
        "type": application.source,
        "config": config,
        "info": {
            "id": application.build_id,
            "bundleId": application.package,
            "name": application.title,
            "processedVersionName": application.version_name,
            "versionCode": str(application.version_code),
            "size": str(application.size),
            "originalExtension": "apk",
            "applicationInfo": {
                "id": application.app_id,
                "slug": application.slug,
                "name": application.title,
            },
            "disabled": False,
            "signatures": {
                "sha1": hex_digits(40, world.seed, application.number, 309),
                "sha256": hex_digits(64, world.seed, application.number, 310),
            },
        },
        "version": application.revision,
        "updatedAt": iso(application.updated_at),
        "createdAt": iso(application.created_at),
    }


def command_shape(world: World, device: Device, command: Command) -> dict[str, Any]:
    """A command record."""
    shape: dict[str, Any] = {
        "id": command.id,
        "organization": world.organization,
        "aosEnterprise": world.enterprise,
        "aosDevice": device.id,
        "command": COMMANDS[command.kind],
        "status": COMMAND_STATES[command.status],
        "results": [_result(result) for result in command.results],
        "deliveryExpiresAt": iso(command.expires_at),
        "updatedAt": iso(command.updated_at),
        "createdAt": iso(command.created_at),
    }
    if (params := params_out(command.params)) is not None:
        shape["params"] = params
    if command.person_id:
        shape["mdmUser"] = command.person_id
    if command.push_id:
        shape["pushId"] = command.push_id
    if command.sent_at is not None:
        shape["sentAt"] = iso(command.sent_at)
    if world.scenario == "hostile":
        spoil.command(world.seed, command.number, shape)
    return shape


def _result(result: dict[str, Any]) -> dict[str, Any]:
    shape: dict[str, Any] = {"at": iso(result["at"])}
    if "data" in result:
        shape["data"] = result["data"]
    if "error" in result:
        shape |= {"errorMessage": result["error"], "errorType": result["kind"]}
    return shape


def push_shape(command: Command) -> dict[str, Any]:
    """Delivery state of a command's push."""
    shape: dict[str, Any] = {
        "delivered": command.delivered_at is not None,
        "pendingDevices": int(command.delivered_at is None),
        "expiresAt": iso(command.expires_at),
    }
    if command.sent_at is not None:
        shape["sentAt"] = iso(command.sent_at)
    return shape


def person_shape(person: Person) -> dict[str, Any]:
    """An MDM user."""
    return {
        "id": person.id,
        "email": person.email,
        "name": person.name,
        "tags": person.tags,
        "language": person.language,
        "metadata": {"department": person.department},
    }


def segment_shape(segment_id: int) -> list[dict[str, Any]]:
    """The tree below a segment."""
    return [
        {
            "id": place.id,
            "name": place.name,
            "icon": place.icon,
            "color": place.color,
            "children": segment_shape(place.id),
        }
        for place in children_of(segment_id)
    ]


def installed_shape(world: World, device: Device, app: Installed) -> dict[str, Any]:
    """An application report."""
    shape: dict[str, Any] = {
        "packageName": app.package,
        "displayName": app.title,
        "versionName": app.version,
        "versionCode": app.code,
        "applicationSource": APP_ORIGINS[app.origin],
        "state": "REMOVED" if app.removed else "INSTALLED",
        "userFacingType": "USER_FACING" if app.visible else "NOT_USER_FACING",
        "packageSha256Hash": hex_digits(64, app.code, len(app.package), 311),
        "signingKeyCertFingerprints": [hex_digits(64, len(app.package), 312)],
        "signingKeyCerts": [{"signingKeyCertFingerprintSha256": hex_digits(64, len(app.package), 313)}],
        "events": [],
        "keyedAppStates": [],
    }
    if app.origin == "custom":
        changed = iso(app.changed_at)
        shape["installerPackageName"] = "com.example.agent"
        shape["events"] = [{"eventType": "REMOVED" if app.removed else "INSTALLED", "createTime": changed}]
        shape["keyedAppStates"] = [
            {
                "key": "session",
                "severity": "INFO",
                "message": "signed in",
                "data": "badge",
                "createTime": changed,
                "lastUpdateTime": iso(device.reported_at or app.changed_at),
            }
        ]
    return shape
