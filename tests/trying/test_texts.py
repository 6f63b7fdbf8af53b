"""What was typed, pasted or sent -> texts."""

import pytest

from scripts.cli.errors import ProjectError
from scripts.trying.texts import MOST_TEXTS, check, read_table, split

TYPED = "  One\nand more.\n\n \t\nTwo: <b>\n   \n\n\n"


@pytest.mark.parametrize(
    ("way", "texts"),
    [
        ("One text", [TYPED.strip()]),
        ("A text a line", ["One", "and more.", "Two: <b>"]),
        ("Blank lines between texts", ["One\nand more.", "Two: <b>"]),
    ],
)
def test_how_many_texts(way: str, texts: list[str]) -> None:
    assert split(TYPED, way) == texts
    assert split(TYPED.replace("\n", "\r\n"), way) == [t.replace("\n", "\r\n") for t in texts]
    assert split(" \n\n", way) == []


def test_what_the_page_does_not_take() -> None:
    assert check(["a"] * MOST_TEXTS) == ["a"] * MOST_TEXTS
    with pytest.raises(ProjectError, match="501 texts"):
        check(["a"] * (MOST_TEXTS + 1))
    with pytest.raises(ProjectError, match="Text 2 has a NUL character"):
        check(["a", "b\0"])
    with pytest.raises(ProjectError, match="Text 1 has 1,000,001 characters"):
        check(["a" * 1_000_001])


def test_a_file_that_was_sent() -> None:
    table = read_table("Mine.CSV", 'id;text\n1;"Café; <b>"\n'.encode())
    assert table.columns == {"id": ["1"], "text": ["Café; <b>"]}
    assert read_table("a.jsonl", b'{"text": "x"}').columns == {"text": ["x"]}


def test_a_file_that_cannot_be_read_is_called_by_its_own_name() -> None:
    with pytest.raises(ProjectError) as err:
        read_table("mine.csv", "text\nCafé\n".encode("cp1252"))
    assert err.value.title.startswith("mine.csv ")
    assert err.value.hint == "Save it as UTF-8."
    with pytest.raises(ProjectError, match=r"^mine\.json is empty"):
        read_table("mine.json", b"[]")
    with pytest.raises(ProjectError, match=r"^mine\.json cannot be read as \.json"):
        read_table("mine.json", b"[{")
