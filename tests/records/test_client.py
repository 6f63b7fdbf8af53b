"""What is said where the address or the API key of a server is not right."""

from pathlib import Path

import pytest

from scripts.argilla_server.manage import Credentials
from scripts.cli.errors import ProjectError
from scripts.records.client import argilla_client, other_client


@pytest.mark.parametrize("around", ["{}\n", "{}\r\n", " {} "])
def test_blanks_around_the_address_and_the_key_are_no_part_of_them(
    argilla_server: Credentials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, around: str
) -> None:
    url, key = (around.format(part) for part in (argilla_server.api_url, argilla_server.api_key))
    monkeypatch.setenv("ARGILLA_API_URL", url)
    monkeypatch.setenv("ARGILLA_API_KEY", key)
    with argilla_client(tmp_path) as client, other_client(url, key) as same:
        assert client.me.id == same.me.id


@pytest.mark.parametrize("key", ["s3cret-schlüssel", "s3cret\nkey", "s3cret\x00key"])
def test_a_key_that_cannot_be_sent_is_not_told(
    argilla_server: Credentials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setattr(
        "os.environ",
        {"ARGILLA_API_URL": argilla_server.api_url, "ARGILLA_API_KEY": key},  # one may not hold \0
    )
    opened = {
        "ARGILLA_API_KEY": argilla_client(tmp_path),
        "ARGILLA_TARGET_KEY": other_client(argilla_server.api_url, key),
    }
    for variable, client in opened.items():
        with pytest.raises(ProjectError, match=f"{variable} holds is no API key") as said, client:
            pass
        assert "s3cret" not in f"{said.value.title} {said.value.hint}"
        assert said.value.__cause__ is None
