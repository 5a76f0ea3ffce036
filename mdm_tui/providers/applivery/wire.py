"""The answers of the AOSP endpoints as they may really come: unknown fields kept, null anywhere, numbers as text.

Only what the console reads by name is declared. A field of a wrong type becomes None and never costs its row; a row
fails only when it is no object or has no id. Source: the contract's schemas of the same names.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from mdm_tui.fleet.errors import Kind
from mdm_tui.fleet.values import parse_time, words
from mdm_tui.providers.body import BodyError
from mdm_tui.providers.rows import Identity, Row, Table, Text, Whole

__all__ = [
    "AppReport",
    "Command",
    "Device",
    "Listing",
    "Policy",
    "PushStatus",
    "Result",
    "SegmentNode",
    "Template",
    "User",
    "data",
    "listing",
]


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _rows(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    return [text for item in _rows(value) if (text := words(item)) is not None]


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in _rows(value) if isinstance(item, dict)]


Flag = Annotated[bool | None, BeforeValidator(_flag)]
Moment = Annotated[float | None, BeforeValidator(parse_time)]
Rows = Annotated[list[Any], BeforeValidator(_rows)]
Texts = Annotated[list[str], BeforeValidator(_texts)]
Objects = Annotated[list[dict[str, Any]], BeforeValidator(_objects)]


class Device(Row):
    """A device; its report is read from the raw object by `report.py`."""

    id: Identity


class Policy(Row):
    """A policy. `config` is any on the way out: it stays in the raw object."""

    id: Identity
    name: Text = None
    version: Whole = None
    description: Text = None
    segment_id: Whole = Field(None, alias="segmentId")
    private: Flag = None
    applications: Rows = []
    assets: Rows = []
    updated_at: Moment = Field(None, alias="updatedAt")
    created_at: Moment = Field(None, alias="createdAt")


class Template(Row):
    """A policy template: a part of a policy, to merge into a create or update body."""

    id: Identity = Field(alias="templateId")
    version: Whole = Field(None, alias="templateVersion")
    policy: Table = Field({}, alias="templatePolicy")


class Result(Row):
    """One entry of a command's execution history."""

    at: Moment = None
    data: Any = None
    error: Text = Field(None, alias="errorMessage")
    error_type: Text = Field(None, alias="errorType")


class Command(Row):
    """A command record. Its neighbours are named without `Id` here (NOTES, quirk 1)."""

    id: Identity
    device: Text = Field(None, alias="aosDevice")
    command: Text = None
    status: Text = None
    params: Table = {}
    push_id: Text = Field(None, alias="pushId")
    results: Objects = []
    expires_at: Moment = Field(None, alias="deliveryExpiresAt")
    sent_at: Moment = Field(None, alias="sentAt")
    updated_at: Moment = Field(None, alias="updatedAt")
    created_at: Moment = Field(None, alias="createdAt")


class PushStatus(Row):
    """What the push service says of a command."""

    delivered: Flag = None
    pending: Whole = Field(None, alias="pendingDevices")
    expires_at: Moment = Field(None, alias="expiresAt")
    sent_at: Moment = Field(None, alias="sentAt")


class AppReport(Row):
    """An application on a device (Android Management API, ApplicationReport)."""

    package: Text = Field(None, alias="packageName")
    name: Text = Field(None, alias="displayName")
    version: Text = Field(None, alias="versionName")
    version_code: Text = Field(None, alias="versionCode")
    state: Text = None
    source: Text = Field(None, alias="applicationSource")


class User(Row):
    """An MDM user."""

    id: Identity
    email: Text = None
    name: Text = None
    tags: Texts = []


class SegmentNode(Row):
    """A segment; its children are read one by one, so that one bad node costs only itself."""

    id: Whole = None
    name: Text = None
    children: Objects = []


class Listing(Row):
    """A page: the rows and what the service says about paging. Null or missing fields are fine."""

    items: Rows = []
    total: Whole = Field(None, alias="totalDocs")
    page: Whole = None
    pages: Whole = Field(None, alias="totalPages")
    more: Flag = Field(None, alias="hasNextPage")


def data(document: Any) -> dict[str, Any]:
    """The object of a `{status, data}` answer, or of a bare one; raises `BodyError`."""
    found = document.get("data", document) if isinstance(document, dict) else None
    if not isinstance(found, dict):
        raise BodyError(Kind.UNREADABLE, "sent an answer without an object in it")
    return found


def listing(document: Any) -> Listing:
    """The page of an answer, in whichever wrapper it came: `data.items`, `items`, `data` or a bare array."""
    for node in (document.get("data") if isinstance(document, dict) else None, document):
        if isinstance(node, list):
            return Listing.model_validate({"items": node, "totalDocs": len(node), "hasNextPage": False})
        if isinstance(node, dict) and isinstance(node.get("items"), list):
            return Listing.model_validate(node)
    raise BodyError(Kind.UNREADABLE, "sent an answer without a list in it")
