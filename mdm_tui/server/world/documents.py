"""The policies that a new fleet starts with, and the templates offered for new ones."""

from __future__ import annotations

from typing import Any

from .catalog import APPS

_APP_NUMBER = {app.slug: number for number, app in enumerate(APPS)}


def _agent(
    location: bool = True, package_time: bool = False, view: str = "applications", **features: bool
) -> dict[str, Any]:
    shown = {"bookmarks": False, "applications": True, "files": False, "notifications": True, "status": True}
    shown.update(features)
    return {
        "location": location,
        "usage_time": package_time,
        "usage_transfer": False,
        "network": True,
        "features": {
            "first": view,
            "shown": [{"name": name, "active": active} for name, active in shown.items()],
            "fixed": True,
        },
    }


def _password(length: int, quality: str = "NUMERIC_COMPLEX") -> list[dict[str, Any]]:
    return [
        {
            "passwordScope": "SCOPE_DEVICE",
            "passwordQuality": quality,
            "passwordMinimumLength": length,
            "passwordHistoryLength": 3,
            "maximumFailedPasswordsForWipe": 10,
            "requirePasswordUnlock": "USE_DEFAULT_DEVICE_TIMEOUT",
        }
    ]


# key, name, description, segment, offered to children, version at the start, apps by action, config, agent
POLICIES: tuple[dict[str, Any], ...] = (
    {
        "key": "warehouse",
        "name": "Warehouse handhelds",
        "description": "Baseline for scanners without Google services",
        "segment": 0,
        "expose": True,
        "version": 7,
        "force": ("picking", "inventory", "receiving", "support"),
        "offer": ("voice-picking",),
        "settings": {
            "cameraDisabled": False,
            "bluetoothConfigDisabled": True,
            "adjustVolumeDisabled": False,
            "screenCaptureDisabled": True,
            "maximumTimeToLock": "300000",
            "passwordPolicies": _password(6),
            "statusReportingSettings": {
                "hardwareStatusEnabled": True,
                "powerManagementEventsEnabled": True,
                "memoryInfoEnabled": True,
                "networkInfoEnabled": True,
            },
            "systemUpdate": {"type": "WINDOWED", "startMinutes": 120, "endMinutes": 300},
            "openNetworkConfiguration": {
                "Type": "UnencryptedConfiguration",
                "NetworkConfigurations": [
                    {
                        "GUID": "wh-main",
                        "Name": "Warehouse",
                        "Type": "WiFi",
                        "WiFi": {"SSID": "WH-SCAN", "Security": "WPA-EAP", "AutoConnect": True},
                    }
                ],
            },
        },
        "agent": _agent(),
    },
    {
        "key": "drivers",
        "name": "Drivers",
        "description": "Phones that leave the yard: location on, roaming off",
        "segment": 0,
        "expose": True,
        "version": 12,
        "force": ("driver-log", "proof"),
        "offer": ("remote-support",),
        "settings": {
            "dataRoamingDisabled": True,
            "locationMode": "LOCATION_ENFORCED",
            "tetheringConfigDisabled": True,
            "maximumTimeToLock": "120000",
            "passwordPolicies": _password(4, "NUMERIC"),
            "systemUpdate": {"type": "AUTOMATIC"},
        },
        "agent": _agent(package_time=True),
    },
    {
        "key": "kiosk",
        "name": "Kiosk",
        "description": "One application, no way out of it",
        "segment": 1,
        "expose": True,
        "version": 3,
        "force": ("kiosk-browser",),
        "offer": ("price-check",),
        "settings": {
            "kioskCustomLauncherEnabled": False,
            "kioskCustomization": {
                "statusBar": "NOTIFICATIONS_AND_SYSTEM_INFO_DISABLED",
                "systemNavigation": "NAVIGATION_DISABLED",
                "powerButtonActions": "POWER_BUTTON_BLOCKED",
            },
            "keyguardDisabled": True,
            "stayOnPluggedModes": ["AC", "USB"],
            "systemUpdate": {"type": "WINDOWED", "startMinutes": 60, "endMinutes": 240},
        },
        "agent": _agent(location=False, view="bookmarks", bookmarks=True, notifications=False),
    },
    {
        "key": "till",
        "name": "Tills",
        "description": "Points of sale in stores",
        "segment": 0,
        "expose": True,
        "version": 5,
        "force": ("till", "price-check"),
        "offer": (),
        "settings": {
            "usbFileTransferDisabled": True,
            "installAppsDisabled": True,
            "uninstallAppsDisabled": True,
            "factoryResetDisabled": True,
            "passwordPolicies": _password(8, "ALPHANUMERIC"),
            "maximumTimeToLock": "60000",
        },
        "agent": _agent(location=False),
    },
    {
        "key": "night",
        "name": "Night shift",
        "description": "Dim screens, no sounds between 22 and 6",
        "segment": 0,
        "expose": True,
        "version": 2,
        "force": (),
        "offer": (),
        "settings": {"adjustVolumeDisabled": True, "screenBrightnessSettings": {"screenBrightness": 60}},
        "agent": _agent(),
    },
    {
        "key": "cold",
        "name": "Cold store",
        "description": "Handhelds below zero: short screen timeout, battery reported every 15 minutes",
        "segment": 2,
        "expose": False,
        "version": 4,
        "force": ("cold-chain", "inventory"),
        "offer": (),
        "settings": {
            "maximumTimeToLock": "30000",
            "screenTimeoutSettings": {"screenTimeout": "30s"},
            "statusReportingSettings": {"hardwareStatusEnabled": True, "powerManagementEventsEnabled": True},
        },
        "agent": _agent(),
    },
    {
        "key": "pilot",
        "name": "Pilot ring",
        "description": "First ring for new versions, people who answer when asked",
        "segment": 0,
        "expose": True,
        "version": 14,
        "force": ("voice-picking", "picking", "support"),
        "offer": ("legacy-scan",),
        "settings": {
            "debuggingFeaturesAllowed": True,
            "systemUpdate": {"type": "AUTOMATIC"},
            "passwordPolicies": _password(6),
        },
        "agent": _agent(package_time=True, files=True),
    },
    {
        "key": "baseline",
        "name": "Baseline",
        "description": "What every device gets when nothing else is assigned",
        "segment": 0,
        "expose": True,
        "version": 1,
        "force": ("support",),
        "offer": (),
        "settings": {"encryptionPolicy": "ENABLED_WITHOUT_PASSWORD", "installUnknownSourcesAllowed": False},
        "agent": _agent(),
    },
    {
        "key": "lockdown",
        "name": "Locked down",
        "description": "For devices reported lost: nothing but the lock screen",
        "segment": 0,
        "expose": True,
        "private": True,
        "version": 1,
        "force": (),
        "offer": (),
        "settings": {
            "applications": [],
            "cameraDisabled": True,
            "deviceOwnerLockScreenInfo": {"defaultMessage": "Please return to the nearest store"},
        },
        "agent": _agent(package_time=True),
    },
)


def app_number(slug: str) -> int:
    """Position of an application in the catalogue; `support` is short for `remote-support`."""
    return _APP_NUMBER.get(slug, _APP_NUMBER["remote-support"])


TEMPLATES: tuple[dict[str, Any], ...] = (
    {
        "id": "kiosk-single-app",
        "version": 2,
        "settings": {
            "keyguardDisabled": True,
            "kioskCustomization": {
                "statusBar": "NOTIFICATIONS_AND_SYSTEM_INFO_DISABLED",
                "systemNavigation": "NAVIGATION_DISABLED",
            },
        },
        "apps": ("kiosk-browser",),
    },
    {
        "id": "rugged-handheld",
        "version": 4,
        "settings": {
            "screenCaptureDisabled": True,
            "maximumTimeToLock": "300000",
            "passwordPolicies": _password(6),
        },
        "apps": (),
    },
    {
        "id": "battery-saver",
        "version": 1,
        "settings": {"screenTimeoutSettings": {"screenTimeout": "30s"}},
        "apps": (),
    },
)
