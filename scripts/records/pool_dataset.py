"""The whole pool's own data set in Argilla, "<name>-pool": to search in, and to label by choice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import argilla as rg
import numpy as np

from scripts.records.convert import TEXT, VECTOR, suggestion, to_value
from scripts.records.dataset import LoopDataset
from scripts.records.questions import POOL, default_guidelines, question_labels, questions
from scripts.records.replies import Replied, answered, by_id, said
from scripts.records.rest import data_sets, request
from scripts.records.schema import find
from scripts.records.settings import ArgillaSettings

State = Literal["open", "waiting", "people", "machine", "discarded"]
# A score that moved by less is the same to a person: the page shows one decimal.
MOVED = 0.05


def pool_name(dataset: str) -> str:
    """dataset: The name of the loop's."""
    return f"{dataset}-pool"


@dataclass(frozen=True)
class Entry:
    """A text as the pool's data set shows it.

    cats: label -> probability. labels: The model's. score: Its certainty of them. uncertainty: As
        the loop asks by it. agent: Who suggests the labels; None where nothing is suggested.
    state: What the loop's data set has of the text. people: The labels that people gave there, or
        None.
    blind: People are to answer it unswayed in the loop, so nothing is said of what the model
        thinks.
    """

    id: str
    text: str
    vector: np.ndarray
    cats: dict[str, float]
    labels: tuple[str, ...]
    score: float
    uncertainty: float
    agent: str | None
    state: State
    people: tuple[str, ...] | None
    blind: bool

    def metadata(self, multi_label: bool) -> dict[str, Any]:
        found: dict[str, Any] = {"state": self.state}
        if self.people is not None:
            found["people"] = to_value(self.people, multi_label)
        if self.agent and not self.blind:
            found["model"] = to_value(self.labels, multi_label)
        if not self.blind:
            found["score"] = round(self.score, 4)
            found["uncertainty"] = round(self.uncertainty, 4)
        return found


class PoolDataset:
    """The only place that reads or writes the pool's data set. People's responses are never
    written here.

    label_threshold: In multi-label data, labels from this probability on are suggested; None where
        a text has one label.
    """

    def __init__(self, own: LoopDataset, label_threshold: float | None) -> None:
        self.own = own
        self.label_threshold = label_threshold

    @classmethod
    def open(
        cls, loop: LoopDataset, labels: dict[str, str], dim: int, label_threshold: float | None
    ) -> "PoolDataset":
        """The data set that belongs to the loop's; made if it is not there yet.

        labels: label -> description. dim: Length of the embeddings.
        RAISES (ProjectError): It exists with other labels, or was made by something else.
        """
        settings = _settings(loop.settings)
        own = LoopDataset.open(loop.client, settings, labels, dim, make=_dataset_settings)
        return cls(own, label_threshold)

    @property
    def name(self) -> str:
        return str(self.own.dataset.name)

    @property
    def url(self) -> str:
        return self.own.url

    def there(self) -> dict[str, dict[str, Any]]:
        """The ids of the texts that are there, with their metadata."""
        records = self.own.dataset.records(
            with_suggestions=False, with_responses=False, batch_size=1000
        )
        return {str(record.id): dict(record.metadata) for record in records}

    def log(self, entries: Iterable[Entry]) -> None:
        """Put texts there, in one request, or give those that are there new suggestions and
        metadata. At most 500."""
        multi_label = self.label_threshold is not None
        self.own.push(
            [
                rg.Record(
                    id=entry.id,
                    fields={TEXT: entry.text},
                    metadata=entry.metadata(multi_label),
                    vectors={VECTOR: [float(x) for x in entry.vector]},
                    suggestions=[suggestion(entry.cats, entry.agent, self.label_threshold)]
                    if entry.agent and not entry.blind
                    else [],
                )
                for entry in entries
            ]
        )

    def changed(self, entry: Entry, there: dict[str, Any]) -> bool:
        """Whether what is there of a text is not what it should be any more, so that a person would
        see it. there: Its metadata."""
        new = entry.metadata(self.label_threshold is not None)
        numbers = ("score", "uncertainty")
        if any(there.get(name) != new.get(name) for name in ("state", "people", "model")):
            return True
        return any(abs(there.get(n, np.inf) - new[n]) >= MOVED for n in numbers if n in new)

    def hide(self, ids: Sequence[str]) -> None:
        """Take the suggestions of these texts away."""
        if not ids:
            return
        query = rg.Query(filter=rg.Filter([("id", "in", list(ids))]))
        for record in list(self.own.dataset.records(query, with_responses=False)):
            path = f"/records/{record._server_id}/suggestions"
            there = request(self.own.client, "GET", path)["items"]
            if there:
                params = {"ids": ",".join(one["id"] for one in there)}
                request(self.own.client, "DELETE", path, params=params)


def find_pool(loop: LoopDataset) -> rg.Dataset | None:
    """The pool's data set, as it is, if there is one."""
    return find(loop.client, _settings(loop.settings))[1]


def answered_in_pool(loop: LoopDataset) -> list[Replied]:
    """The texts that people have answered in the pool's data set; none where there is no such."""
    pool = _pool_id(loop)
    return answered(loop.client, pool) if pool else []


def said_in_pool(loop: LoopDataset) -> int:
    """How many answers people have submitted or discarded there; no record is read."""
    pool = _pool_id(loop)
    return said(loop.client, pool) if pool else 0


def embeddings_in_pool(loop: LoopDataset, ids: Sequence[str]) -> dict[str, dict[str, list[float]]]:
    """Text id -> vectors, by name."""
    found = by_id(loop.client, _pool_id(loop), ids, vectors=True)
    return {one.id: one.vectors for one in found}


def _pool_id(loop: LoopDataset) -> str | None:
    """In one request, where the SDK makes nine: every step asks."""
    there = data_sets(loop.client, str(loop.dataset.workspace.id))
    pool = there.get(pool_name(loop.settings.dataset))
    return str(pool["id"]) if pool else None


def _settings(loop: ArgillaSettings) -> ArgillaSettings:
    """One answer is enough there, as in the loop's data set the others are asked."""
    own = {"dataset": pool_name(loop.dataset), "min_submitted": 1}
    return loop.model_copy(update=own)


def _dataset_settings(settings: ArgillaSettings, labels: dict[str, str], dim: int) -> rg.Settings:
    guidelines = settings.guidelines or default_guidelines(labels, settings.multi_label)
    return rg.Settings(
        guidelines=f"{POOL}\n\n{guidelines}",
        fields=[rg.TextField(name=TEXT, title="Text")],
        questions=questions(question_labels(labels, settings.multi_label), settings.multi_label),
        metadata=[
            rg.TermsMetadataProperty("model", title="Label by the model"),
            rg.FloatMetadataProperty("score", title="Certainty of the model"),
            rg.FloatMetadataProperty("uncertainty", title="Uncertainty of the model"),
            rg.TermsMetadataProperty("state", title="In the loop", options=list(get_args(State))),
            rg.TermsMetadataProperty("people", title="Label by people"),
        ],
        vectors=[rg.VectorField(VECTOR, title="Embedding", dimensions=dim)],
        distribution=rg.TaskDistribution(min_submitted=settings.min_submitted),
    )
