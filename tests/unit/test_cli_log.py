"""The log: nothing on the terminal, no secret in the file, the file private."""

from __future__ import annotations

import json
import logging
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from mdm_tui.cli import log
from mdm_tui.config.paths import Paths

CANARY = "c4n4ry-T0ken.value_9"


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[Paths]:
    root = logging.getLogger()
    handlers, level, raises = root.handlers[:], root.level, logging.raiseExceptions
    yield Paths.default({"MDM_TUI_HOME": str(tmp_path)})
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raises


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {CANARY}",
        f"{{'authorization': 'Bearer {CANARY}'}}",
        f"{{'Authorization': '{CANARY}'}}",
        f"proxy-authorization={CANARY}",
        f"GET https://x.example/v1?token={CANARY}&page=2",
        f'{{"newPassword": "{CANARY}"}}',
        f"x-api-key: {CANARY}",
        f"ACME_TOKEN={CANARY}",
        f"client_secret = {CANARY}",
        f"bearer {CANARY}",
        f"https://me:{CANARY}@x.example/",
        "eyJhbGciOiJIUzI1NiJ9.c4n4ry-T0ken.value_9",
    ],
)
def test_credentials_are_masked(text: str) -> None:
    assert CANARY not in log.redact(text)


@pytest.mark.parametrize("text", ["GET /v1/organizations/acme/mdm 200", "device 6710aa", "page=2&limit=100"])
def test_the_rest_stays(text: str) -> None:
    assert log.redact(text) == text


def test_lines_are_json_and_private(paths: Paths, capfd: pytest.CaptureFixture[str]) -> None:
    path = log.start(paths)
    logger = logging.getLogger("mdm_tui.test")
    logger.info("hello \x1b[31m %s", "Authorization: Bearer " + CANARY)
    logging.getLogger("httpx").info("GET https://x.example/?token=%s", CANARY)
    local = CANARY
    try:
        raise ValueError(f"token={local}")
    except ValueError:
        logger.exception("failed")
    logger.info("%d", "not a number")
    logging.getLogger().handlers[0].flush()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["message"][:5] for line in lines] == ["hello", "faile"], (
        "libraries from WARNING; a bad call is dropped"
    )
    assert lines[1]["error"].startswith("ValueError: token=")
    assert "test_lines_are_json_and_private" in lines[1]["trace"]
    assert CANARY not in path.read_text()
    assert "\x1b" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert capfd.readouterr() == ("", "")


def test_a_large_log_is_put_aside_and_a_link_is_not_followed(paths: Paths, tmp_path: Path) -> None:
    paths.ensure(paths.state)
    paths.log.write_bytes(b"x" * 2_000_001)
    log.start(paths)
    assert paths.log.stat().st_size == 0
    assert (paths.state / "mdm-tui.log.1").stat().st_size == 2_000_001
    paths.log.unlink()
    paths.log.symlink_to(tmp_path / "elsewhere")
    log.start(paths)
    logging.getLogger("mdm_tui.test").warning("nowhere to go")
    assert not (tmp_path / "elsewhere").exists()
