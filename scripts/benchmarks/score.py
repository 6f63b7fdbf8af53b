"""`score` against a plain loop over classy-classification, its memory, and two workers on Ray."""

import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import spacy
from spacy.training import Example

from scripts.benchmarks.data import read_labelled, sample_balanced
from scripts.benchmarks.speed import as_data, run_worker, turn_by_turn
from scripts.shipping.encoder import find_model

BATCH = 50_000  # made-up rows that are in memory at once
WORDS = ["shares", "bank", "profit", "match", "team", "goal", "phone", "chip", "browser", "film"]


def speed(
    source: str, pipeline: str, model: str, size: int, rounds: int
) -> Iterator[dict[str, Any]]:
    """Rows a second: classy text by text, classy in batches, and the files of `score`."""
    texts, gold = read_labelled(source)
    train, test = sample_balanced(gold, 25, np.random.default_rng(0))
    chosen = [texts[i] for i in test[:size]]
    with tempfile.TemporaryDirectory() as tmp:
        path = Path(tmp) / "texts.parquet"
        pq.write_table(pa.table({"text": chosen}), path)
        where, _ = find_model(model)
        classy = {"task": "loop", "model": where, "data": as_data(texts, gold, train)}
        answers = turn_by_turn(
            {
                "classy, nlp(text) in a loop": {**classy, "texts": chosen, "pipe": False},
                "classy, nlp.pipe": {**classy, "texts": chosen, "pipe": True},
                "score": {"task": "score", "model": pipeline, "input": str(path)},
            },
            rounds,
        )
    yield from _against_first(answers, f"{len(chosen)} texts of {source}")


def memory(sizes: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Peak memory by the number of rows. A bag of words scores them, as that is done in minutes;
    each text has a word of its own, which a pipeline would otherwise keep forever."""
    with tempfile.TemporaryDirectory() as tmp:
        model = _bag_of_words(Path(tmp) / "model")
        for size in sizes:
            path = _made_up(size, Path(tmp) / f"{size}.parquet")
            answer = run_worker({"task": "score", "model": str(model), "input": str(path)})
            yield {
                "what": f"peak memory at {size:,} rows",
                "of": "score, bag of words",
                "MB": f"{answer['peak memory']:.0f}",
                "rows a second": f"{answer['rows a second']:.0f}",
            }
            path.unlink()


def on_ray(source: str, pipeline: str, size: int, rounds: int) -> Iterator[dict[str, Any]]:
    """One worker and two, with one thread each: the whole run, in which each worker first loads the
    model (starting Ray is not counted), and once each has done a part. Parts are a twentieth."""
    texts, _ = read_labelled(source)
    chosen = random.Random(0).sample(texts, min(size, len(texts)))
    with tempfile.TemporaryDirectory() as tmp:
        path = Path(tmp) / "texts.parquet"
        pq.write_table(pa.table({"text": chosen}), path)
        task = {
            "task": "score",
            "model": pipeline,
            "input": str(path),
            "part": len(chosen) // 20 or 1,
        }
        names = {1: "one worker", 2: "two workers"}
        answers = turn_by_turn({name: {**task, "workers": n} for n, name in names.items()}, rounds)
    what = f"{len(chosen)} texts of {source} on Ray"
    yield from _against_first(answers, f"{what}, whole run")
    yield from _against_first(answers, f"{what}, once started", "once started")


def _against_first(
    answers: dict[str, list[dict[str, Any]]], what: str, key: str = "rows a second"
) -> Iterator[dict[str, Any]]:
    """Medians of the runs, and how many times the first one's."""
    values = {name: median(run[key] for run in runs) for name, runs in answers.items()}
    first, *_ = values.values()
    for name, value in values.items():
        yield {
            "what": what,
            "of": name,
            "rows a second": f"{value:.0f}",
            "ratio": f"{value / first:.2f} ×",
        }


def _made_up(rows: int, path: Path) -> Path:
    rng = random.Random(0)
    schema = pa.schema([("id", pa.int64()), ("text", pa.string())])
    with pq.ParquetWriter(path, schema) as writer:
        for first in range(0, rows, BATCH):
            ids = list(range(first, min(first + BATCH, rows)))
            texts = [" ".join([*rng.choices(WORDS, k=4), f"word{i}"]) for i in ids]
            writer.write_table(pa.table({"id": ids, "text": texts}, schema=schema))
    return path


def _bag_of_words(folder: Path) -> Path:
    """A pipeline of spaCy's own that knows which half of the words a text is from."""
    nlp = spacy.blank("en")
    model = {
        "@architectures": "spacy.TextCatBOW.v3", "exclusive_classes": True, "ngram_size": 1,
        "no_output_layer": False, "length": 4096,
    }  # fmt: skip
    nlp.add_pipe("textcat", config={"model": model})
    examples = [
        Example.from_dict(
            nlp.make_doc(word), {"cats": {"first": float(i < 5), "second": float(i >= 5)}}
        )
        for i, word in enumerate(WORDS)
    ]
    nlp.initialize(lambda: examples)
    nlp.to_disk(folder)
    return folder
