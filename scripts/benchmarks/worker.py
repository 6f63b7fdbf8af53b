"""One measurement in a process of its own. Reads a task as JSON from stdin, prints one of JSON.

Nothing is imported before it is needed: imports are part of what is measured. Of the project
nothing is at all where a package is measured, in an environment of its own.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

STARTED = time.perf_counter()


def start(task: dict[str, Any]) -> dict[str, Any]:
    """Load a pipeline and classify one text. The parent measures the time of the process."""
    if task["kind"] == "classy":
        from scripts.benchmarks.classy import make_classy_pipeline

        # There is no trained pipeline that could be loaded.
        cats = make_classy_pipeline(task["data"], task["model"])(task["text"])._.cats
    else:
        import spacy

        cats = spacy.load(task["package"])(task["text"]).cats
    return {"cats": cats, "seconds inside": time.perf_counter() - STARTED}


def throughput(task: dict[str, Any]) -> dict[str, Any]:
    """Texts a second of nlp.pipe, warm."""
    if task["kind"] == "classy":
        from scripts.benchmarks.classy import make_classy_pipeline

        nlp = make_classy_pipeline(task["data"], task["model"])
    else:
        nlp = load_ours(task["path"])
    list(nlp.pipe(task["warm_up"]))
    begin = time.perf_counter()
    docs = list(nlp.pipe(task["texts"]))
    seconds = time.perf_counter() - begin
    cats = [doc._.cats if task["kind"] == "classy" else doc.cats for doc in docs]
    return {
        "texts a second": len(docs) / seconds,
        "predicted": [max(row, key=row.__getitem__) for row in cats],
    }


def retraining(task: dict[str, Any]) -> dict[str, Any]:
    """Seconds to train on all labels again: a first time with texts it has not seen, and again."""
    from scripts.benchmarks.classy import make_classy_pipeline

    data, first = task["data"], task["first_data"]
    if task["kind"] == "classy":
        nlp = make_classy_pipeline(first, task["model"])
        component: Any = nlp.get_pipe("classy_classification")

        def train() -> None:
            component.set_training_data({key: list(texts) for key, texts in data.items()})

    else:
        from spacy.training import Example

        nlp = load_ours(task["path"])

        def examples_of(data: dict[str, list[str]]) -> list[Any]:
            return [
                Example.from_dict(
                    nlp.make_doc(text), {"cats": {k: float(k == label) for k in data}}
                )
                for label, texts in data.items()
                for text in texts
            ]

        # The first training imports classy, for both of them.
        start_with = examples_of(first)
        nlp.initialize(lambda: start_with)
        examples = examples_of(data)

        def train() -> None:
            nlp.initialize(lambda: examples)

    times = []
    # classy embeds all texts again each time, so that a second time would tell nothing new.
    for _ in range(1 if task["kind"] == "classy" else 2):
        begin = time.perf_counter()
        train()
        times.append(time.perf_counter() - begin)
    result: dict[str, Any] = {"new texts": times[0], "again": times[-1]}
    if task["kind"] == "classy":
        embeddings = component.get_embeddings(task["test"])
        result["decisions"] = [
            component.label_list[i] for i in component.clf.predict(embeddings).tolist()
        ]
        scores = list(component.get_prediction(embeddings))
    else:
        scores = [doc.cats for doc in nlp.pipe(task["test"])]
    result["predicted"] = [max(row, key=row.__getitem__) for row in scores]
    return result


def load(task: dict[str, Any]) -> dict[str, Any]:
    """Load a pipeline and classify some texts; the time is without the imports."""
    import spacy

    import components.code  # noqa: F401

    # The first pipeline of a process imports the plugins of spaCy that are installed, here classy
    # and torch, which a deployed pipeline has not got.
    spacy.blank("en")
    begin = time.perf_counter()
    nlp = load_ours(task["path"])
    cats = [doc.cats for doc in nlp.pipe(task["texts"])]
    return {"cats": cats, "seconds inside": time.perf_counter() - begin}


def loop(task: dict[str, Any]) -> dict[str, Any]:
    """Rows a second of classy, text by text as in a plain loop, or in its batches."""
    from scripts.benchmarks.classy import make_classy_pipeline

    nlp = make_classy_pipeline(task["data"], task["model"])
    texts = task["texts"]
    list(nlp.pipe(texts[:8]))
    begin = time.perf_counter()
    found = [doc._.cats for doc in (nlp.pipe(texts) if task["pipe"] else map(nlp, texts))]
    return {"rows a second": len(found) / (time.perf_counter() - begin)}


def score(task: dict[str, Any]) -> dict[str, Any]:
    """Rows a second from a file to files, without imports. workers: On Ray, with one thread each;
    otherwise the model is loaded before, and with all cores."""
    import tempfile

    from scripts.scoring.model import Model
    from scripts.scoring.on_ray import cluster, score_on_ray
    from scripts.scoring.plan import make_plan
    from scripts.scoring.run import score_files
    from scripts.scoring.settings import Settings

    workers = task.get("workers", 0)
    settings = Settings("text", rows_per_part=task.get("part", 100_000))
    model = Model(task["model"], threads=min(workers, 1))
    model.score(["Warm up."])
    with tempfile.TemporaryDirectory() as output:
        if not workers:
            begin = time.perf_counter()
            rows = score_files(task["input"], Path(output), model, settings)[1].rows
            return {"rows a second": rows / (time.perf_counter() - begin)}
        plan = make_plan(task["input"], Path(output), model, settings)
        with cluster():
            begin = time.perf_counter()
            parts = [
                (rows, process, time.perf_counter())
                for rows, process in score_on_ray(plan.waiting, model, workers)
            ]
    seconds = parts[-1][2] - begin
    return {
        "rows a second": sum(rows for rows, *_ in parts) / seconds,
        "once started": at_work(parts),
    }


def at_work(parts: list[tuple[int, int, float]]) -> float:
    """Rows a second of all workers together, each from its first part on.

    parts: Rows, process, and when it was done. A worker that did one part counts nothing.
    """
    rate = 0.0
    for worker in {process for _, process, _ in parts}:
        first, *later = [(rows, t) for rows, process, t in parts if process == worker]
        if later:
            rate += sum(rows for rows, _ in later) / (later[-1][1] - first[1])
    return rate


def loop_steps(task: dict[str, Any]) -> dict[str, Any]:
    """Steps of the loop on a prepared pool."""
    from scripts.benchmarks.step_scale import take_steps

    return {"steps": take_steps(Path(task["config"]), task["args"], task["steps"], STARTED)}


def peak_memory() -> float:
    """Megabytes of this process at its largest. (getrusage would count its parent's, too.)"""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def load_ours(path: str) -> Any:
    import spacy

    import components.code  # noqa: F401

    return spacy.load(path)


TASKS = {
    **{"start": start, "throughput": throughput, "retraining": retraining, "load": load},
    **{"loop": loop, "score": score, "loop steps": loop_steps},
}

if __name__ == "__main__":
    task = json.load(sys.stdin)
    answer = TASKS[task["task"]](task)
    print(json.dumps({**answer, "peak memory": peak_memory()}))
