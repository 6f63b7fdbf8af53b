"""A trained pipeline, by its folder or by the name of its package."""

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import spacy

from scripts.data.packages import digest_of, find
from scripts.data.pipelines import categorizer, load

Cats = dict[str, float]
# spaCy keeps every word that it has seen. Those of so many texts are forgotten together, so that
# memory does not grow; to forget them after each batch costs a bag of words a fifth of its speed.
ZONE = 10_000


@dataclass(frozen=True)
class Scored:
    """cats: Of each text, or None where it has none. why: How many texts have none, and why."""

    cats: list[Cats | None]
    why: Counter[str] = field(default_factory=Counter)


class Model:
    """Texts in, columns out.

    threads: texts that the encoder embeds at the same time; 0 for every core.
    RAISES (ProjectError): There is no such pipeline, or it is no text categorizer.
    """

    def __init__(self, name: str, threads: int = 0, batch_size: int = 1024) -> None:
        found = find(name, "score_model")
        self.name = str(found)
        self.cpus = threads or os.cpu_count() or 1
        if isinstance(found, Path):
            self.folder = found
            # A package brings its components along; for a folder they are the project's.
            import_module("components.code")
        else:
            self.folder = spacy.util.get_package_path(found)
        self.nlp = load(self.name)
        self.batch_size = batch_size
        self.pipe, self.labels, self.threshold = categorizer(self.nlp, name)
        encoder = getattr(self.pipe, "encoder", None)
        if encoder is not None:
            encoder.threads = threads
        self._zone = ExitStack()
        self._renew_zone()

    @cached_property
    def fingerprint(self) -> str:
        return digest_of(self.folder)

    @property
    def columns(self) -> tuple[str, str, str]:
        """Names of the columns that are added."""
        several = self.threshold is not None
        return ("labels", "scores", "cats") if several else ("label", "score", "cats")

    def forget(self) -> None:
        """Forget the texts before. An embedding differs in its last digits by the texts beside it,
        so a part would depend on what was scored before it, that is on where a run began."""
        engine = getattr(getattr(self.pipe, "encoder", None), "engine", None)
        if engine is not None:
            engine.cache.clear()

    def score(self, values: Sequence[Any]) -> Scored:
        """values: Of the column of texts, whatever they are."""
        why: Counter[str] = Counter()
        texts: dict[int, str] = {}
        for i, value in enumerate(values):
            if reason := self._unusable(value):
                why[reason] += 1
            else:
                # Half a character (a lone surrogate, as JSON may hold) stops spaCy's tokenizer.
                texts[i] = value.encode("utf8", "replace").decode("utf8")
        cats: list[Cats | None] = [None] * len(values)
        if self._in_zone >= ZONE:
            self._renew_zone()
        self._in_zone += len(texts)
        docs = self.nlp.pipe(texts.values(), batch_size=self.batch_size)
        for i, doc in zip(texts, docs, strict=True):
            cats[i] = {label: float(doc.cats[label]) for label in self.labels}
        return Scored(cats, why)

    def _renew_zone(self) -> None:
        self._zone.close()
        self._zone.enter_context(self.nlp.memory_zone())
        self._in_zone = 0

    def _unusable(self, value: Any) -> str:
        if value is None or value != value:  # NaN is missing too
            return "without text"
        if not isinstance(value, str):
            return "with a number, a list or an object in place of a text"
        if not value.strip():
            return "without text"
        too_long = len(value) > self.nlp.max_length
        return f"with more than {self.nlp.max_length:,} characters" if too_long else ""

    def given(self, cats: Cats | None) -> list[str]:
        """Labels of a text."""
        if cats is None:
            return []
        if self.threshold is not None:
            return [label for label in self.labels if cats[label] >= self.threshold]
        return [max(self.labels, key=lambda label: cats[label])]

    def arrays(self, found: Sequence[Cats | None]) -> list[pa.Array]:
        """The added columns: label and its score, or the labels and theirs; and all cats as a
        struct with a field for each label. All are null for a text without cats."""
        given = [self.given(cats) for cats in found]
        rows = list(zip(found, given, strict=True))
        struct = pa.array(found, pa.struct([(label, pa.float64()) for label in self.labels]))
        if self.threshold is not None:
            # A text that has none of the labels has an empty list, which is an answer.
            names = [labels if cats else None for cats, labels in rows]
            scores = [[cats[k] for k in labels] if cats else None for cats, labels in rows]
            return [
                pa.array(names, pa.list_(pa.string())),
                pa.array(scores, pa.list_(pa.float64())),
                struct,
            ]
        best = [labels[0] if labels else None for labels in given]
        score = [cats[labels[0]] if cats else None for cats, labels in rows]
        return [pa.array(best, pa.string()), pa.array(score, pa.float64()), struct]
