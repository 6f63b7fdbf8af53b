"""What `distil` does: choose what to learn from, train, and compare."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import srsly

from scripts.cli.console import msg
from scripts.cli.words import count
from scripts.data.corpus import read_labels, read_name, read_pool
from scripts.data.docbins import read_gold_texts
from scripts.distilling.big import BigModel
from scripts.distilling.compare import Judged, compare
from scripts.distilling.fit import Kind, Plan, check_enough, check_output, fit, needs_vectors
from scripts.distilling.targets import (
    Source,
    Targets,
    as_rows,
    from_finished,
    from_people,
    with_answers,
)
from scripts.distilling.vectors import words_of, write_vectors
from scripts.loop.settings import Settings

# Where there is no test set: the share of the pool's texts that both models are compared on, and
# how many these are at most.
HELD_OUT, MOST_HELD_OUT = 0.1, 1000


@dataclass(frozen=True)
class Files:
    """big: The pipeline that `train` wrote. output: Folder of the small pipeline. people, finished:
    Labels that `pull` and `finish` wrote."""

    big: Path
    output: Path
    people: Path = Path("corpus/train.spacy")
    finished: Path = Path("reports/finished.jsonl")


def distil(
    files: Files, source: Source, kind: Kind, settings: Settings, rounds: int
) -> dict[str, Any]:
    """Train the small pipeline, write it, and compare it with the big one.

    rounds: Of timing; the median counts.

    RAISES (ProjectError): A file is missing or wrong, there are too few labels, or the output would
        replace something else.
    """
    check_output(files.output, files.big)
    corpus, multi_label = settings.paths.corpus, settings.argilla.multi_label
    labels, pool = list(read_labels(corpus)), read_pool(corpus).texts
    use_vectors = needs_vectors(kind)
    if source == "finished":
        known = from_finished(files.finished, labels, multi_label)
    else:
        known = from_people(files.people, labels, multi_label)
    big = BigModel(files.big, labels, settings.paths.cache)
    judged = test_set(corpus, labels, multi_label) or held_out(known, pool, settings.loop.seed)
    if judged.gold is None:
        known = known.without(judged.texts)
    if source == "pool":
        away = set(judged.texts)
        known = with_answers(known, [text for text in pool if text not in away], big.predict)
    check_enough(known, labels)
    by = known.count()
    msg.text(
        f"{count(len(known), 'text')} to learn from: {by['people']} labelled by people, "
        f"{by['machine']} by machine, {by['model']} with the big model's answers"
    )
    plan = Plan(kind, labels, big.threshold, big.lang, seed=settings.loop.seed)
    with tempfile.TemporaryDirectory() as folder:
        if use_vectors:
            words = words_of([*pool, *known.texts], big.tokenizer, plan.lang)
            msg.text(f"Word vectors from the sentence encoder: {count(len(words), 'word')}")
            plan = replace(plan, vectors=Path(folder))
            write_vectors(words, big.encode, plan.lang, Path(folder))
        fit(known, plan, files.output)
    say(files, {"data": read_name(corpus), **by}, multi_label)
    result = compare(big, files.output, f"textcat, {kind}", judged, rounds)
    return {"labels": source, "config": kind, "learned_from": by, **result}


def test_set(corpus: Path, labels: list[str], multi_label: bool) -> Judged | None:
    path = corpus / "test.spacy"
    if not path.exists():
        return None
    texts, given = read_gold_texts(path, labels, multi_label)
    return Judged(texts, as_rows(given, labels))


def held_out(known: Targets, pool: list[str], seed: int) -> Judged:
    """Texts of the pool that no person has labelled, as far as there are any."""
    people = {text for text, by in zip(known.texts, known.by, strict=True) if by == "people"}
    free = [text for text in dict.fromkeys(pool) if text not in people] or pool
    size = min(MOST_HELD_OUT, max(1, round(len(pool) * HELD_OUT)), len(free))
    rows = np.random.default_rng(seed).choice(len(free), size, replace=False)
    return Judged([free[row] for row in np.sort(rows)], None)


def say(files: Files, trained_on: dict[str, Any], multi_label: bool) -> None:
    """What a package of the pipeline says of itself, beside what spaCy writes."""
    path = files.output / "meta.json"
    meta = srsly.read_json(path)
    srsly.write_json(path, {**meta, "trained_on": trained_on, "multi_label": multi_label})
