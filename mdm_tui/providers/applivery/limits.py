"""The bodies that are sent, with every limit, pattern and list of values of the reference pages.

Checked before sending, and while a person types: `Problem`s with a place, words and what is allowed. What the
contract does not name is a warning, never an error: the service may know more than its pages say.
Sources: AosDeviceUpdate, AosPolicyCreate, AosPolicyUpdate, AosCommandCreate of the contract.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from mdm_tui.fleet.commands import Order
from mdm_tui.fleet.devices import Assignment, DeviceChanges
from mdm_tui.fleet.errors import Problem
from mdm_tui.fleet.text import clean

__all__ = ["check_changes", "check_order", "check_policy", "device_body", "neutral", "order_body", "policy_body"]

_SAFE = 9007199254740991
_HEX = r"^[a-fA-F0-9]{24}$"
_HEX_WORDS = "24 digits or letters a-f"

Id = Annotated[str, Field(pattern=_HEX)]
Name = Annotated[str, Field(max_length=256)]
Segment = Annotated[int, Field(ge=0, le=_SAFE)]
Feature = Literal["bookmarks", "applications", "files", "notifications", "status"]


class _Body(BaseModel):
    # "forbid" makes each unknown key an error of its own kind, which becomes a warning below.
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, allow_inf_nan=False)


class AssignmentInput(_Body):
    """One entry of the ordered stack."""

    aosPolicyId: Id
    priority: Annotated[int, Field(ge=-_SAFE, le=_SAFE)]


class AosDeviceUpdate(_Body):
    """The body of the device update; null unlinks the user and is documented for nothing else."""

    displayName: Name = ""
    tags: list[str] = []
    policyId: Id = ""
    aosPolicyAssignments: list[AssignmentInput] = []
    mdmUserId: Id | None = None
    pushNotificationProvider: Id = ""
    segmentId: Segment = 0


class ToggledFeature(_Body):
    """A tile of the agent, on or off."""

    name: Feature = "bookmarks"
    active: bool = False


class PolicyFeatures(_Body):
    """Which tiles people see."""

    defaultViewFeature: Feature = "bookmarks"
    toggledFeatures: list[ToggledFeature] = []
    enableDefaultView: bool = False


class AgentConfiguration(_Body):
    """What the agent may report."""

    allowLocation: bool = False
    allowPackageTime: bool = False
    allowPackageTransfer: bool = False
    allowNetworkStatus: bool = False
    policyFeatures: PolicyFeatures = PolicyFeatures()


class Asset(_Body):
    """A file the policy puts on devices."""

    mdmAssetId: Id
    location: Name
    assetName: Name = ""
    scope: Literal["user", "system", "all-users"]


class Application(_Body):
    """An application assignment."""

    aosApplicationId: Id
    configuration: str = ""
    action: Literal["forceInstall", "available"] = "available"
    updatePolicy: dict[str, Any] = {}
    customAppConfig: dict[str, Any] = {}


class AosPolicyCreate(_Body):
    """The body of a new policy."""

    name: Name
    description: Annotated[str, Field(max_length=500)] = ""
    config: dict[str, Any] = {}
    private: bool = False
    segmentId: Segment = 0
    exposeToChildren: Any = None
    agentConfiguration: AgentConfiguration = AgentConfiguration()
    assets: list[Asset] = []
    applications: list[Application] = []
    certificateProviderIds: list[str] = []


class CommandParams(BaseModel):
    """The two parameters a public client sends; the contract allows any others."""

    model_config = ConfigDict(extra="allow", strict=True, hide_input_in_errors=True)

    newPassword: str = ""
    packageNames: list[str] = []


class AosCommandCreate(_Body):
    """The body of a command."""

    command: Literal["REBOOT", "LOCK", "CLEAR_APP_DATA", "RESET_PASSWORD", "DISENROLL"]
    duration: float = 0.0
    params: CommandParams = CommandParams()


# What a read policy has beyond what may be sent: the service makes these itself.
_COMPUTED = frozenset(
    {"id", "organizationId", "aosEnterpriseId", "assetsInfo", "applicationsInfo", "version", "updatedAt", "createdAt"}
)

_CHANGES = {
    "display_name": "displayName",
    "tags": "tags",
    "policy_id": "policyId",
    "assignments": "aosPolicyAssignments",
    "user_id": "mdmUserId",
    "push_provider": "pushNotificationProvider",
    "segment_id": "segmentId",
}
_NEUTRAL = {wire: ours for ours, wire in _CHANGES.items()} | {"aosPolicyId": "policy_id"}


def device_body(changes: DeviceChanges) -> dict[str, Any]:
    """The update's body: what was touched, and nothing else."""
    body: dict[str, Any] = {}
    for key, value in changes.values.items():
        if key == "assignments" and isinstance(value, list | tuple):
            value = [
                {"aosPolicyId": item.policy_id, "priority": item.priority} if isinstance(item, Assignment) else item
                for item in value
            ]
        elif isinstance(value, tuple):
            value = list(value)
        body[_CHANGES.get(key, key)] = value
    return body


def check_changes(changes: DeviceChanges) -> list[Problem]:
    """What is wrong with an edit, by neutral field name.

    Clearing the policy or the push provider (None) is a warning: the contract documents it for the user alone.
    """
    body = device_body(changes)
    problems = []
    for key in ("policyId", "pushNotificationProvider"):
        if key in body and body[key] is None:
            del body[key]
            what = "clearing this is not documented; what came of it is read back"
            problems.append(Problem((_NEUTRAL[key],), what, warning=True))
    return [*problems, *neutral(_check(AosDeviceUpdate, body))]


def neutral(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Problems of a device's body, ours or the service's, at the neutral names of its fields."""
    return tuple(
        replace(item, path=tuple(_NEUTRAL.get(part, part) if isinstance(part, str) else part for part in item.path))
        for item in problems
    )


def order_body(order: Order) -> dict[str, Any]:
    """The command's body; a duration or parameters that were not given are left out, never sent as null."""
    body: dict[str, Any] = {"command": order.name}
    if order.duration is not None:
        body["duration"] = order.duration
    if order.params:
        body["params"] = dict(order.params)
    return body


def check_order(order: Order) -> list[Problem]:
    """What is wrong with a command; no message repeats a parameter's value."""
    return _check(AosCommandCreate, order_body(order))


def check_policy(document: Any) -> list[Problem]:
    """What is wrong with a whole policy document, in the order of the document's own fields."""
    if not isinstance(document, Mapping):
        return [Problem((), "a policy is an object", "{ … }")]
    return _check(AosPolicyCreate, dict(document))


def policy_body(document: Mapping[str, Any]) -> dict[str, Any]:
    """What of a policy document may be sent, in its own order.

    Left out: what the service makes itself (id, version, times, `…Info`, …), and null in a documented field, which
    answers use for "not set" and bodies may not hold. Kept: keys that the contract does not name, whether a person
    or a newer service put them there, so that no edit loses what this console does not know. `config` that was
    answered as JSON text (its sample is text) becomes the object that bodies need.
    """
    body: dict[str, Any] = {}
    for key, value in document.items():
        if key in _COMPUTED or (value is None and key in AosPolicyCreate.model_fields):
            continue
        if key == "config" and isinstance(value, str):
            value = _object(value)
        body[key] = value
    return body


def _object(plain: str) -> Any:
    try:
        found = json.loads(plain)
    except (ValueError, RecursionError):
        return plain
    return found if isinstance(found, dict) else plain


def _check(model: type[BaseModel], body: Any) -> list[Problem]:
    try:
        model.model_validate(body)
    except ValidationError as error:
        return [_problem(part) for part in error.errors(include_url=False, include_input=False)]
    return []


def _problem(part: ErrorDetails) -> Problem:
    path = tuple(part["loc"])
    context = part.get("ctx", {})
    kind = part["type"]
    if kind == "extra_forbidden":
        if len(path) == 1 and path[0] in _COMPUTED:
            return Problem(path, "the service makes this itself; it is not sent", warning=True)
        return Problem(path, "the contract does not name this; it is sent as it stands", warning=True)
    if kind == "literal_error":
        allowed = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
        return Problem(path, "is not one of the values", allowed)
    if kind == "string_pattern_mismatch":
        return Problem(path, "is not an identifier", _HEX_WORDS)
    if kind == "string_too_long":
        return Problem(path, "is too long", f"at most {context.get('max_length')} characters")
    if kind == "greater_than_equal":
        return Problem(path, "is too small", f"at least {context.get('ge')}")
    if kind == "less_than_equal":
        return Problem(path, "is too large", f"at most {context.get('le')}")
    if kind == "int_from_float" or kind == "int_parsing_size":
        return Problem(path, "must be a whole number", f"up to {_SAFE}")
    message, allowed = _SHAPES.get(kind, (clean(part["msg"], 200), ""))
    return Problem(path, message, allowed)


_SHAPES: dict[str, tuple[str, str]] = {
    "missing": ("is required", ""),
    "string_type": ("must be text", '"…"'),
    "int_type": ("must be a whole number", ""),
    "float_type": ("must be a number", ""),
    "finite_number": ("must be a finite number", ""),
    "bool_type": ("must be true or false", "true, false"),
    "list_type": ("must be a list", "[ … ]"),
    "dict_type": ("must be an object", "{ … }"),
    "model_type": ("must be an object", "{ … }"),
    "string_unicode": ("holds half a character that cannot be sent", ""),
}
