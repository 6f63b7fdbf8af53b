"""How long people wait: from the answer that completes a batch to suggestions of a newer model in
Argilla; and the same by the tutorial's loop on classy-classification as it comes."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from scripts.benchmarks.data import read_labelled
from scripts.benchmarks.tutorial_step import NEXT, WHOLE, Tutorial
from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.data.corpus import Pool, Row, read_gold, text_id
from scripts.data.prepared import write_corpus
from scripts.loop.annotate import annotate
from scripts.loop.session import open_loop
from scripts.loop.settings import Settings, load_settings
from scripts.records.answers import Answer, Answers
from scripts.records.dataset import ORACLE, LoopDataset
from scripts.records.rest import request

POLL = 0.02  # seconds between two looks at a suggestion
PATIENCE = 600.0  # seconds after which nothing will come any more
HELD_OUT = 50  # texts beside the pool, as `prepare` would hold them out
OURS, FULL = "live: fresh suggestions", "live: the queue is full again"


@dataclass(frozen=True)
class Conditions:
    """labels: By people when the measurements begin. batches: Of the loop here. pace: Seconds that
    a person takes for an answer. config: The loop's settings; all but the paths hold. pipeline: A
    pipeline config instead of theirs; empty for none. cache: Where embeddings are kept. model: For
    classy, the same weights as the encoder."""

    labels: int
    batches: int
    pace: float
    config: Path
    pipeline: str
    cache: Path
    model: str


class Loop(NamedTuple):
    """The loop under measurement, from where its annotator sits. is_on: Raises if it is not."""

    dataset: LoopDataset
    pool: Pool
    gold: dict[str, list[str]]
    labels: dict[str, str]
    settings: Settings
    is_on: Callable[[], None]


def compare(
    sources: Sequence[str], rounds: dict[int, int], conditions: Conditions
) -> Iterator[dict[str, Any]]:
    """Rows of the table. rounds: Texts in the pool -> how often the tutorial's loop is measured.

    RAISES (ProjectError): There are too few texts, or no Argilla answers.
    """
    labelled: dict[str, str] = {}
    for source in sources:
        labelled |= dict(zip(*read_labelled(source), strict=True))
    if len(labelled) < max(rounds):
        raise ProjectError(
            f"There are {len(labelled)} labelled texts, fewer than {max(rounds)}.",
            "Name more files, or smaller --sizes.",
        )
    for size, often in rounds.items():
        with tempfile.TemporaryDirectory() as folder:
            seconds = measure(labelled, size, often, conditions, Path(folder))
        yield from table(size, seconds)


def table(size: int, seconds: dict[str, list[float]]) -> list[dict[str, Any]]:
    """Medians, worst, and how many times sooner the suggestions of the loop here come."""
    ours = median(seconds[OURS])
    return [
        {
            "texts in the pool": size,
            "what": what,
            "batches": len(found),
            "median (s)": f"{median(found):.2f}",
            "worst (s)": f"{max(found):.2f}",
            "live is sooner": f"{median(found) / ours:.1f} ×" if what in (WHOLE, NEXT) else "",
        }
        for what, found in seconds.items()
        if found
    ]


def measure(
    labelled: dict[str, str], size: int, rounds: int, conditions: Conditions, folder: Path
) -> dict[str, list[float]]:
    """Seconds of each batch, turn by turn, so that a busy moment of the machine hits both."""
    write_pool(labelled, size, folder / "corpus")
    name = f"latency-{uuid.uuid4().hex[:8]}"
    overrides = {
        "paths.corpus": folder / "corpus",
        "paths.cache": conditions.cache,
        "argilla.dataset": name,
        "loop.budget": 0,
        **({"paths.pipeline": conditions.pipeline} if conditions.pipeline else {}),
    }
    args = [part for key, value in overrides.items() for part in (f"--{key}", str(value))]
    settings = load_settings(conditions.config, args)
    seconds: dict[str, list[float]] = {OURS: [], FULL: [], WHOLE: [], NEXT: []}
    with ExitStack() as stack:
        dataset, learner, pool = stack.enter_context(open_loop(settings))
        stack.callback(dataset.dataset.delete)
        learner.embed(pool.texts)  # what the loop does once, before the first step
        theirs = settings.argilla.model_copy(update={"dataset": f"{name}-tutorial"})
        other = LoopDataset.open(dataset.client, theirs, learner.labels, learner.dim)
        stack.callback(other.dataset.delete)
        is_on = stack.enter_context(live(conditions.config, args, folder / "live.log"))
        gold = read_gold(settings.paths.corpus)
        loop = Loop(dataset, pool, gold, learner.labels, settings, is_on)
        begin_with(loop, conditions.labels)
        tutorial: Tutorial | None = None
        for number in range(max(conditions.batches, rounds)):
            if number < conditions.batches:
                for what, took in batch(loop, conditions.pace).items():
                    seconds[what].append(took)
            if number < rounds:
                said = Answers(dataset.answers()).labelled
                tutorial = tutorial or Tutorial(other, conditions.model, said)
                for what, took in tutorial.step(said, pool, settings.loop.batch_size).items():
                    seconds[what].append(took)
            now = ", ".join(f"{what} {took[-1]:.2f} s" for what, took in seconds.items() if took)
            # torch suffers more from other work on the machine than `live` does.
            busy = f"load of the machine {os.getloadavg()[0]:.1f}"
            msg.text(f"{size} texts, batch {number + 1}: {now}; {busy}")
    if not seconds[OURS]:
        raise ProjectError(
            "No batch could be measured: all texts that waited were to be answered unswayed, and "
            "so had no suggestion.",
            "Take data that are harder, or fewer --labels.",
        )
    return seconds


def write_pool(labelled: dict[str, str], size: int, corpus: Path) -> None:
    """What `prepare` writes, with a pool of exactly this size, drawn at random.

    labelled: text -> label.
    """
    texts = list(labelled)
    chosen = np.random.default_rng(0).permutation(len(texts))[: size + HELD_OUT]
    rows: list[Row] = [
        {"id": text_id(texts[i]), "text": texts[i], "labels": [labelled[texts[i]]]} for i in chosen
    ]
    names = {label: label for label in sorted(set(labelled.values()))}
    meta = {"name": "latency", "dataset": "latency", "multi_label": False}
    write_corpus(names, meta, rows[:size], rows[size:], corpus, None)


@contextmanager
def live(config: Path, args: Sequence[str], log: Path) -> Iterator[Callable[[], None]]:
    """`weasel run live` as people run it, with its webhook. What it says goes to the log.

    RETURNS: What raises a ProjectError if it has ended.
    """
    command = [sys.executable, "-m", "scripts.live", "--config", str(config), "--every", "3600"]
    with log.open("w") as out:
        running = subprocess.Popen([*command, *args], stdout=out, stderr=subprocess.STDOUT)

    def is_on() -> None:
        if running.poll() is not None:
            raise ProjectError("`live` has ended.", log.read_text()[-2000:])

    try:
        yield is_on
    finally:
        running.send_signal(signal.SIGTERM)  # it takes its webhook away
        try:
            running.wait(30)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def begin_with(loop: Loop, labels: int) -> None:
    """The cold start, and answers until there are so many and no step is due."""
    chosen = loop.settings.loop
    until(lambda: pending(loop.dataset) >= chosen.seed_size, loop.is_on)
    said = 0
    while said < max(labels, 1):
        limit = chosen.batch_size if said else None
        said += annotate(loop.dataset, loop.gold, list(loop.labels), limit=limit)
        # A step that came in between has not seen the last of the answers.
        until(lambda: pending(loop.dataset) > chosen.queue - chosen.batch_size, loop.is_on)


def batch(loop: Loop, pace: float) -> dict[str, float]:
    """Answer the oldest questions, as many as the next step waits for.

    RETURNS: Seconds from sending the last answer until a record that waits has the suggestion of a
    newer model, and until the queue is full again; the former only if there is such a record.
    """
    dataset, chosen = loop.dataset, loop.settings.loop
    waiting = Answers(dataset.answers()).waiting
    due = chosen.batch_size - (chosen.queue - len(waiting))
    now, later = waiting[:due], waiting[due:]
    seen = [answer.server_id for answer in later if not answer.blind][-1:]
    before = [model_of(dataset, id_) for id_ in seen]
    *first, last = now
    for answer in first:
        respond(loop, answer)
        time.sleep(pace)
    found: dict[str, float] = {}
    begin = time.perf_counter()
    respond(loop, last)
    for id_, old in zip(seen, before, strict=True):
        until(lambda: model_of(dataset, id_) > old, loop.is_on)  # noqa: B023
        found[OURS] = time.perf_counter() - begin
    until(lambda: pending(dataset) >= chosen.queue, loop.is_on)
    found[FULL] = time.perf_counter() - begin
    time.sleep(pace)
    return found


def respond(loop: Loop, answer: Answer) -> None:
    loop.dataset.respond(answer, loop.gold[answer.text_id], ORACLE)


def until(holds: Callable[[], bool], is_on: Callable[[], None]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        is_on()
        if time.monotonic() > end:
            raise ProjectError(f"Nothing has come from `live` for {PATIENCE:.0f} seconds.")
        time.sleep(POLL)


def model_of(dataset: LoopDataset, record: str) -> int:
    """The step whose model has made the suggestion of a record."""
    (item,) = request(dataset.client, "GET", f"/records/{record}/suggestions")["items"]
    return int(item["agent"].rpartition("-")[2])


def pending(dataset: LoopDataset) -> int:
    """Records that wait for an answer."""
    found = request(dataset.client, "GET", f"/datasets/{dataset.dataset.id}/progress")
    return int(found["pending"])
