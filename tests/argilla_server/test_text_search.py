"""Text searches on the real server, over HTTP, as the page and the SDK send them."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.argilla_server.helpers import ALL, Searched, text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("cat", {"mat", "play", "fell"}),
        ("CAT", {"mat", "play", "fell"}),
        ("ca", set()),
        ("cat mat", {"mat"}),
        ("+cat +dog", {"play"}),
        ("cat | oil", {"mat", "play", "fell", "oil"}),
        ("cat -mat", {"play", "fell"}),
        ("cat -mat -oil", {"play"}),
        ("dog | oil prices", {"oil", "fell"}),
        ("dog | (oil prices)", {"play", "oil", "fell"}),
        ("(cat | oil) -(note | again)", {"mat", "play"}),
        ('"oil prices"', {"oil"}),
        ('"prices oil"', set()),
        ('"prices oil"~1', {"oil", "fell"}),
        ('-"oil prices" +prices', {"wifi", "fell"}),
        ("cat*", {"mat", "play", "dont", "fell"}),
        ("pri* fell", {"wifi", "fell"}),
        ("oill~1", set()),  # typos are not searched for
        ("don't", {"dont"}),
        ("wi-fi", {"wifi"}),
        ("3.14", {"wifi"}),
        ("u.s.a", {"wifi"}),
        ("example.com", {"link"}),
        ("line", {"link"}),
        ("café", {"cafe"}),
        ("CAFÉ", {"cafe"}),
        ("cafe", set()),
        ("zürich -crème", set()),
        ("日本", {"japan"}),
        ('"本語"', {"japan"}),
        ("😀", {"smile"}),
        ("parcel", {"chat"}),
        ("helper way", {"chat"}),
        ("snake_case", {"odd"}),
        ("100% x_y", {"odd"}),
        ("hidden cat | oil", {"oil", "fell"}),
        ("hidden rise", {"oil"}),  # a word in each of two fields
        ('"again hidden"', set()),
        ("*", set(ALL)),
        ("!!!", set()),
        ("", set()),
        ('"', set()),
        ("((", set()),
        ("\\", set()),
        ("-", set()),
        ("| + cat", {"mat", "play", "fell"}),
    ],
)
def test_text(searched: Searched, query: str, expected: set[str]) -> None:
    found = searched.find(query=text(query), limit=50)
    assert set(found.ids) == expected
    assert found.total == len(expected)


@pytest.mark.parametrize(
    ("query", "field", "expected"),
    [
        ("cat", "text", {"mat", "play"}),
        ("cat", "note", {"fell"}),
        ("oil -note", "note", set()),
        ("-note", "text", set(ALL)),
        ("parcel", "talk", {"chat"}),
        ("parcel", "text", set()),
    ],
)
def test_text_in_one_field(searched: Searched, query: str, field: str, expected: set[str]) -> None:
    assert set(searched.find(query=text(query, field)).ids) == expected


def test_text_in_a_field_that_is_not_there(searched: Searched) -> None:
    assert "nowhere" in searched.refuses(query=text("cat", "nowhere"))


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("word " * 2000, 200),
        ("日本語のテキスト" * 200, 200),
        ("日本語のテキスト" * 1250, 422),  # 10,000 characters, each of them a word
        ("w" * 50_000, 422),
        (" ".join(f"a{i} | b{i}" for i in range(67)), 422),
        (" ".join(f"word{i}~1" for i in range(100)), 200),
        ("\ufe0f", 200),
        ("a\0b", 200),
        ('"' * 9999, 200),
        ("(" * 9999, 200),
    ],
)
def test_no_query_is_an_error(searched: Searched, query: str, status: int) -> None:
    path = f"/datasets/{searched.dataset.id}/records/search"
    answer = searched.owner.post(path, json={"query": text(query)})
    assert answer.status_code == status
    assert status == 200 or "search for" in answer.json()["detail"]


def test_half_a_character_is_no_error(searched: Searched) -> None:
    path = f"/datasets/{searched.dataset.id}/records/search"
    content = r'{"query": {"text": {"q": "a \ud800 b"}}}'
    headers = {"Content-Type": "application/json"}
    assert searched.owner.post(path, content=content, headers=headers).status_code in (200, 422)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text() | st.text('ab |+-"()*~1\\中😀', max_size=100))
def test_random_queries_are_no_error(searched: Searched, query: str) -> None:
    path = f"/me/datasets/{searched.dataset.id}/records/search"
    answer = searched.owner.post(path, json={"query": text(query)}, params={"limit": 1})
    assert answer.status_code in (200, 422), answer.text


def test_texts_that_change_are_found_as_they_are(searched: Searched) -> None:
    records = searched.dataset.records
    records.log([{"id": "new", "text": "İstanbul 🇩🇪"}])
    try:
        for query in ("İstanbul", "🇩🇪"):
            assert searched.find(query=text(query)).ids == ["new"]
        records.log([{"id": "new", "text": "Ankara"}])
        assert searched.find(query=text("İstanbul")).ids == []
        assert searched.find(query=text("ankara")).ids == ["new"]
    finally:
        records.delete([r for r in records() if r.id == "new"])
    assert searched.find(query=text("ankara")).ids == []


def test_better_matches_come_first(searched: Searched) -> None:
    found = searched.find(query=text("oil"))
    assert found.ids == ["oil", "fell"]
    assert found.scores[0] > found.scores[1] > 0
    assert all(score > 0 for score in searched.find(query=text("-oil"), limit=50).scores)
