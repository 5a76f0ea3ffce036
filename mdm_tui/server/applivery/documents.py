"""A policy's document and a command's parameters: the contract's names on the wire, the world's names inside."""

from __future__ import annotations

from typing import Any

_POLICY = {
    "description": "description",
    "config": "settings",
    "private": "private",
    "agentConfiguration": "agent",
    "assets": "files",
    "applications": "applications",
    "certificateProviderIds": "certificates",
}
_AGENT = {
    "allowLocation": "location",
    "allowPackageTime": "usage_time",
    "allowPackageTransfer": "usage_transfer",
    "allowNetworkStatus": "network",
    "policyFeatures": "features",
}
_FEATURES = {"defaultViewFeature": "first", "toggledFeatures": "shown", "enableDefaultView": "fixed"}
_SHOWN = {"name": "name", "active": "active"}
_FILE = {"mdmAssetId": "file", "location": "path", "assetName": "title", "scope": "scope"}
_APPLICATION = {
    "aosApplicationId": "application",
    "configuration": "configuration",
    "action": "install",
    "updatePolicy": "update",
    "customAppConfig": "managed",
}
_INSTALL = {"forceInstall": "force", "available": "offer"}


def _back(table: dict[str, str]) -> dict[str, str]:
    return {ours: theirs for theirs, ours in table.items()}


_INSTALL_BACK = _back(_INSTALL)


def _renamed(value: dict[str, Any], table: dict[str, str]) -> dict[str, Any]:
    """The known entries under their other names; what is not known is left out."""
    return {table[name]: item for name, item in value.items() if name in table}


def policy_in(body: dict[str, Any]) -> dict[str, Any]:
    """A checked request body as the world's document; only what was sent is in it."""
    document = _renamed(body, _POLICY)
    if "agent" in document:
        agent = document["agent"] = _renamed(document["agent"], _AGENT)
        if "features" in agent:
            features = agent["features"] = _renamed(agent["features"], _FEATURES)
            if "shown" in features:
                features["shown"] = [_renamed(entry, _SHOWN) for entry in features["shown"]]
    if "files" in document:
        document["files"] = [_renamed(entry, _FILE) for entry in document["files"]]
    if "applications" in document:
        document["applications"] = [_renamed(entry, _APPLICATION) for entry in document["applications"]]
        for entry in document["applications"]:
            entry["application"] = entry["application"].lower()
            if "install" in entry:
                entry["install"] = _INSTALL[entry["install"]]
    return document


def policy_out(document: dict[str, Any]) -> dict[str, Any]:
    """The world's document in the contract's names."""
    body = _renamed(document, _back(_POLICY))
    if "agentConfiguration" in body:
        agent = body["agentConfiguration"] = _renamed(body["agentConfiguration"], _back(_AGENT))
        if "policyFeatures" in agent:
            agent["policyFeatures"] = _renamed(agent["policyFeatures"], _back(_FEATURES))
    if "assets" in body:
        body["assets"] = [_renamed(entry, _back(_FILE)) for entry in body["assets"]]
    # Required in answers, optional in requests.
    body["applications"] = [_renamed(entry, _back(_APPLICATION)) for entry in body.get("applications", ())]
    for entry in body["applications"]:
        if "action" in entry:
            entry["action"] = _INSTALL_BACK[entry["action"]]
    return body


def params_in(params: dict[str, Any] | None) -> dict[str, Any] | None:
    """Command parameters: what the world acts on by its names, and all of it as it was asked."""
    if params is None:
        return None
    return {**_renamed(params, {"packageNames": "packages", "newPassword": "password"}), "asked": params}


def params_out(params: dict[str, Any] | None) -> dict[str, Any] | None:
    """As it was asked; None also for what was not kept over a restart."""
    return None if params is None else params.get("asked")
