"""A crash tells little on the terminal, writes a private report, and gives no secret away in either."""

from __future__ import annotations

import stat
from pathlib import Path

from mdm_tui.tui.crash import message, redact, write_report

SECRET = "tok-4f9a77c1e0"


def _raised() -> Exception:
    token = SECRET  # a local variable: it must not be in the report
    headers = {"Authorization": f"Bearer {token}"}
    try:
        raise RuntimeError(f"sending {headers} failed for \x1b]52;c;AAAA\x07 Van \u202e17")
    except RuntimeError as error:
        return error


def test_report_is_private_and_without_secrets_or_escapes(tmp_path: Path) -> None:
    path = write_report(_raised(), tmp_path / "state", [SECRET])
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    assert "RuntimeError" in text and "_raised" in text
    assert SECRET not in text
    assert "\x1b" not in text and "\u202e" not in text


def test_a_token_that_nobody_named_is_hidden_by_the_word_before_it() -> None:
    assert "abcdef123" not in redact("Authorization: Bearer abcdef123")
    assert "hunter22" not in redact("{'password': 'hunter22'}")
    assert "k-12345" not in redact("api_key=k-12345")


def test_message_is_short_names_the_report_and_hides_secrets(tmp_path: Path) -> None:
    error = _raised()
    report = write_report(error, tmp_path, [SECRET])
    text = message(error, report, [SECRET])
    assert len(text.splitlines()) == 3
    assert str(report) in text
    assert SECRET not in text and "\x1b" not in text


def test_a_folder_that_cannot_be_written_costs_the_report_only(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert write_report(_raised(), blocked / "state") is None
    assert "could not be written" in message(_raised(), None)
