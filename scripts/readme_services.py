"""The README's tables of what each service offers, made from the providers. `--write` puts them in; a test compares."""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
# In the order of the table; a capability without words here is a mistake.
_WORDS = {
    "DEVICES": "devices: list and whole report",
    "DEVICE_EDIT": "edit a device",
    "DEVICE_REGISTER": "register devices",
    "LICENSES": "choose a license model",
    "DEVICE_APPS": "the apps on a device",
    "DEVICE_HAS_APP": "ask for one app of a device",
    "DEVICE_LINK": "whether a device is connected now",
    "DEVICE_POSTURE": "security patch, encryption, compliance of a device",
    "LIST_BATTERY": "the battery of every device in the list",
    "COMMANDS": "commands",
    "COMMAND_CANCEL": "take a command back",
    "POLICIES": "policies",
    "POLICY_EDIT": "edit policies",
    "USERS": "people to link a device to",
    "SEGMENTS": "segments",
    "TAGS": "tags",
    "GROUPS": "groups",
    "GROUP_EDIT": "create, rename and move groups",
    "GROUP_DELETE": "delete groups",
    "APPS": "catalogue of apps",
    "IMAGES": "system images",
    "ROLLOUTS": "rollouts of apps and images",
    "ROLLOUT_EDIT": "edit rollouts",
}
_SURE = {"high": "certain", "medium": "likely", "low": "inferred"}


def services() -> str:
    """What each built-in service offers."""
    from mdm_tui.fleet.provider import Capability
    from mdm_tui.providers import factory

    if lacking := {one.name for one in Capability} ^ set(_WORDS):
        raise SystemExit(f"scripts/readme_services.py has no words, or too many, for {', '.join(sorted(lacking))}")
    found = [factory(kind) for kind in ("applivery", "midm")]
    lines = [f"| | {' | '.join(one.title for one in found)} |", f"| --- {'| :---: ' * len(found)}|"]
    signs = (" and ".join(name.replace("_", " ").replace("api", "API") for name in one.secrets) for one in found)
    lines.append(f"| secrets it needs | {' | '.join(signs)} |")
    for name, words in _WORDS.items():
        cells = []
        for one in found:
            has = Capability[name] in one.capabilities
            count = f"yes, {len(one.commands)}" if name == "COMMANDS" else "yes"
            cells.append(count if has else "-")
        lines.append(f"| {words} | {' | '.join(cells)} |")
    return "\n" + "\n".join(lines) + "\n\n"


def operations() -> str:
    """MiDM's operations by name, and how sure their paths are."""
    from mdm_tui.providers.midm.client import OPERATIONS

    lines = ["| name | what it is for | address | how sure |", "| --- | --- | --- | --- |"]
    for name, one in OPERATIONS.items():
        lines.append(f"| `{name}` | {one.does} | `{one.method} {one.path}` | {_SURE[one.confidence]} |")
    return "\n" + "\n".join(lines) + "\n\n"


def filled(text: str) -> str:
    """The README's text with the tables as they should be."""
    for name, made in (("services", services), ("operations", operations)):
        place = re.compile(
            rf"(<!-- {name}: made by scripts/readme_services.py -->\n).*?(<!-- end of {name} -->)", re.DOTALL
        )
        if not place.search(text):
            raise SystemExit(f"README.md has no place for the table of {name}")
        text = place.sub(lambda match, made=made: f"{match[1]}{made()}{match[2]}", text)
    return text


def main() -> int:
    sys.path.insert(0, str(README.parent))
    if "--write" in sys.argv[1:]:
        README.write_text(filled(README.read_text()))
        return 0
    print(services(), operations())
    return 0


if __name__ == "__main__":
    sys.exit(main())
