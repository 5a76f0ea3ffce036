"""The operations this server has. Of the contract's file none is left out."""

from __future__ import annotations

from . import catalogue, devices, groups, legacy, portal, profiles
from .call import Operation

OPERATIONS: tuple[Operation, ...] = (
    Operation("POST", "/ota/api/device/group/save", groups.save_group, body="json"),
    Operation("GET", "/ota/api/device/group/all", groups.list_groups),
    Operation("POST", "/ota/api/device/group/delete", groups.delete_group, body="json"),
    Operation("GET", "/ota/api/device/exists", devices.device_exists),
    Operation("POST", "/ota/api/device/save", devices.save_devices, body="json"),
    Operation("GET", "/ota/api/device/findBy", devices.get_device),
    Operation("GET", "/ota/api/device/find", devices.find_devices),
    Operation("GET", "/ota/api/device/app/installed", devices.list_installed),
    Operation("GET", "/ota/api/device/app/exists", devices.app_exists, documented=False),
    Operation("GET", "/ota/api/app/all", catalogue.list_apps, documented=False),
    Operation("GET", "/ota/api/app/find", catalogue.find_apps, documented=False),
    Operation("GET", "/ota/api/ota/all", catalogue.list_images, documented=False),
    Operation("GET", "/ota/api/ota/find", catalogue.find_images, documented=False),
    Operation("POST", "/ota/api/profile/save", profiles.save_profile, documented=False, body="json"),
    Operation("GET", "/ota/api/profile/find", profiles.list_profiles, documented=False),
    Operation("GET", "/ota/api/profile/findBy", profiles.get_profile, documented=False),
    Operation("POST", "/ota/api/profile/update", profiles.update_profile, documented=False, body="json"),
    Operation("GET", "/ota/api/logs/find", legacy.find_logs),
    Operation("GET", "/ota/api/license/site/models", legacy.list_license_models),
    Operation("GET", "/ota/api/stat/dbquery", legacy.count),
    Operation("POST", "/portal/V1/auth", portal.sign_in, body="json", session=False),
    Operation("GET", "/portal/V1/logout", portal.sign_out),
    Operation("GET", "/portal/V1/auth/token-verify", portal.verify),
    Operation("POST", "/portal/V1/auth/fleet-delegate", portal.delegate, body="form"),
    Operation("GET", "/portal/V1/get-users", portal.list_users),
    Operation("POST", "/portal/V1/add-user", portal.add_user, body="json"),
)
