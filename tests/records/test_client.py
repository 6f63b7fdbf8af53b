"""What is said where the address or the API key of a server is not right."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.argilla_server.manage import Credentials
from scripts.cli.errors import ProjectError
from scripts.records.client import ServerAway, argilla_client, other_client
from tests.answering import Handler, answering


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


Answers = Callable[[int, str, str], str]


@pytest.fixture
def answers() -> Iterator[Answers]:
    """Set what something that is no Argilla server answers to all: code, text, and Location. Gives
    its address."""
    said = (200, "", "")

    class Other(Handler):
        def do_GET(self) -> None:
            code, text, location = said
            self.send_response(code)
            if location:
                self.send_header("Location", location.replace("PATH", self.path))
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

    with answering(Other) as url:

        def answer(code: int, text: str, location: str) -> str:
            nonlocal said
            said = (code, text, location)
            return url

        yield answer


PAGE = "<html>Sign in</html>"


@pytest.mark.parametrize(
    ("said", "title", "hint"),
    [
        ((200, PAGE, ""), "What answers at URL is no Argilla server", "Check VARIABLE"),
        ((200, "{}", ""), "What answers at URL is no Argilla server", "Check VARIABLE"),
        ((200, "[]", ""), "What answers at URL is no Argilla server", "Check VARIABLE"),
        ((404, PAGE, ""), "What answers at URL is no Argilla server", "Check VARIABLE"),
        ((404, '{"version": 1}', ""), "What answers at URL is no Argilla", "Check VARIABLE"),
        ((302, PAGE, "/login?next=PATH"), "What answers at URL is no Argilla", "Check VARIABLE"),
        ((301, PAGE, "https://a.b/cPATH"), "URL has moved", "Set VARIABLE to https://a.b/c"),
        ((502, PAGE, ""), "Argilla at URL has a fault of its own (502)", "Run the same command"),
    ],
)
def test_something_else_answers(
    answers: Answers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    said: tuple[int, str, str],
    title: str,
    hint: str,
) -> None:
    url = answers(*said)
    monkeypatch.setenv("ARGILLA_API_URL", url)
    monkeypatch.setenv("ARGILLA_API_KEY", "key")
    opened = {
        "ARGILLA_API_URL": argilla_client(tmp_path),
        "ARGILLA_TARGET_URL": other_client(url, "key"),
    }
    for variable, client in opened.items():
        with pytest.raises(ProjectError) as found, client:
            pass
        assert title.replace("URL", url) in found.value.title
        assert found.value.hint.startswith(hint.replace("VARIABLE", variable))
        assert isinstance(found.value, ServerAway) == (said[0] == 502)  # `live` waits for it
