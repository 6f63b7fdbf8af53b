"""Seconds and memory of a step of the loop on large pools, by what they are spent on."""

import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

from scripts.benchmarks import large_pool
from scripts.benchmarks.data import read_labelled
from scripts.benchmarks.speed import run_worker
from scripts.benchmarks.worker import peak_memory
from scripts.cli.console import msg
from scripts.loop.embedding_cache import CachedEncoder
from scripts.loop.settings import load_settings

FIRST, NEW, NEXT = "first", "in a new process", "the next, as in `live`"
# What a step's seconds are spent on. The rest is drawing, records and what is in no other.
PHASES = ("start", "read pool", "embeddings", "fits", "predict", "argilla", "rest")


@dataclass(frozen=True)
class Conditions:
    """source: Real texts that the made-up ones are like. labels: By people, when steps are
    measured, in rising order. config: The loop's settings; all but the paths and the queue hold.
    pipeline: A pipeline config instead of theirs; empty for none. cache: Where the real texts'
    embeddings are kept."""

    source: str
    labels: tuple[int, ...]
    config: Path
    pipeline: str
    encoder: Path
    cache: Path


def compare(sizes: Sequence[int], conditions: Conditions) -> Iterator[dict[str, Any]]:
    """Rows of the table. sizes: Texts in the pool."""
    from components.onnx_encoder import OnnxEncoder

    texts, gold = read_labelled(conditions.source)
    encoder = CachedEncoder(OnnxEncoder(conditions.encoder), conditions.cache)
    real = encoder.encode(texts)
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            begin = time.perf_counter()
            cache = CachedEncoder(encoder.encoder, Path(folder) / "embeddings")
            cache.put(texts, real)
            large_pool.write(size, texts, gold, cache, Path(folder) / "corpus")
            msg.text(f"{size} texts made in {time.perf_counter() - begin:.0f} s")
            yield from measure(size, conditions, Path(folder))


def measure(size: int, conditions: Conditions, folder: Path) -> Iterator[dict[str, Any]]:
    """Steps on one pool, each in a process of its own or after another one in the same."""
    overrides = {
        "paths.corpus": folder / "corpus",
        "paths.cache": folder / "embeddings",
        "argilla.dataset": f"step-scale-{uuid.uuid4().hex[:8]}",
        "loop.budget": 0,
        **({"paths.pipeline": conditions.pipeline} if conditions.pipeline else {}),
    }
    args = [part for key, value in overrides.items() for part in (f"--{key}", str(value))]
    task = {"task": "loop steps", "config": str(conditions.config)}
    try:
        (first,) = run_worker({**task, "args": args, "steps": 1})["steps"]
        yield row(size, 0, FIRST, first)
        there = first["asked"]
        for labels in conditions.labels:
            if labels > there:  # as many as are missing are asked and answered at once
                fill = [*args, "--loop.queue", str(labels - there)]
                (filled,) = run_worker({**task, "args": fill, "steps": 1})["steps"]
                there += filled["asked"]
            for what, found in zip(
                (NEW, NEXT), run_worker({**task, "args": args, "steps": 2})["steps"], strict=True
            ):
                yield row(size, there, what, found)
                there += found["asked"]
    finally:
        delete(load_settings(conditions.config, args))


def row(size: int, labels: int, what: str, found: dict[str, Any]) -> dict[str, Any]:
    seconds = {name: f"{found['seconds'].get(name, 0.0):.1f}" for name in PHASES}
    msg.text(f"{size} texts, {labels} labels, {what}: {found['total']:.1f} s")
    return {
        "texts": size,
        "labels": labels,
        "step": what,
        "seconds": f"{found['total']:.1f}",
        "CPU": f"{found['CPU']:.1f}",
        **seconds,
        "models": found["models"],
        "first model": f"{found['first model']:.1f}",
        "GB": f"{found['GB']:.2f}",
    }


def delete(settings: Any) -> None:
    """The data set in Argilla."""
    from scripts.records.client import argilla_client
    from scripts.records.schema import find

    with argilla_client(settings.paths.argilla) as client:
        _, dataset = find(client, settings.argilla)
        if dataset is not None:
            dataset.delete()


@contextmanager
def timed(seconds: dict[str, list[float]]) -> Iterator[None]:
    """Note the seconds of each call of what a step's time goes into, without those of calls in it
    that are noted themselves."""
    import httpx

    from scripts.loop import session
    from scripts.loop.learner import Learner

    inside: list[float] = [0.0]

    def wrap(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            inside.append(0.0)
            begin = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                took = time.perf_counter() - begin
                seconds[name].append(took - inside.pop())
                inside[-1] += took

        return call

    places: list[tuple[Any, str, str]] = [
        (session, "read_pool", "read pool"),
        (CachedEncoder, "encode", "embeddings"),
        (Learner, "initialize", "fits"),
        (Learner, "predict", "predict"),
        (httpx.Client, "send", "argilla"),
    ]
    with ExitStack() as stack:
        for owner, attribute, name in places:
            wrapped = wrap(name, getattr(owner, attribute))
            stack.enter_context(patch.object(owner, attribute, wrapped))
        yield


def take_steps(config: Path, args: Sequence[str], steps: int, begin: float) -> list[dict[str, Any]]:
    """So many steps in this process, as `weasel run step` and `live` take them, and the answers to
    each. begin: When the process began, of which the first step's seconds are counted."""
    seconds: dict[str, list[float]] = defaultdict(list)
    work = 0.0  # CPU seconds of the process so far
    with timed(seconds):
        settings = load_settings(config, args)
        from scripts.loop.annotate import annotate
        from scripts.loop.session import open_loop
        from scripts.loop.step import step
        from scripts.records.answers import Answers

        found = []
        with open_loop(settings) as (dataset, learner, pool):
            _ = learner.nlp
            known = sum(map(sum, seconds.values()))
            seconds["start"].append(time.perf_counter() - begin - known)
            for _number in range(steps):
                done = step(dataset, learner, pool, settings, now=True)
                total, fits = time.perf_counter() - begin, seconds["fits"]
                spent = {name: sum(some) for name, some in seconds.items()}
                spent["rest"] = total - sum(spent.values())
                found.append(
                    {
                        "asked": done.asked,
                        "total": total,
                        "CPU": time.process_time() - work,
                        "seconds": spent,
                        "models": len(fits),
                        "first model": fits[0],
                        "GB": peak_memory() / 1024,
                    }
                )
                labels = list(learner.labels)
                gold = {
                    answer.text_id: [large_pool.label_of(answer.text, labels)]
                    for answer in Answers(dataset.answers()).waiting
                }
                annotate(dataset, gold, labels)
                seconds.clear()
                work = time.process_time()
                begin = time.perf_counter()
    return found
