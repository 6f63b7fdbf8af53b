"""Train spaCy's own text categorizer on targets, by spaCy's own training."""

import io
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import srsly
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as spacy_train
from spacy.util import load_config

import scripts.distilling.soft_targets  # noqa: F401
from scripts.cli.errors import ProjectError
from scripts.cli.words import count
from scripts.data.pipelines import blank, lean, load
from scripts.distilling.targets import Targets

Kind = Literal["bow", "ensemble"]
COMPONENT = "textcat"
# Texts without which there is nothing to learn from and to stop by.
FEWEST = 10
# Share of the texts that training stops by. More than so many would take longer and tell little
# more.
TO_STOP_BY, MOST_TO_STOP_BY = 0.15, 300


@dataclass(frozen=True)
class Plan:
    """kind: Which of configs/distil_*.cfg. threshold: From which probability on a text has a label,
    where it may have several; None for exactly one. vectors: A folder with word vectors, for a
    config that uses them. steps: At most; None as the config says."""

    kind: Kind
    labels: Sequence[str]
    threshold: float | None = None
    lang: str = "en"
    vectors: Path | None = None
    seed: int = 0
    steps: int | None = None


def config_of(kind: str) -> Path:
    return Path("configs") / f"distil_{kind}.cfg"


def needs_vectors(kind: str) -> bool:
    return "include_static_vectors = true" in config_of(kind).read_text(encoding="utf8")


def fit(targets: Targets, plan: Plan, output: Path) -> Language:
    """Train on the targets and write the pipeline as it was best on the texts held out of them.

    output: The folder, replaced when all is done. RETURNS: The pipeline as loaded from there.
    RAISES (ProjectError): There are too few texts, the folder holds something else than such a
        pipeline, or spaCy cannot use the config.
    """
    check_enough(targets, plan.labels)
    check_output(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".distil-") as folder:
        work = Path(folder)
        dev, train = split_off(len(targets), plan.seed)
        hard = decided(targets.values, plan.threshold)
        write(targets, targets.values, train, plan, work / "train.spacy")
        write(targets, hard, dev, plan, work / "dev.spacy")
        with redirect_stdout(io.StringIO()):
            config = load_config(config_of(plan.kind), overrides(plan, work), interpolate=False)
            nlp = lean(lambda: init_nlp(config))
            (work / "out").mkdir()
            spacy_train(nlp, work / "out", stdout=io.StringIO(), stderr=io.StringIO())
        best = work / "out" / "model-best"
        forget(best)
        shutil.rmtree(output, ignore_errors=True)
        best.rename(output)
    return load(output)


def check_output(output: Path, big: Path | None = None) -> None:
    """The output folder is replaced, so it must hold nothing but a pipeline that `distil` wrote.

    big: Folder of a pipeline that must not be touched.
    RAISES (ProjectError): It holds something else.
    """
    hint = "Give a folder that is new or empty, or one that `distil` wrote: training/distilled"
    if big and {output.resolve(), *output.resolve().parents} & {big.resolve()}:
        raise ProjectError(f"{output} is the pipeline to learn from, or in its folder.", hint)
    if big and output.resolve() in big.resolve().parents:
        raise ProjectError(f"{output} has the pipeline to learn from in it: {big}.", hint)
    if not output.is_dir() or not any(output.iterdir()):
        return
    try:
        pipeline = srsly.read_json(output / "meta.json")["pipeline"]
    except (ValueError, KeyError, TypeError):  # there is none, or it is another program's
        pipeline = None
    if pipeline not in (["textcat"], ["textcat_multilabel"]):
        there = ", ".join(sorted(path.name for path in output.iterdir())[:5])
        raise ProjectError(
            f"{output} holds something else than a pipeline of `distil`: {there}. "
            "Nothing was changed.",
            hint,
        )


def check_enough(targets: Targets, labels: Sequence[str]) -> None:
    """RAISES (ProjectError): There are too few texts, or all have the same label."""
    if len(targets) < FEWEST:
        raise ProjectError(
            f"{count(len(targets), 'text')} to learn from; at least {FEWEST} are needed.",
            "Label more, or learn from the big model's answers: --vars.distil_labels pool",
        )
    used = (targets.values >= 0.5).any(axis=0)
    if used.sum() < 2:
        raise ProjectError(
            "The texts to learn from have one label at most.",
            f"The labels are: {', '.join(labels)}. Label texts of another, or learn from the big "
            "model's answers: --vars.distil_labels pool",
        )


def split_off(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers to stop by, and to train on."""
    order = np.random.default_rng(seed).permutation(n)
    cut = min(max(1, round(n * TO_STOP_BY)), MOST_TO_STOP_BY)
    return np.sort(order[:cut]), np.sort(order[cut:])


def decided(values: np.ndarray, threshold: float | None) -> np.ndarray:
    """Zeros and ones, as spaCy's scores want them. threshold: None for exactly one label a text."""
    if threshold is not None:
        return (values >= threshold).astype(float)
    return np.eye(values.shape[1])[values.argmax(axis=1)]


def write(targets: Targets, values: np.ndarray, rows: np.ndarray, plan: Plan, path: Path) -> None:
    nlp, docs = blank(plan.lang), DocBin()
    for row in rows:
        doc = nlp.make_doc(targets.texts[row])
        doc.cats = {k: float(v) for k, v in zip(plan.labels, values[row], strict=True)}
        docs.add(doc)
    docs.to_disk(path)


def overrides(plan: Plan, work: Path) -> dict[str, Any]:
    """Of the config: files, seed, language, and what several labels a text need."""
    found: dict[str, Any] = {
        "paths.train": str(work / "train.spacy"),
        "paths.dev": str(work / "dev.spacy"),
        "system.seed": plan.seed,
        "nlp.lang": plan.lang,
    }
    if plan.vectors is not None:
        found["paths.vectors"] = str(plan.vectors)
    if plan.steps is not None:
        found["training.max_steps"] = plan.steps
    if plan.threshold is not None:
        found[f"components.{COMPONENT}.threshold"] = plan.threshold
        linear = "model" if plan.kind == "bow" else "model.linear_model"
        found[f"components.{COMPONENT}.factory"] = "textcat_multilabel"
        found[f"components.{COMPONENT}.{linear}.exclusive_classes"] = False
        found[f"components.{COMPONENT}.scorer.@scorers"] = "spacy.textcat_multilabel_scorer.v2"
    return found


def forget(model: Path) -> None:
    """Take out of a saved pipeline's config what only its training here needed: what is left is
    spaCy's own, on any machine."""
    nlp = load(model)
    nlp.config["initialize"]["before_init"] = None
    nlp.config["initialize"]["vectors"] = None
    nlp.config["paths"].update({"train": None, "dev": None, "vectors": None})
    nlp.config.to_disk(model / "config.cfg")
    meta = srsly.read_json(model / "meta.json")
    meta.pop("performance", None)  # on the texts to stop by: the test set's is another
    srsly.write_json(model / "meta.json", meta)
