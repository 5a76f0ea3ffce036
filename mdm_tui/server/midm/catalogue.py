"""Operations on uploaded apps and system images: all of them, or found with a filter and paging."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from starlette.responses import Response

from . import query
from .call import Call
from .envelope import pages, rows_ok
from .shapes import APP_PATHS, EXTRA, IMAGE_PATHS, app_shape, encode, image_shape


def list_apps(call: Call) -> Response:
    """Every uploaded app."""
    return _all(_apps(call))


def find_apps(call: Call) -> Response:
    """A page of uploaded apps."""
    return _found(call, _apps(call), query.known_in(APP_PATHS, EXTRA))


def list_images(call: Call) -> Response:
    """Every uploaded system image."""
    return _all(_images(call))


def find_images(call: Call) -> Response:
    """A page of uploaded system images."""
    return _found(call, _images(call), query.known_in(IMAGE_PATHS, EXTRA))


def _apps(call: Call) -> Iterable[dict[str, Any]]:
    return (app_shape(call.world, package) for package in call.world.packages.all())


def _images(call: Call) -> Iterable[dict[str, Any]]:
    return (image_shape(image) for image in call.world.images.all())


def _all(shapes: Iterable[dict[str, Any]]) -> Response:
    rows = [encode(shape) for shape in shapes]
    return rows_ok(rows, size=len(rows))


def _found(call: Call, shapes: Iterable[dict[str, Any]], known: Callable[[str], bool]) -> Response:
    first, size = query.paging(call.query, call.shift)
    wanted = query.filters(call.query, known)
    path, descending = query.sorting(call.query, known)
    # The site is asked for and never sent: all that is here is of the one site.
    here = call.world.site in wanted.pop("siteUuid", [call.world.site])
    found = query.chosen(shapes if here else (), wanted, path, descending)
    rows = [encode(shape) for shape in found[first : first + size]]
    return rows_ok(rows, totalPage=pages(len(found), size), size=size, totalSize=len(found))
