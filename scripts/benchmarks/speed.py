"""Time and memory against classy-classification as it comes: same machine, same weights, same
texts, turn by turn, every measurement in a process of its own."""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import spacy
from spacy.training import Example

from components.code import PARTS
from components.onnx_encoder import OnnxEncoder
from scripts.benchmarks.data import read_labelled, sample_balanced
from scripts.cli.console import msg
from scripts.cli.errors import ProjectError, output_of
from scripts.shipping.encoder import Precision, export, find_model
from scripts.shipping.probe import install

TEXT = "The minister said that the central bank would keep interest rates where they are."


def run_worker(task: dict[str, Any]) -> dict[str, Any]:
    """RETURNS: The worker's answer, and the seconds from starting the process to its end."""
    command = [sys.executable, "-m", "scripts.benchmarks.worker"]
    if "python" in task:  # of another environment, without the project on its path
        command = [task["python"], "-I", str(Path(__file__).with_name("worker.py"))]
    begin = time.perf_counter()
    output = output_of(command, "A measurement failed.", input=json.dumps(task))
    seconds = time.perf_counter() - begin
    return {**json.loads(output.splitlines()[-1]), "seconds": seconds}


def compare(source: str, model: str, rounds: int, only: list[str]) -> Iterator[dict[str, Any]]:
    """Rows of the table: median of the rounds, and the ratio to classy's."""
    texts, gold = read_labelled(source)
    where, _ = find_model(model)
    with tempfile.TemporaryDirectory() as tmp:
        pipelines = make_pipelines(model, texts, gold, Path(tmp))
        if "throughput" in only:
            yield from throughput(texts, gold, where, pipelines, rounds)
        if "start" in only:
            yield from start(texts, gold, where, pipelines, rounds, Path(tmp))
        if "retraining" in only:
            yield from retraining(texts, gold, where, pipelines, rounds)
        if "saving" in only:
            yield from saving(texts, pipelines["fp32"], rounds, Path(tmp))


def make_pipelines(model: str, texts: list[str], gold: list[str], folder: Path) -> dict[str, Path]:
    """Trained pipelines with a 32-bit and an 8-bit encoder."""
    train, _ = sample_balanced(gold, 25, np.random.default_rng(0))
    pipelines: dict[str, Path] = {}
    precisions: tuple[Precision, ...] = ("fp32", "int8")
    for name in precisions:
        export(model, folder / f"encoder-{name}", precision=name)
        nlp = spacy.blank("en")
        pipe: Any = nlp.add_pipe("classy_textcat")
        pipe.encoder = OnnxEncoder(folder / f"encoder-{name}")
        examples = [
            Example.from_dict(
                nlp.make_doc(texts[i]), {"cats": {k: float(k == gold[i]) for k in set(gold)}}
            )
            for i in train
        ]
        nlp.initialize(partial(list, examples))
        nlp.to_disk(folder / name)
        pipelines[name] = folder / name
    return pipelines


def throughput(
    texts: list[str], gold: list[str], where: str, pipelines: dict[str, Path], rounds: int
) -> Iterator[dict[str, Any]]:
    train, test = sample_balanced(gold, 25, np.random.default_rng(0))
    test = test[:1000]
    common = {
        "task": "throughput",
        "texts": [texts[i] for i in test],
        "warm_up": [texts[i] for i in train[:32]],
    }
    tasks: dict[str, dict[str, Any]] = {
        "classy": {**common, "kind": "classy", "model": where, "data": as_data(texts, gold, train)},
        **{name: {**common, "kind": "ours", "path": str(path)} for name, path in pipelines.items()},
    }
    answers = turn_by_turn(tasks, rounds)
    right = [gold[i] for i in test]
    accuracy = {
        name: np.mean([p == g for p, g in zip(runs[0]["predicted"], right, strict=True)])
        for name, runs in answers.items()
    }
    speed = {name: median(run["texts a second"] for run in runs) for name, runs in answers.items()}
    for name in tasks:
        yield {
            "what": f"nlp.pipe, {len(test)} texts: texts a second",
            "of": name,
            "median": f"{speed[name]:.0f}",
            "ratio": f"{speed[name] / speed['classy']:.2f} ×",
            "accuracy": f"{accuracy[name]:.3f}",
        }


def start(
    texts: list[str],
    gold: list[str],
    where: str,
    pipelines: dict[str, Path],
    rounds: int,
    folder: Path,
) -> Iterator[dict[str, Any]]:
    train, _ = sample_balanced(gold, 5, np.random.default_rng(0))
    tasks: dict[str, dict[str, Any]] = {
        "classy": {
            "task": "start",
            "kind": "classy",
            "model": where,
            "text": TEXT,
            "data": as_data(texts, gold, train),
        }
    }
    python = ""
    for name, path in pipelines.items():
        wheel = build_wheel(path, name, folder / f"wheel-{name}")
        python = str(install(wheel, folder / "env"))
        tasks[name] = {
            "task": "start",
            "kind": "ours",
            "package": f"en_bench_{name}",
            "python": python,
            "text": TEXT,
        }
    answers = turn_by_turn(tasks, rounds)
    for what, key, unit in (
        ("process start to first prediction", "seconds", "s"),
        ("peak memory of that process", "peak memory", "MB"),
    ):
        values = {name: median(run[key] for run in runs) for name, runs in answers.items()}
        for name, value in values.items():
            yield {
                "what": f"{what} ({unit})",
                "of": name,
                "median": f"{value:.2f}" if unit == "s" else f"{value:.0f}",
                "ratio": f"{values['classy'] / value:.1f} × less",
            }


def retraining(
    texts: list[str], gold: list[str], where: str, pipelines: dict[str, Path], rounds: int
) -> Iterator[dict[str, Any]]:
    n_labels = len(set(gold))
    for size in (20, 200, 1000):
        rng = np.random.default_rng(0)
        train, test = sample_balanced(gold, round(size / n_labels), rng)
        test = test[:1000]
        first, _ = sample_balanced(gold, 2, np.random.default_rng(1))
        common = {
            "task": "retraining",
            "data": as_data(texts, gold, train),
            "first_data": as_data(texts, gold, first),
            "test": [texts[i] for i in test],
        }
        tasks: dict[str, dict[str, Any]] = {
            "classy": {**common, "kind": "classy", "model": where},
            **{n: {**common, "kind": "ours", "path": str(p)} for n, p in pipelines.items()},
        }
        answers = turn_by_turn(tasks, rounds)
        right = [gold[i] for i in test]
        for what, key in (("with texts not seen before", "new texts"), ("again", "again")):
            values = {name: median(run[key] for run in runs) for name, runs in answers.items()}
            for name, value in values.items():
                predicted = answers[name][0]["predicted"]
                decisions = answers[name][0].get("decisions", predicted)
                accuracy = np.mean([p == g for p, g in zip(decisions, right, strict=True)])
                yield {
                    "what": f"training on {len(train)} labels, {what} (s)",
                    "of": name,
                    "median": f"{value:.3f}",
                    "ratio": f"{values['classy'] / value:.1f} × less",
                    "accuracy": f"{accuracy:.3f}",
                }


def saving(texts: list[str], pipeline: Path, rounds: int, folder: Path) -> Iterator[dict[str, Any]]:
    """27 labels with 500 examples each, which took classy a quarter of an hour to load (its issue
    8): what matters is their number, so that pieces of any texts will do."""
    words = " ".join(texts).split()
    pieces = [" ".join(words[6 * i : 6 * i + 6]) for i in range(27 * 500)]
    nlp = spacy.load(pipeline)
    labels = [f"label {i:02}" for i in range(27)]
    examples = [
        Example.from_dict(
            nlp.make_doc(piece),
            {"cats": {label: float(label == labels[i % 27]) for label in labels}},
        )
        for i, piece in enumerate(pieces)
    ]
    begin = time.perf_counter()
    nlp.initialize(partial(list, examples))
    times = {"training": [time.perf_counter() - begin], "saving": [], "loading": []}
    expected = [doc.cats for doc in nlp.pipe(texts[:20])]
    for number in range(rounds):
        path = folder / f"many-{number}"
        begin = time.perf_counter()
        nlp.to_disk(path)
        times["saving"].append(time.perf_counter() - begin)
        answer = run_worker({"task": "load", "path": str(path), "texts": texts[:20]})
        times["loading"].append(answer["seconds inside"])
        if answer["cats"] != expected:
            raise ProjectError("The loaded pipeline predicts otherwise than the saved one.")
    notes = {
        "training": "texts embedded, head fitted",
        "saving": "",
        "loading": "in a new process, after importing spaCy; same predictions",
    }
    for what, seconds in times.items():
        yield {
            "what": f"27 labels, 500 examples each: {what} (s)",
            "of": "fp32",
            "median": f"{median(seconds):.2f}",
            "ratio": notes[what],
        }


def turn_by_turn(tasks: dict[str, dict[str, Any]], rounds: int) -> dict[str, list[dict[str, Any]]]:
    """Every round measures all of them, so that a busy moment of the machine hits all alike."""
    answers: dict[str, list[dict[str, Any]]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            answers[name].append(run_worker(task))
    msg.info(f"{task['task']}: {rounds} rounds")
    return answers


def as_data(texts: list[str], gold: list[str], rows: np.ndarray) -> dict[str, list[str]]:
    """classy's form of training data, with sorted labels (its scores are swapped otherwise)."""
    data: dict[str, list[str]] = {label: [] for label in sorted(set(gold))}
    for i in rows:
        data[gold[i]].append(texts[i])
    return data


def build_wheel(pipeline: Path, name: str, folder: Path) -> Path:
    folder.mkdir()
    command = [sys.executable, "-m", "spacy", "package", str(pipeline), str(folder)]
    command += ["--code", ",".join(map(str, PARTS)), "--name", f"bench_{name}"]
    command += ["--version", "0.0.0", "--build", "wheel", "--require-parent"]
    output_of(command, "The pipeline could not be packaged.")
    (wheel,) = folder.glob("*/dist/*.whl")
    return wheel
