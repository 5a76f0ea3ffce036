"""Where the simulated fleet is and who uses it: segments in three levels, sites, people, names of devices."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """One segment. A site (third level) has a position, a distance from UTC in minutes, and a zone."""

    id: int
    parent: int
    name: str
    icon: str
    color: str
    country: str = ""
    latitude: float = 0.0
    longitude: float = 0.0
    utc_offset: int = 0
    language: str = "en-GB"
    zone: str = "UTC"


PLACES: tuple[Place, ...] = (
    Place(1, 0, "Iberia", "map", "#2f7fd1"),
    Place(2, 0, "Central Europe", "map", "#3a9d5d"),
    Place(3, 0, "Americas", "map", "#c9722c"),
    Place(4, 0, "Asia Pacific", "map", "#8a56c2"),
    Place(11, 1, "Spain", "flag", "#2f7fd1"),
    Place(12, 1, "Portugal", "flag", "#2f7fd1"),
    Place(21, 2, "Germany", "flag", "#3a9d5d"),
    Place(22, 2, "Poland", "flag", "#3a9d5d"),
    Place(31, 3, "United States", "flag", "#c9722c"),
    Place(32, 3, "Brazil", "flag", "#c9722c"),
    Place(41, 4, "Japan", "flag", "#8a56c2"),
    Place(42, 4, "Singapore", "flag", "#8a56c2"),
    Place(111, 11, "Madrid depot", "warehouse", "#2f7fd1", "ES", 40.4168, -3.7038, 120, "es-ES", "Europe/Madrid"),
    Place(112, 11, "Barcelona DC", "warehouse", "#2f7fd1", "ES", 41.3874, 2.1686, 120, "ca-ES", "Europe/Madrid"),
    Place(113, 11, "Sevilla store", "shop", "#2f7fd1", "ES", 37.3891, -5.9845, 120, "es-ES", "Europe/Madrid"),
    Place(121, 12, "Porto depot", "warehouse", "#2f7fd1", "PT", 41.1579, -8.6291, 60, "pt-PT", "Europe/Lisbon"),
    Place(211, 21, "München store", "shop", "#3a9d5d", "DE", 48.1374, 11.5755, 120, "de-DE", "Europe/Berlin"),
    Place(212, 21, "Hamburg DC", "warehouse", "#3a9d5d", "DE", 53.5511, 9.9937, 120, "de-DE", "Europe/Berlin"),
    Place(221, 22, "Łódź hub", "warehouse", "#3a9d5d", "PL", 51.7592, 19.4560, 120, "pl-PL", "Europe/Warsaw"),
    Place(311, 31, "Chicago DC", "warehouse", "#c9722c", "US", 41.8781, -87.6298, -300, "en-US", "America/Chicago"),
    Place(312, 31, "Dallas store", "shop", "#c9722c", "US", 32.7767, -96.7970, -300, "en-US", "America/Chicago"),
    Place(
        321, 32, "São Paulo depot", "warehouse", "#c9722c", "BR", -23.5505, -46.6333, -180, "pt-BR", "America/Sao_Paulo"
    ),
    Place(411, 41, "東京倉庫", "warehouse", "#8a56c2", "JP", 35.6762, 139.6503, 540, "ja-JP", "Asia/Tokyo"),
    Place(421, 42, "Tuas yard", "warehouse", "#8a56c2", "SG", 1.2966, 103.6361, 480, "en-SG", "Asia/Singapore"),
)

PLACE_BY_ID: dict[int, Place] = {place.id: place for place in PLACES}
SITES: tuple[Place, ...] = tuple(place for place in PLACES if place.country)
SITE_WEIGHTS: tuple[int, ...] = (20, 16, 6, 7, 6, 10, 9, 12, 5, 8, 6, 5)

# Role: pattern of the device's name, tags, key of the policy, needs a tablet, needs a SIM, weight.
ROLES: tuple[tuple[str, tuple[str, ...], str, bool, bool, int], ...] = (
    ("Dock {n} scanner", ("warehouse", "dock"), "warehouse", False, False, 16),
    ("Picker {n}", ("warehouse", "picking"), "warehouse", False, False, 18),
    ("Forklift {n}", ("warehouse", "forklift"), "warehouse", False, False, 8),
    ("Van {n}", ("drivers",), "drivers", False, True, 14),
    ("Truck {n}", ("drivers", "long-haul"), "drivers", False, True, 5),
    ("Gate tablet {n}", ("kiosk", "gate"), "kiosk", True, False, 6),
    ("Price checker {n}", ("retail", "kiosk"), "kiosk", True, False, 4),
    ("Till {n}", ("retail", "till"), "till", False, False, 8),
    ("Cold store {n}", ("warehouse", "cold"), "cold", False, False, 6),
    ("Returns desk {n}", ("warehouse", "returns"), "warehouse", False, False, 4),
    ("Voice picker {n}", ("warehouse", "voice", "picking"), "pilot", False, False, 4),
    ("Spare handheld {n}", ("spare",), "baseline", False, False, 4),
)

# Names of other widths and directions, as real fleets have them.
OTHER_NAMES: tuple[str, ...] = (
    "倉庫スキャナ {n}",
    "冷库平板 {n}",
    "창고 리더기 {n}",
    "ماسح الرصيف {n}",
    "סורק מחסן {n}",
    "Überladerampe Süd {n}",
    "Entrepôt réfrigéré nº {n}",
    "\U0001f4e6 Packing {n}",
    "Café \u2615 till {n}",
    "เครื่องสแกน {n}",
)

EXTRA_TAGS: tuple[str, ...] = (
    "canary",
    "pilot",
    "night-shift",
    "leased",
    "to-replace",
    "north",
    "south",
    "audit",
)

PEOPLE: tuple[tuple[str, str, str], ...] = (
    ("Marta Ruiz", "marta.ruiz", "es"), ("Jon Etxeberria", "jon.etxeberria", "es"),
    ("Núria Puig", "nuria.puig", "ca"), ("Álvaro Gómez", "alvaro.gomez", "es"),
    ("Lucía Fernández", "lucia.fernandez", "es"), ("Sergio Molina", "sergio.molina", "es"),
    ("Inês Carvalho", "ines.carvalho", "pt"), ("Tiago Sousa", "tiago.sousa", "pt"),
    ("Jürgen Weiß", "juergen.weiss", "de"), ("Anke Schröder", "anke.schroeder", "de"),
    ("Matthias König", "matthias.koenig", "de"), ("Łukasz Wójcik", "lukasz.wojcik", "pl"),
    ("Zofia Żak", "zofia.zak", "pl"), ("Agnieszka Nowak", "agnieszka.nowak", "pl"),
    ("Denise Walker", "denise.walker", "en"), ("Andre Johnson", "andre.johnson", "en"),
    ("Maria Gonzalez", "maria.gonzalez", "en"), ("Tyrone Brooks", "tyrone.brooks", "en"),
    ("Kelly O'Brien", "kelly.obrien", "en"), ("João Batista", "joao.batista", "pt"),
    ("Ana Beatriz Lima", "ana.lima", "pt"), ("佐藤 健", "ken.sato", "ja"),
    ("鈴木 美咲", "misaki.suzuki", "ja"), ("高橋 翔太", "shota.takahashi", "ja"),
    ("Tan Wei Ming", "weiming.tan", "en"), ("Siti Nurhaliza", "siti.nurhaliza", "ms"),
    ("Rajesh Kumar", "rajesh.kumar", "en"), ("يوسف حداد", "youssef.haddad", "ar"),
    ("Fatima Zahra El Idrissi", "fatima.elidrissi", "fr"), ("Pierre Lefèvre", "pierre.lefevre", "fr"),
    ("Chiara Rossi", "chiara.rossi", "it"), ("Oksana Kovalenko", "oksana.kovalenko", "uk"),
    ("Dmytro Shevchenko", "dmytro.shevchenko", "uk"), ("Emma Lindqvist", "emma.lindqvist", "sv"),
    ("Mikkel Sørensen", "mikkel.soerensen", "da"), ("Nguyễn Thị Hạnh", "hanh.nguyen", "vi"),
    ("Dock team Madrid", "dock.madrid", "es"), ("Night shift Hamburg", "night.hamburg", "de"),
    ("Drivers Łódź", "drivers.lodz", "pl"), ("Till pool Dallas", "tills.dallas", "en"),
)  # fmt: skip


def children_of(place_id: int) -> list[Place]:
    """The segments directly below; 0 is the organisation itself."""
    return [place for place in PLACES if place.parent == place_id]


def descendants(place_id: int) -> set[int]:
    """The segment and everything below it."""
    found = {place_id}
    for place in PLACES:
        if place.parent in found:
            found.add(place.id)
    return found


def ancestors(place_id: int) -> set[int]:
    """The segment and everything above it, up to the organisation (0)."""
    found = {place_id}
    while place := PLACE_BY_ID.get(place_id):
        place_id = place.parent
        found.add(place_id)
    return found
