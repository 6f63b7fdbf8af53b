"""Searches on the real server, over HTTP, as the page and the SDK send them."""

from typing import Any

import argilla as rg
import pytest

from tests.argilla_server.helpers import ALL, Searched, text

RECORD = {"entity": "record"}
STATUS = {"entity": "response", "property": "status"}


def record(name: str) -> dict[str, Any]:
    return {"entity": "record", "property": name}


def metadata(name: str) -> dict[str, Any]:
    return {"entity": "metadata", "metadata_property": name}


def suggestion(question: str, name: str | None = "value") -> dict[str, Any]:
    return {"entity": "suggestion", "question": question, "property": name}


def response(question: str) -> dict[str, Any]:
    return {"entity": "response", "question": question}


def terms(scope: dict[str, Any], *values: Any) -> dict[str, Any]:
    return {"type": "terms", "scope": scope, "values": list(values)}


def between(scope: dict[str, Any], ge: Any = None, le: Any = None) -> dict[str, Any]:
    return {"type": "range", "scope": scope, "ge": ge, "le": le}


def by(scope: dict[str, Any], order: str = "asc") -> dict[str, Any]:
    return {"scope": scope, "order": order}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (terms(metadata("source"), "seed"), {"mat", "wifi"}),
        (terms(metadata("source"), "audit"), {"wifi"}),
        (terms(metadata("source"), "query", "audit"), {"play", "dont", "wifi"}),
        (terms(metadata("source"), "nothing"), set()),
        (terms(metadata("length"), "10"), {"play"}),
        (terms(metadata("length"), 10, "-5"), {"play", "oil"}),
        (terms(metadata("length"), "ten"), set()),
        (between(metadata("length"), ge=6), {"mat", "play", "wifi"}),
        (between(metadata("length"), le=6), {"mat", "dont", "oil"}),
        (between(metadata("length"), ge=4, le=10), {"mat", "play", "dont"}),
        (terms(metadata("uncertainty"), "0.5"), {"dont"}),
        (between(metadata("uncertainty"), ge=0.25, le=0.5), {"play", "dont"}),
        (between(metadata("uncertainty"), ge=1), {"cafe"}),
        (between(metadata("uncertainty"), le=0), {"mat"}),
        (between(metadata("source"), ge="r"), {"mat", "wifi"}),
    ],
)
def test_metadata(searched: Searched, condition: dict[str, Any], expected: set[str]) -> None:
    assert set(searched.find(filters={"and": [condition]}).ids) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (terms(suggestion("topic"), "pets"), {"mat", "play", "dont"}),
        (terms(suggestion("topic", None), "money"), {"wifi", "oil"}),
        (terms(suggestion("topic"), "pets", "money"), {"mat", "play", "dont", "wifi", "oil"}),
        (terms(suggestion("topic"), "other"), set()),
        (terms(suggestion("tags"), "old"), {"mat", "play"}),
        (terms(suggestion("tags"), "short"), {"mat"}),
        (terms(suggestion("stars"), "3"), {"play"}),
        (between(suggestion("stars"), ge=3), {"play", "wifi"}),
        (between(suggestion("topic", "score"), ge=0.9), {"mat", "dont"}),
        (between(suggestion("topic", "score"), le=0.4), {"play", "wifi"}),
        (between(suggestion("topic", "score"), ge=0.5, le=0.95), {"mat"}),
        (between(suggestion("tags", "score"), ge=0.7), {"mat"}),
        (between(suggestion("tags", "score"), le=0.5), {"mat"}),
        (terms(suggestion("topic", "agent"), "model-a"), {"mat", "wifi"}),
        (terms(suggestion("topic", "agent"), "model-b", "Ann by hand"), {"play", "dont"}),
        (terms(suggestion("topic", "type"), "human"), {"dont"}),
        (terms(suggestion("topic", "type"), "model"), {"mat", "play", "wifi"}),
        (terms(suggestion("topic", "type"), "neither"), set()),
    ],
)
def test_suggestions(searched: Searched, condition: dict[str, Any], expected: set[str]) -> None:
    assert set(searched.find(filters={"and": [condition]}).ids) == expected


NOBODY = set(ALL) - {"mat", "play", "dont", "wifi", "oil"}


@pytest.mark.parametrize(
    ("statuses", "anybody", "owner", "annotator"),
    [
        (["submitted"], {"mat", "play", "wifi"}, {"mat", "play"}, {"mat", "wifi"}),
        (["discarded"], {"dont", "oil"}, {"oil"}, {"dont"}),
        (["draft"], {"wifi"}, {"wifi"}, set()),
        (["pending"], NOBODY, NOBODY | {"dont"}, NOBODY | {"play", "oil"}),
        (
            ["pending", "draft"],
            NOBODY | {"wifi"},
            NOBODY | {"dont", "wifi"},
            NOBODY | {"play", "oil"},
        ),
        (
            ["submitted", "discarded"],
            {"mat", "play", "dont", "wifi", "oil"},
            {"mat", "play", "oil"},
            {"mat", "dont", "wifi"},
        ),
        (["submitted", "discarded", "draft", "pending"], set(ALL), set(ALL), set(ALL)),
    ],
)
def test_response_status(
    searched: Searched,
    statuses: list[str],
    anybody: set[str],
    owner: set[str],
    annotator: set[str],
) -> None:
    filters = {"and": [terms(STATUS, *statuses)]}
    assert set(searched.find(filters=filters).ids) == anybody
    assert set(searched.find(filters=filters, me=searched.owner).ids) == owner
    assert set(searched.find(filters=filters, me=searched.annotator).ids) == annotator


@pytest.mark.parametrize(
    ("condition", "anybody", "annotator"),
    [
        (terms(response("topic"), "pets"), {"mat", "play", "dont"}, {"dont"}),
        (terms(response("topic"), "money"), {"mat", "wifi"}, {"mat", "wifi"}),
        (
            terms(response("topic"), "pets", "money"),
            {"mat", "play", "dont", "wifi"},
            {"mat", "dont", "wifi"},
        ),
        (terms(response("tags"), "old"), {"mat"}, set()),
        (terms(response("stars"), "2", "4"), {"play", "wifi"}, set()),
        (between(response("stars"), ge=4), {"mat", "wifi"}, set()),
        (between(response("stars"), le=1), {"mat"}, {"mat"}),
    ],
)
def test_response_values(
    searched: Searched, condition: dict[str, Any], anybody: set[str], annotator: set[str]
) -> None:
    filters = {"and": [condition]}
    assert set(searched.find(filters=filters).ids) == anybody
    assert set(searched.find(filters=filters, me=searched.annotator).ids) == annotator


def test_record_attributes(searched: Searched) -> None:
    def ids(condition: dict[str, Any]) -> set[str]:
        return set(searched.find(filters={"and": [condition]}, limit=50).ids)

    assert ids(terms(record("status"), "completed")) == {"mat"}
    assert ids(terms(record("status"), "pending")) == set(ALL) - {"mat"}
    assert ids(terms(record("status"), "neither")) == set()
    assert ids(terms(record("external_id"), "oil", "fell")) == {"oil", "fell"}
    assert ids(terms(record("id"), searched.record_id("oil"))) == {"oil"}
    assert ids(terms(record("id"), "no id")) == set()


def test_dates(searched: Searched) -> None:
    times = {r.external_id: r.inserted_at for r in searched.records}
    third = sorted(times.values())[2].isoformat()
    day = third[:10]

    def total(condition: dict[str, Any]) -> int:
        return searched.find(filters={"and": [condition]}).total

    inserted = record("inserted_at")
    assert total(between(inserted, le=third)) == sum(t.isoformat() <= third for t in times.values())
    assert total(between(inserted, ge=third + "Z", le=third + "Z")) == 1
    assert total(terms(inserted, third + "+00:00")) == 1
    assert total(between(inserted, ge="2000-01-01", le=day)) == len(ALL)
    assert total(between(inserted, le="2000-01-01")) == 0
    assert total(between(inserted, ge=0)) == len(ALL)  # milliseconds since 1970
    assert total(terms(inserted, day)) == len(ALL)
    assert total(between(record("updated_at"), ge=times["mat"].isoformat())) == len(ALL)


def test_filters_narrow_each_other_down(searched: Searched) -> None:
    filters = [terms(suggestion("topic"), "pets"), between(metadata("uncertainty"), ge=0.25)]
    assert set(searched.find(filters={"and": filters}).ids) == {"play", "dont"}
    filters.append(terms(STATUS, "submitted"))
    assert searched.find(filters={"and": filters}).ids == ["play"]
    assert searched.find(filters={"and": filters}, query=text("mat")).total == 0


def test_what_the_page_asks_for_pending_records(searched: Searched) -> None:
    """The page wants the user's answer and the record itself to be open."""
    filters = {"and": [terms(STATUS, "pending"), terms(record("status"), "pending")]}
    found = searched.find(filters=filters, me=searched.annotator, limit=50)
    assert set(found.ids) == NOBODY | {"play", "oil"}


@pytest.mark.parametrize(
    "filters",
    [
        [between(metadata("length"), ge="many")],
        [between(record("inserted_at"), ge="yesterday")],
        [terms(record("inserted_at"), "soon")],
        [between(STATUS, ge="draft")],
        [terms({"entity": "response"}, "x")],
        [terms(metadata("nowhere"), "x")],
        [terms(suggestion("nowhere"), "x")],
    ],
)
def test_filters_without_sense_are_refused(
    searched: Searched, filters: list[dict[str, Any]]
) -> None:
    searched.refuses(filters={"and": filters})


@pytest.mark.parametrize(
    ("scope", "ascending"),
    [
        (metadata("uncertainty"), ["mat", "play", "dont", "wifi", "cafe"]),
        (metadata("length"), ["oil", "dont", "mat", "play", "wifi"]),
        (suggestion("topic", "score"), ["play", "wifi", "mat", "dont"]),
        (suggestion("topic", "agent"), ["dont", "mat", "wifi", "play"]),
        (suggestion("topic"), ["wifi", "oil", "mat", "play", "dont"]),
        (suggestion("stars"), ["mat", "play", "wifi"]),
        (response("stars"), ["play", "mat", "wifi"]),  # mat: (5 + 1) / 2
        (response("topic"), ["mat", "wifi", "play", "dont"]),
    ],
)
def test_sort(searched: Searched, scope: dict[str, Any], ascending: list[str]) -> None:
    up = searched.find(sort=[by(scope, "asc")], limit=50)
    down = searched.find(sort=[by(scope, "desc")], limit=50)
    assert up.total == down.total == len(ALL)
    # Records without a value come last either way.
    without = [id for id in ALL if id not in ascending]
    assert up.ids == ascending + without
    assert set(down.ids[len(ascending) :]) == set(without)
    if scope in (metadata("uncertainty"), metadata("length"), suggestion("stars")):
        assert down.ids[: len(ascending)] == ascending[::-1]


def test_sort_by_several_values_takes_the_first_of_each(searched: Searched) -> None:
    up = searched.find(sort=[by(suggestion("tags", "score"))])
    assert up.ids[:2] == ["mat", "play"]  # 0.2 of mat's 0.2 and 0.8
    down = searched.find(sort=[by(suggestion("tags", "score"), "desc")])
    assert down.ids[:2] == ["mat", "play"]  # 0.8
    source = searched.find(sort=[by(metadata("source"))])
    assert source.ids[:4] == ["wifi", "play", "dont", "mat"]


def test_sort_by_record_attributes(searched: Searched) -> None:
    assert searched.find(sort=[by(record("external_id"))], limit=50).ids == sorted(ALL)
    found = searched.find(sort=[by(record("inserted_at"), "desc")], limit=50)
    assert found.ids[0] == "odd"
    found = searched.find(sort=[by(record("status")), by(record("external_id"), "desc")], limit=50)
    assert found.ids == ["mat", *sorted(set(ALL) - {"mat"}, reverse=True)]
    ids = searched.find(sort=[by(record("id"))], limit=50).ids
    assert [searched.record_id(id) for id in ids] == sorted(map(searched.record_id, ALL))


def test_sort_by_own_responses_only(searched: Searched) -> None:
    found = searched.find(sort=[by(response("stars"), "desc")], me=searched.annotator)
    assert found.ids[0] == "mat"
    found = searched.find(sort=[by(response("stars"), "desc")], me=searched.owner)
    assert found.ids[:3] == ["mat", "wifi", "play"]
    found = searched.find(sort=[by(STATUS)], me=searched.annotator)
    assert found.ids[0] == "dont"


def test_sort_applies_to_what_a_text_query_finds(searched: Searched) -> None:
    found = searched.find(query=text("cat"), sort=[by(record("external_id"), "desc")])
    assert found.ids == ["play", "mat", "fell"]


def test_pages_far_behind_the_last_are_empty(searched: Searched) -> None:
    for offset in (2**62, 2**63, 2**70):
        found = searched.find(query=text("cat"), offset=offset)
        assert (found.ids, found.total) == ([], 3)
        assert searched.find(query=vector(searched, "mat"), offset=offset).ids == []


@pytest.mark.parametrize("query", [None, text("*"), text("-nowhere")])
def test_pages_fit_together(searched: Searched, query: dict[str, Any] | None) -> None:
    for me in (None, searched.owner, searched.annotator):
        pages = [searched.find(query=query, me=me, offset=at, limit=5) for at in (0, 5, 10, 15)]
        assert [page.total for page in pages] == [len(ALL)] * 4
        assert [len(page.ids) for page in pages] == [5, 5, 2, 0]
        assert sorted(id for page in pages for id in page.ids) == sorted(ALL)
        whole = searched.find(query=query, me=me, limit=50)
        assert [id for page in pages for id in page.ids] == whole.ids


def test_users_have_an_order_of_their_own(searched: Searched) -> None:
    plain = searched.find(limit=50).ids
    owner = searched.find(me=searched.owner, limit=50).ids
    annotator = searched.find(me=searched.annotator, limit=50).ids
    assert plain == ALL
    assert sorted(owner) == sorted(annotator) == sorted(ALL)
    assert len({tuple(plain), tuple(owner), tuple(annotator)}) > 1
    assert searched.find(me=searched.owner, limit=50).ids == owner


def vector(searched: Searched, like: Any = None, **more: Any) -> dict[str, Any]:
    given = {"record_id": searched.record_id(like)} if isinstance(like, str) else {"value": like}
    return {"vector": {"name": "vector", **given, **more}}


WITH_VECTOR = {"mat", "play", "dont", "wifi", "oil", "fell"}


def test_most_similar_to_a_record(searched: Searched) -> None:
    found = searched.find(query=vector(searched, "mat"))
    assert set(found.ids) == WITH_VECTOR - {"mat"}
    assert found.ids[0] == "play"
    assert found.ids[-1] == "wifi"
    assert found.total == 5
    assert found.scores == sorted(found.scores, reverse=True)
    assert found.scores[0] == pytest.approx((1 + 0.9 / 0.82**0.5) / 2)
    assert found.scores[-1] == pytest.approx(0)


def test_least_similar_to_a_record(searched: Searched) -> None:
    found = searched.find(query=vector(searched, "mat", order="least_similar"))
    assert found.ids[:2] == ["wifi", "oil"]
    assert found.ids[-1] == "play"
    assert found.scores[0] == pytest.approx(1)


def test_most_similar_to_a_vector_of_any_length(searched: Searched) -> None:
    found = searched.find(query=vector(searched, [20.0, 0, 0]))
    assert found.ids[:2] == ["mat", "play"]
    assert found.scores[0] == pytest.approx(1)


@pytest.mark.parametrize("size", [1e19, 1e300, 1e-300])
def test_most_similar_to_a_vector_of_any_size(searched: Searched, size: float) -> None:
    found = searched.find(query=vector(searched, [size, 0, 0]))
    assert found.ids[:2] == ["mat", "play"]
    assert found.scores[0] == pytest.approx(1)


def test_similar_among_those_that_match(searched: Searched) -> None:
    filters = {"and": [terms(suggestion("topic"), "pets")]}
    assert searched.find(query=vector(searched, "mat"), filters=filters).ids == ["play", "dont"]
    filters = {"and": [terms(STATUS, "pending")]}
    found = searched.find(query=vector(searched, "mat"), filters=filters, me=searched.annotator)
    assert found.ids == ["play", "fell", "oil"]
    query = vector(searched, "mat") | text("oil")
    assert searched.find(query=query).ids == ["fell", "oil"]
    query = vector(searched, "mat") | text("café")
    assert searched.find(query=query).ids == []


def test_similar_page_by_page(searched: Searched) -> None:
    whole = searched.find(query=vector(searched, "mat"))
    pages = [searched.find(query=vector(searched, "mat"), offset=at, limit=2) for at in (0, 2, 4)]
    assert [id for page in pages for id in page.ids] == whole.ids
    # As Argilla's own engines count: what was asked for so far, as long as there is so much.
    assert [page.total for page in pages] == [2, 4, 5]


def test_similar_to_what_has_no_vector_is_refused(searched: Searched) -> None:
    assert "vector" in searched.refuses(query=vector(searched, "cafe"))
    assert "dimensions" in searched.refuses(query=vector(searched, [1.0, 2.0]))


def test_vectors_that_change_are_seen(searched: Searched) -> None:
    records = searched.dataset.records
    assert searched.find(query=vector(searched, [0.6, 0, 0.8])).ids[0] == "fell"
    records.log([{"id": "new", "text": "a new one", "vector": [0.6, 0, 0.8]}])
    try:
        assert searched.find(query=vector(searched, [0.6, 0, 0.8])).ids[0] == "new"
        records.log([{"id": "new", "text": "a new one", "vector": [0, -1, 0]}])
        assert searched.find(query=vector(searched, [0.6, 0, 0.8])).ids[0] == "fell"
        assert searched.find(query=vector(searched, [0, -1, 0])).ids[0] == "new"
    finally:
        records.delete([r for r in records() if r.id == "new"])
    found = searched.find(query=vector(searched, [0.0, -1, 0]))
    assert set(found.ids) == WITH_VECTOR


def test_progress(searched: Searched) -> None:
    assert searched.dataset.progress()["total"] == len(ALL)
    assert searched.dataset.progress()["completed"] == 1
    path = f"/me/datasets/{searched.dataset.id}/metrics"
    assert searched.owner.get(path).json()["responses"] == {
        "total": len(ALL),
        "submitted": 2,
        "discarded": 1,
        "draft": 1,
        "pending": len(ALL) - 4,
    }
    annotator = searched.annotator.get(path).json()["responses"]
    assert annotator["submitted"] == 2
    assert annotator["pending"] == len(ALL) - 3


def test_metadata_metrics(searched: Searched) -> None:
    def metrics(name: str) -> dict[str, Any]:
        return searched.owner.get(f"/metadata-properties/{properties[name]}/metrics").json()

    path = f"/me/datasets/{searched.dataset.id}/metadata-properties"
    properties = {item["name"]: item["id"] for item in searched.owner.get(path).json()["items"]}
    assert metrics("source") == {
        "type": "terms",
        "total": 5,
        "values": [
            {"term": "query", "count": 2},
            {"term": "seed", "count": 2},
            {"term": "audit", "count": 1},
        ],
    }
    assert metrics("length") == {"type": "integer", "min": -5, "max": 100}
    assert metrics("uncertainty") == {"type": "float", "min": 0.0, "max": 1.0}


def test_an_empty_data_set(searched: Searched) -> None:
    settings = rg.Settings(
        fields=[rg.TextField("text")],
        questions=[rg.LabelQuestion("topic", labels=["a", "b"])],
        metadata=[rg.TermsMetadataProperty("source"), rg.FloatMetadataProperty("score")],
        vectors=[rg.VectorField("vector", dimensions=3)],
    )
    client = searched.dataset._client
    dataset = rg.Dataset(
        f"{searched.dataset.name}-empty", settings=settings, client=client
    ).create()
    try:
        empty = Searched(dataset, searched.owner, searched.annotator)
        assert empty.find(query=text("a")).total == 0
        assert empty.find(query={"vector": {"name": "vector", "value": [1, 0, 0]}}).total == 0
        assert empty.find(sort=[by(metadata("score"))], me=empty.owner).ids == []
        assert dataset.progress()["total"] == 0
        items = empty.owner.get(f"/me/datasets/{dataset.id}/metadata-properties").json()["items"]
        metrics = [
            empty.owner.get(f"/metadata-properties/{item['id']}/metrics").json() for item in items
        ]
        assert metrics == [
            {"type": "terms", "total": 0, "values": []},
            {"type": "float", "min": None, "max": None},
        ]
    finally:
        dataset.delete()


def test_searches_by_the_sdk(searched: Searched) -> None:
    def ids(*filters: tuple[str, str, Any], query: str | None = None) -> set[str]:
        asked = rg.Query(query=query, filter=rg.Filter(list(filters)) if filters else None)
        return {record.id for record in searched.dataset.records(asked)}

    assert ids(query="cat") == {"mat", "play", "fell"}
    assert ids(("topic.suggestion", "==", "money")) == {"wifi", "oil"}
    assert ids(("topic.score", ">=", 0.9), ("topic.agent", "==", "model-a")) == {"mat"}
    assert ids(("topic.response", "==", "money")) == {"mat", "wifi"}
    assert ids(("response.status", "==", "submitted")) == {"mat", "play", "wifi"}
    assert ids(("status", "==", "completed")) == {"mat"}
    assert ids(("metadata.source", "in", ["audit", "query"])) == {"play", "dont", "wifi"}
    similar = rg.Query(similar=rg.Similar("vector", [1, 0, 0], most_similar=False))
    record, score = next(iter(searched.dataset.records(similar)))
    assert record.id == "wifi"
    assert score == pytest.approx(1)
