"""What the simulated fleet is made of: device models and applications."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """A device model. `systems`: (Android version, API level, build prefix), oldest first. Memory in GiB."""

    brand: str
    manufacturer: str
    name: str
    hardware: str
    serial_prefix: str
    systems: tuple[tuple[str, int, str], ...]
    ram: int
    storage: int
    screen: tuple[int, int, int, int]
    cores: int
    cellular: bool
    weight: int
    baseband: str
    tablet: bool = False
    esim: bool = False
    fan: bool = False


_A8 = ("8.1.0", 27, "OPM1.171019.019")
_A10 = ("10", 29, "QQ3A.200805.001")
_A11 = ("11", 30, "RQ3A.211001.001")
_A12 = ("12", 31, "SP1A.210812.016")
_A13 = ("13", 33, "TQ3A.230901.001")
_A14 = ("14", 34, "UP1A.231005.007")

MODELS: tuple[Model, ...] = (
    Model("Zebra", "Zebra Technologies", "TC52", "sdm660", "180", (_A10, _A11, _A13), 4, 32,
          (720, 1280, 320, 60), 8, False, 18, "MPSS.AT.3.1-00777"),
    Model("Zebra", "Zebra Technologies", "TC57", "sdm660", "181", (_A10, _A11, _A13), 4, 32,
          (720, 1280, 320, 60), 8, True, 8, "MPSS.AT.3.1-00777"),
    Model("Zebra", "Zebra Technologies", "TC21", "sdm660", "203", (_A11, _A13), 3, 32,
          (720, 1280, 294, 60), 8, False, 9, "MPSS.AT.4.0-00120"),
    Model("Zebra", "Zebra Technologies", "TC51", "msm8956", "168", (_A8,), 4, 32,
          (720, 1280, 320, 60), 6, False, 3, "MPSS.TA.2.0-00390"),
    Model("Zebra", "Zebra Technologies", "MC3300x", "sdm660", "192", (_A10, _A11, _A13), 4, 32,
          (480, 800, 240, 60), 8, False, 7, "MPSS.AT.3.1-00777"),
    Model("Honeywell", "Honeywell", "CT45", "bengal", "HT", (_A11, _A13), 4, 64,
          (1080, 1920, 440, 60), 8, True, 11, "MPSS.HI.3.4-00502", esim=True),
    Model("Honeywell", "Honeywell", "EDA52", "bengal", "HE", (_A11, _A12, _A13), 3, 32,
          (720, 1440, 320, 60), 8, True, 7, "MPSS.HI.3.4-00502"),
    Model("samsung", "samsung", "SM-G556B XCover7", "mt6835", "R5C", (_A14,), 6, 128,
          (1080, 2408, 420, 60), 8, True, 12, "G556BXXS6BYA1", esim=True),
    Model("samsung", "samsung", "SM-G525F XCover5", "exynos850", "R58", (_A11, _A13, _A14), 4, 64,
          (720, 1600, 300, 60), 8, True, 6, "G525FXXS9CXA2"),
    Model("samsung", "samsung", "SM-X306B Tab Active5", "s5e8825", "R95", (_A14,), 6, 128,
          (1200, 1920, 280, 120), 8, True, 5, "X306BXXS3AXK1", tablet=True, esim=True),
    Model("Datalogic", "Datalogic", "Memor 11", "mt6765", "D23F", (_A11, _A13), 3, 32,
          (720, 1280, 320, 60), 8, True, 5, "MOLY.LR12A.R3.MP"),
    Model("Urovo", "UROVO", "DT50", "sdm660", "UD5", (_A10, _A11), 4, 64,
          (1080, 2160, 440, 60), 8, True, 4, "MPSS.AT.3.1-00655"),
    Model("SUNMI", "SUNMI", "V2s Plus", "mt6765", "VB25", (_A11,), 3, 32,
          (720, 1440, 280, 60), 4, True, 4, "MOLY.LR12A.R3.MP"),
    Model("Newland", "Newland AIDC", "MT9084 Orca III", "mt6765", "NL9", (_A11, _A13), 4, 64,
          (720, 1440, 320, 60), 8, True, 3, "MOLY.LR12A.R3.MP"),
    Model("Elo", "Elo Touch Solutions", "I-Series 4 Slate", "sdm660", "E3", (_A12,), 4, 64,
          (1920, 1080, 160, 60), 8, False, 4, "", tablet=True, fan=True),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AppSeed:
    """An application that the organisation hands out. `versions`: oldest first; size in bytes."""

    package: str
    title: str
    slug: str
    versions: tuple[str, ...]
    size: int
    source: str


APPS: tuple[AppSeed, ...] = (
    AppSeed("com.example.picking", "Picking", "picking", ("4.0.3", "4.1.0", "4.2.0"), 18_874_368, "lastBuild"),
    AppSeed("com.example.inventory", "Inventory", "inventory", ("2.8.1", "2.9.0"), 24_117_248, "lastBuild"),
    AppSeed("com.example.receiving", "Receiving", "receiving", ("1.14.0", "1.15.2"), 12_582_912, "build"),
    AppSeed("com.example.drivers", "Driver log", "driver-log", ("6.3.0", "6.4.1"), 31_457_280, "lastBuild"),
    AppSeed("com.example.proof", "Proof of delivery", "proof", ("3.0.0", "3.0.4"), 15_728_640, "lastGitTagBuild"),
    AppSeed("com.example.kiosk", "Kiosk browser", "kiosk-browser", ("2.1.0", "2.2.0"), 9_437_184, "lastBuild"),
    AppSeed("com.example.till", "Till", "till", ("9.9.7", "10.0.1"), 41_943_040, "lastTagBuild"),
    AppSeed("com.example.pricecheck", "Price check", "price-check", ("1.2.0", "1.3.0"), 7_340_032, "lastBuild"),
    AppSeed("com.example.coldchain", "Cold chain", "cold-chain", ("0.9.8", "1.0.0"), 11_534_336,
            "lastGitBranchBuild"),
    AppSeed("com.example.voice", "Voice picking", "voice-picking", ("5.5.0", "5.6.3"), 52_428_800, "build"),
    AppSeed("com.example.support", "Remote support", "remote-support", ("12.4.0", "12.5.1"), 22_020_096,
            "lastBuild"),
    AppSeed("com.example.legacyscan", "Legacy scan", "legacy-scan", ("1.0.0", "1.0.1"), 4_194_304, "build"),
)  # fmt: skip

# Packages of the system image: name, title, whether a person ever sees them.
SYSTEM_APPS: tuple[tuple[str, str, bool], ...] = (
    ("android", "Android System", False),
    ("com.android.bluetooth", "Bluetooth", False),
    ("com.android.calculator2", "Calculator", True),
    ("com.android.camera2", "Camera", True),
    ("com.android.certinstaller", "Certificate Installer", False),
    ("com.android.contacts", "Contacts", True),
    ("com.android.deskclock", "Clock", True),
    ("com.android.dialer", "Phone", True),
    ("com.android.documentsui", "Files", True),
    ("com.android.externalstorage", "External Storage", False),
    ("com.android.gallery3d", "Gallery", True),
    ("com.android.inputmethod.latin", "Keyboard", False),
    ("com.android.keychain", "Key Chain", False),
    ("com.android.launcher3", "Home", True),
    ("com.android.messaging", "Messages", True),
    ("com.android.networkstack", "Network Stack", False),
    ("com.android.nfc", "NFC Service", False),
    ("com.android.packageinstaller", "Package installer", False),
    ("com.android.permissioncontroller", "Permission controller", False),
    ("com.android.phone", "Phone Services", False),
    ("com.android.printspooler", "Print Spooler", False),
    ("com.android.providers.downloads", "Download Manager", False),
    ("com.android.providers.media", "Media Storage", False),
    ("com.android.settings", "Settings", True),
    ("com.android.shell", "Shell", False),
    ("com.android.systemui", "System UI", False),
    ("com.android.webview", "WebView", False),
    ("org.chromium.browser", "Browser", True),
)

AGENT_PACKAGE = "com.example.agent"
AGENT_VERSIONS: tuple[tuple[str, int], ...] = (("3.18.2", 31802), ("3.20.0", 32000), ("3.21.4", 32104))

CARRIERS: dict[str, tuple[str, ...]] = {
    "ES": ("Movistar", "Orange ES", "Vodafone ES"),
    "PT": ("MEO", "NOS"),
    "DE": ("Telekom.de", "Vodafone.de"),
    "PL": ("Plus", "Play"),
    "US": ("T-Mobile", "Verizon"),
    "BR": ("Vivo", "Claro BR"),
    "JP": ("KDDI", "NTT DOCOMO"),
    "SG": ("Singtel", "StarHub"),
}
