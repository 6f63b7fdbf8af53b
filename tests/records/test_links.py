"""An address on Argilla's page finds the text that it is of, and no other."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np

from scripts.data.corpus import text_id
from scripts.loop.settings import Settings
from scripts.records.convert import doc_to_record
from scripts.records.dataset import ORACLE, LoopDataset
from scripts.records.links import Link, links, search_words
from tests.loop_fixtures import opened

TEXTS = [
    'He said "no" to snake_case and ~/home, but yes to a quiet evening',
    "The price of oil fell by 5% on Tuesday (again), analysts' reports said",
    "שלום עולם, זה טקסט בעברית",
    "今日は天気がいいですね。" * 20,
    "明日も天気がいいですね。" * 20,
    "The price of oil fell by 6% on Tuesday",
]


def found_by(dataset: LoopDataset, link: Link, key: str | None = None) -> list[str]:
    """Texts that the page would show there. key: Of another user."""
    parts, options = urlsplit(link.url), parse_qs(urlsplit(link.url).query)
    words, field = options["search"][0].rsplit("~", 1)
    assert (field, options["page"]) == ("all", ["1"])
    status = {"entity": "response", "property": "status"}
    body: dict[str, Any] = {
        "query": {"text": {"q": words}},
        "filters": {"and": [{"type": "terms", "scope": status, "values": options["status"]}]},
    }
    reply = dataset.client.http_client.post(
        f"/api/v1/me/datasets/{parts.path.split('/')[2]}/records/search",
        json=body,
        headers={"X-Argilla-Api-Key": key} if key else None,
    )
    return [item["record"]["fields"]["text"] for item in reply.raise_for_status().json()["items"]]


def test_each_text_is_found_by_its_words(settings: Callable[..., Settings]) -> None:
    with opened(settings()) as (loop, _):
        dataset, learner, _ = loop
        texts = {text_id(text): text for text in TEXTS}
        zeros = np.zeros(learner.dim, dtype=np.float32)
        make = learner.nlp.make_doc
        asked = {"iteration": 0, "source": "seed", "uncertainty": 0.5, "vector": zeros}
        dataset.push([doc_to_record(make(text), **asked) for text in TEXTS])
        where = links(dataset, None, texts, dataset.answers())
        assert where.keys() == texts.keys()
        for id_, link in where.items():
            assert link.for_all
            assert found_by(dataset, link) == [texts[id_]]

        # Who has answered it finds it among the own answers, where a simulation never looks.
        ben, nobody, *_ = dataset.pull()
        dataset.respond(ben, [next(iter(learner.labels))], "ben")
        dataset.respond(nobody, [next(iter(learner.labels))], ORACLE)
        where = links(dataset, None, texts, dataset.answers())
        assert len(where) == len(texts) - 1
        assert not where[ben.id].for_all
        assert found_by(dataset, where[ben.id]) == []
        assert found_by(dataset, where[ben.id], dataset.user("ben")["api_key"]) == [ben.text]
        assert nobody.id not in where


def test_a_text_without_words_to_search_for() -> None:
    assert search_words("a_b ~~~ " + "x" * 500) == "*"
