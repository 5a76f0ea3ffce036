"""Operations of the portal: signing in and out, checking a token, a token for a fleet, the users of the site."""

from __future__ import annotations

import json
import re
import secrets
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from ..world import World
from ..world.clock import SECOND
from . import query, values
from .call import Call
from .envelope import against_rule, bad_value, not_there, portal_ok

# There is one fleet in this world, and one organisation of users.
FLEET = 1
ADMINISTRATOR, VIEWER = 4, 5
PENDING, ACTIVE = 0, 1
_MOST_USERS = 1000
_META = "portal users"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def sign_in(call: Call) -> Response:
    """The token is in `data` and beside it: the contract knows only that there is one."""
    body = values.thing(call.body, "body")
    address = values.text(body.get("email"), "email", required=True)
    password = values.text(body.get("password"), "password", required=True)
    if not _EMAIL.fullmatch(address):
        raise bad_value("email", "must be an e-mail address")
    if len(password) < 6:
        raise bad_value("password", "must have at least 6 characters")
    if body.get("type") != "email":
        raise bad_value("type", "must be email")
    values.text(body.get("udid"), "udid")
    token = call.access.sign_in(address, password)
    return portal_ok(data={"access_token": token}, token=token)


def sign_out(call: Call) -> Response:
    """Ends the session of the token that came along."""
    call.access.sign_out(call.token)
    return portal_ok()


def verify(call: Call) -> Response:
    """Reaching it is the proof."""
    return portal_ok()


def delegate(call: Call) -> Response:
    """A token for a fleet. It is not a Master token: nothing on this server takes it."""
    fleet = values.form_number(call.body, "fleet_id", 0, 2**31 - 1)
    if fleet is None:
        raise bad_value("fleet_id", "is required")
    values.form_number(call.body, "expire_at", 1, 86_400)
    if fleet != FLEET:
        raise not_there("fleet")
    return portal_ok(token=secrets.token_urlsafe(32))


def list_users(call: Call) -> Response:
    """Paged by offset and limit; `keyword` matches name or e-mail."""
    asked = call.query
    keyword = asked.get("keyword", "").casefold()
    roles = _numbers(call, "role", (ADMINISTRATOR, VIEWER))
    states = _numbers(call, "status", (0, 1, 2))
    order = {"name": "user_name", "login": "last_login_time", "created": "created_time", "updated": "created_time"}
    sort = query.text(asked, "sort")
    if sort and sort not in order:
        raise bad_value("sort", "must be one of " + ", ".join(order))
    way = query.text(asked, "order").upper()
    if way not in ("", "ASC", "DESC"):
        raise bad_value("order", "must be ASC or DESC")
    offset = query.whole(asked, "offset", 0, 2**31 - 1, 0)
    limit = query.whole(asked, "limit", 1, 1000, 5)
    found = [
        user
        for user in _users(call)
        if (not keyword or keyword in f"{user['user_name']}\n{user['email']}".casefold())
        and (not roles or user["role"] in roles)
        and (not states or user["status"] in states)
    ]
    found.sort(key=lambda user: user[order[sort]] if sort else user["id"], reverse=way == "DESC")
    return portal_ok(count=len(found), data=found[offset : offset + limit])


def add_user(call: Call) -> Response:
    """Remembered as pending; the letter with the activation link is not sent, as nobody here has a mailbox."""
    body = values.thing(call.body, "body")
    address = values.text(body.get("email"), "email", required=True)
    name = values.text(body.get("userName"), "userName", required=True)
    if not _EMAIL.fullmatch(address):
        raise bad_value("email", "must be an e-mail address")
    if body.get("mode") != "si":
        raise bad_value("mode", "must be si")
    if body.get("role") not in (ADMINISTRATOR, VIEWER) or isinstance(body["role"], bool):
        raise bad_value("role", "must be 4 or 5")
    if len(name) > 42:
        raise bad_value("userName", "must not be longer than 42 characters")
    users = _users(call)
    if any(user["email"].casefold() == address.casefold() for user in users):
        raise against_rule("a user with this e-mail exists")
    if len(users) >= _MOST_USERS:
        raise against_rule(f"there are {_MOST_USERS} users already")
    number = users[-1]["id"] + 1
    added = [
        *_added(call.world),
        {
            "created_time": call.world.clock.now() // SECOND,
            "email": address,
            "id": number,
            "last_login_time": "",
            "organization_id": FLEET,
            "role": int(body["role"]),
            "status": PENDING,
            "user_name": name,
        },
    ]
    with call.world.database.transaction():
        call.world.database.set_meta(_META, json.dumps(added))
    return portal_ok(id=number)


def _added(world: World) -> list[dict[str, Any]]:
    return json.loads(world.database.meta(_META) or "[]")


def _users(call: Call) -> list[dict[str, Any]]:
    """The account that signs in first, then those that were added."""
    world = call.world
    born = int(world.database.meta("born") or 0) // SECOND
    first = {
        "created_time": born,
        "email": call.access.email,
        "id": 1,
        "last_login_time": datetime.fromtimestamp(world.clock.now() / SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "organization_id": FLEET,
        "role": ADMINISTRATOR,
        "status": ACTIVE,
        "user_name": world.site_user(call.access.email).name,
    }
    return [first, *_added(world)]


def _numbers(call: Call, name: str, allowed: tuple[int, ...]) -> set[int]:
    """A list of numbers separated by commas. Raises Refusal."""
    parts = [part.strip() for part in query.text(call.query, name).split(",") if part.strip()]
    known = {str(number) for number in allowed}
    if any(part not in known for part in parts):
        raise bad_value(name, "must be among " + ", ".join(sorted(known)))
    return {int(part) for part in parts}
