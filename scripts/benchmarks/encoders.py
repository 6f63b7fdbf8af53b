"""Encoders to choose from: size, speed, and the accuracy of a head on their embeddings."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from components.onnx_encoder import OnnxEncoder
from scripts.benchmarks import heads
from scripts.benchmarks.corpora import embed
from scripts.benchmarks.data import read_labelled
from scripts.cli.errors import ProjectError


def compare(
    source: str,
    folders: Sequence[Path],
    cache: Path,
    head: str,
    budgets: Sequence[int],
    seeds: int,
    timed: int,
    rounds: int,
) -> Iterator[dict[str, Any]]:
    """Two rows an exported encoder, for what the head is told of the labels: their names, or
    descriptions. Accuracy as in heads.compare; speed, on `timed` of the texts, is also given as a
    share of the first one's, which holds on a busy machine, too.

    RAISES (ProjectError): The data cannot be read, or a folder holds no encoder.
    """
    encoders = [OnnxEncoder(folder) for folder in folders]
    try:
        settings = [encoder.settings for encoder in encoders]
    except ValueError as err:
        raise ProjectError(str(err)) from err
    texts, _ = read_labelled(source)
    sample = np.random.default_rng(0).permutation(len(texts))[:timed]
    speeds = texts_a_second(encoders, [texts[i] for i in sample], rounds)
    for folder, made, speed in zip(folders, settings, speeds, strict=True):
        costs = {
            "encoder": f"{Path(made['model']).name} {made['precision']}",
            "MB": f"{sum(file.stat().st_size for file in folder.iterdir()) / 1e6:.0f}",
            "texts a second": f"{speed:.0f}",
            "of the first": f"{speed / speeds[0]:.2f} ×",
        }
        data = embed(source, folder, cache)
        yield from (costs | row for row in heads.compare([data], [head], budgets, seeds))


def texts_a_second(
    encoders: Sequence[OnnxEncoder], texts: Sequence[str], rounds: int
) -> list[float]:
    """The median of some rounds, on all cores. Each round takes all encoders turn by turn, so that
    a busy moment of the machine hits all alike."""
    seconds: list[list[float]] = [[] for _ in encoders]
    for encoder in encoders:
        encoder.encode(texts[:32])  # loads the model
    for _ in range(rounds):
        for encoder, times in zip(encoders, seconds, strict=True):
            encoder.engine.cache.clear()  # it remembers the last texts
            start = time.perf_counter()
            encoder.encode(texts)
            times.append(time.perf_counter() - start)
    return [len(texts) / median(times) for times in seconds]
