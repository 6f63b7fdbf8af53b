"""The query language and the index, in a database of their own.

That the server answers with them is in test_search.py, that its database has them in
test_server.py.
"""

import contextlib
import json
import re
import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts.argilla_server import text_index
from scripts.argilla_server.text_query import MAX_LENGTH, MAX_WORDS, match

# What the index needs to know of the server's tables.
TABLES = """
CREATE TABLE datasets (id PRIMARY KEY);
CREATE TABLE fields (name, settings JSON, dataset_id REFERENCES datasets ON DELETE CASCADE);
CREATE TABLE records (
    id PRIMARY KEY, fields JSON, status, dataset_id REFERENCES datasets ON DELETE CASCADE
);
INSERT INTO datasets VALUES ('d1'), ('d2');
"""
FIELDS = {"text": "text", "note": "text", "picture": "image", "talk": "chat", "page": "custom"}
COUNT = f"SELECT count(*) FROM {text_index.TABLE}"


class Texts:
    """Records to search in."""

    def __init__(self) -> None:
        self.database = sqlite3.connect(":memory:")
        self.database.executescript(TABLES)
        self.database.execute("PRAGMA foreign_keys = ON")
        self.fields("d1", FIELDS)
        self.fields("d2", FIELDS)
        with self.database:
            text_index.ensure(self.database)

    def fields(self, dataset: str, types: dict[str, str]) -> None:
        rows = [(name, json.dumps({"type": kind}), dataset) for name, kind in types.items()]
        self.database.executemany("INSERT INTO fields VALUES (?, ?, ?)", rows)

    def add(self, id: str, dataset: str = "d1", **fields: object) -> None:
        row = (id, json.dumps(fields), dataset)
        self.database.execute("INSERT INTO records (id, fields, dataset_id) VALUES (?, ?, ?)", row)

    def find(self, query: str, dataset: str = "d1", field: str | None = None) -> list[str]:
        """Ids of what matches, best first."""
        of_text = [name for name, kind in FIELDS.items() if kind != "image"]
        column = text_index.column(field, of_text) if field else None
        expression = match(query, dataset, column)
        found = self.database.execute(
            f"SELECT id FROM {text_index.TABLE} JOIN records ON records.rowid = "
            f"{text_index.TABLE}.rowid WHERE {text_index.TABLE} MATCH ? ORDER BY rank, id",
            (expression,),
        )
        return [id for (id,) in found]

    def check(self) -> None:
        """Raise if the index is not consistent in itself."""
        name = text_index.TABLE
        self.database.execute(f"INSERT INTO {name} ({name}) VALUES ('integrity-check')")


@pytest.fixture
def texts() -> Iterator[Texts]:
    made = Texts()
    yield made
    made.check()
    made.database.close()


# The examples of a property may share the records that are there before.
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't PANIC", "don t panic"),
        ("wi-fi, a/b", "wi fi a b"),
        ("snake_case 3.14", "snake case 3 14"),
        ("日本 カタカナ語", "日 本 カ タ カ ナ 語"),
        ("ไทย", "ไ ท ย"),
        ("한국어 текст हिन्दी", "한국어 текст हिन्दी"),
        ("cafe\u0301 Café ＣＡＦÉ", "café café café"),
        ("İstanbul Straße", "i̇stanbul strasse"),
        ("ok😀😀 ❤\ufe0f", "ok 😀 😀 ❤"),
        ("🇩🇪 5€ → ™", "🇩 🇪 5 € → TM"),
        ("\ufe0f \u200d \0 -- \ud800", ""),
    ],
)
def test_texts_are_made_of_words(text: str, expected: str) -> None:
    assert " ".join(text_index.words(text)) == expected


@shared
@given(st.text(max_size=60))
def test_a_text_finds_itself(texts: Texts, text: str) -> None:
    texts.add("itself", text=text)
    try:
        quoted = '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
        expected = ["itself"] if text_index.words(text) else []
        assert texts.find(quoted) == expected
        for word in text_index.words(text):
            assert texts.find(f'"{word}"') == expected
    finally:
        texts.database.rollback()


QUERIES = st.text() | st.text(alphabet='ab |+-"()*~1\\中😀', max_size=200)


@shared
@given(QUERIES)
def test_any_query_can_be_asked(texts: Texts, query: str) -> None:
    texts.add("a", text="a b")
    texts.add("other", text="中 1")
    with contextlib.suppress(ValueError):  # too much of it
        assert set(texts.find(query)) <= {"a", "other"}
    texts.database.rollback()


@shared
@given(st.text("abc ", max_size=20), st.text("abc ", max_size=20))
def test_words_prefixes_and_the_rest(texts: Texts, one: str, other: str) -> None:
    texts.add("one", text=one)
    texts.add("other", text=other)
    try:
        words = {"one": one.split(), "other": other.split()}
        for word in ("a", "ab", "abc"):
            whole = {id for id in words if word in words[id]}
            start = {id for id in words if any(w.startswith(word) for w in words[id])}
            assert set(texts.find(word)) == whole
            assert set(texts.find(f"-{word}")) == set(words) - whole
            assert set(texts.find(f"{word}*")) == start
    finally:
        texts.database.rollback()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("a b | c", True),  # (a and b) or c
        ("c | a x", False),  # (c or a) and x
        ("x | (a b)", True),
        ("--a", True),
        ("- a", True),  # a minus alone means nothing
        ("a -x", True),
        ("a -b", False),
        ("x | -y", True),
        ("a -(b | x)", False),
        ("-(-(-(x)))", True),
        ("a | | x", True),  # the second operator means nothing
        ("| a", True),
        ("a +", True),
        ("(a", True),
        ("a)", True),
        ("x | (a", True),
        ('"a b', True),
        ('"b a"', False),
        ('"a c"~1', True),
        ('"c a"~1', True),  # in any order
        ('"a c"', False),
        ("a~1", True),  # typos are not searched for
        ("e~1", False),
        (r"\-a", True),  # an escaped operator is a letter, and no word
        (r"b\*", True),
        ("b*", True),
        ("()", False),
        ("", False),
        ("!!! ...", False),
        ("!!! a", True),
        ("-!!!", False),
        ("*", True),
        ("dataset", False),
        ("d1", False),
        ("d*", False),
        ("NOT a", False),  # words like any others
        ("a AND b", False),
        ("(" * 2000 + "a" + ")" * 2000, True),
        ("-(" * 2000 + "a" + ")" * 2000, ValueError),
        ("x | (a (" * 10 + "b" + "))" * 10, True),
        ("x | (a (" * 500 + "b" + "))" * 500, ValueError),
        ("a | x y" * 30, False),
        ("a | x y" * 100, ValueError),
        (" ".join(["a"] * MAX_WORDS), True),
        (" ".join(f"{i:x}" for i in range(MAX_WORDS)), False),
        (" | ".join(f"w{i}" for i in range(1500)), ValueError),  # of its length
        ("a b " * (MAX_WORDS // 2) + "c", ValueError),
        ("中" * MAX_WORDS, False),
        ("中" * (MAX_WORDS + 1), ValueError),
        ("w" * MAX_LENGTH, False),
        ("w" * (MAX_LENGTH + 1), ValueError),
        ('"a\0b"', True),
    ],
)
def test_operators(texts: Texts, query: str, expected: bool | type[ValueError]) -> None:
    texts.add("it", text="a b c")
    texts.add("elsewhere", "d2", text="x")
    if expected is ValueError:
        with pytest.raises(ValueError, match="search for"):
            texts.find(query)
    else:
        assert texts.find(query) == (["it"] if expected else [])


def test_a_term_is_found_within_one_field_and_terms_in_several(texts: Texts) -> None:
    texts.add("it", text="wi", note="fi")
    assert texts.find("wi fi") == ["it"]
    assert texts.find("wi-fi") == texts.find('"wi fi"') == []
    assert texts.find("wi", field="text") == ["it"]
    assert texts.find("fi", field="text") == []
    assert texts.find("-fi", field="text") == ["it"]


def test_what_is_found_of_other_than_texts(texts: Texts) -> None:
    texts.add(
        "it",
        text=None,
        picture="data:image/png;base64,abc",
        talk=[{"role": "user", "content": "hello"}, {"role": "bot", "content": "hi"}],
        page={"title": "a page", "parts": [1, {"deep": "down"}]},
    )
    assert texts.find("hello bot 1 down") == ["it"]
    assert texts.find("user", field="talk") == ["it"]
    assert texts.find("abc") == texts.find("image") == texts.find("content") == []


def test_more_fields_than_columns_are_all_found(texts: Texts) -> None:
    texts.database.execute("INSERT INTO datasets VALUES ('d3')")
    names = [f"f{number:02}" for number in range(30)]
    texts.fields("d3", dict.fromkeys(names, "text"))
    texts.add("it", "d3", **{name: f"word{name}" for name in names})
    for name in names:
        assert texts.find(f"word{name}", "d3") == ["it"]
    expression = match("wordf03", "d3", text_index.column("f03", names))
    assert f"{text_index.COLUMNS[3]}:" in expression
    assert text_index.column("f29", names) == text_index.COLUMNS[-1]


def test_more_of_it_in_a_shorter_text_ranks_higher(texts: Texts) -> None:
    texts.add("once", text="oil is what the whole of this long text is about, once")
    texts.add("often", text="oil, oil and oil: that is what this long text is all about")
    texts.add("short", text="oil")
    for number in range(10):
        texts.add(f"other {number}", text="something else")
    assert texts.find("oil") == ["short", "often", "once"]


def test_the_index_follows_the_records(texts: Texts) -> None:
    texts.add("first", text="apple")
    texts.add("second", "d2", text="apple")
    texts.database.commit()
    assert texts.find("apple") == ["first"]
    assert texts.find("apple", "d2") == ["second"]

    texts.add("third", text="apple pie")
    update = """UPDATE records SET fields = '{"text": "pear"}' WHERE id = 'first'"""
    texts.database.execute(update)
    assert (texts.find("apple"), texts.find("pear")) == (["third"], ["first"])
    texts.database.rollback()
    assert (texts.find("apple"), texts.find("pear"), texts.find("pie")) == (["first"], [], [])
    assert texts.database.execute(COUNT).fetchone() == (2,)

    texts.database.execute("DELETE FROM datasets WHERE id = 'd1'")
    assert texts.find("apple") == []
    assert texts.find("apple", "d2") == ["second"]
    assert texts.database.execute(COUNT).fetchone() == (1,)


def test_the_index_is_made_once_and_anew_for_another_version(texts: Texts) -> None:
    texts.add("it", text="apple")
    texts.database.commit()
    changes = texts.database.total_changes
    text_index.ensure(texts.database)
    assert texts.database.total_changes == changes
    texts.database.execute("PRAGMA user_version = 99")
    with texts.database:
        text_index.ensure(texts.database)
    assert texts.find("apple") == ["it"]
    assert texts.database.execute(COUNT).fetchone() == (1,)


def test_an_index_that_was_not_made_to_the_end_is_not_there(texts: Texts) -> None:
    text_index.drop(texts.database)
    before = texts.database.execute("SELECT name FROM sqlite_master").fetchall()
    text_index.ensure(texts.database)
    texts.database.rollback()
    assert texts.database.execute("SELECT name FROM sqlite_master").fetchall() == before
    text_index.ensure(texts.database)
    assert texts.find("anything") == []
