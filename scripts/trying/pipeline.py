"""Any spaCy pipeline that sets `doc.cats`, from a folder or an installed package."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from scripts.active_learning.decisions import decide
from scripts.cli.errors import ProjectError


class Result(NamedTuple):
    """What a pipeline says of a text. given: The labels by its own threshold, none included.
    certainty: Of that decision as a whole."""

    text: str
    cats: dict[str, float]
    given: tuple[str, ...]
    certainty: float


@dataclass(frozen=True)
class Pipeline:
    """A loaded pipeline. name: Of the package, or the folder. threshold: The probability from which
    a text has a label; None where it has exactly one. encoder: What embeds a text (`encode` gives
    (n, dim)); None in a pipeline that has no sentence encoder."""

    name: str
    meta: dict[str, Any]
    nlp: Any
    labels: tuple[str, ...]
    threshold: float | None
    encoder: Any
    # Several pages may ask at once, and a pipeline's store of strings is one for all.
    lock: threading.Lock

    def classify(self, texts: Sequence[str]) -> list[Result]:
        with self.lock:
            docs = list(self.nlp.pipe(texts))
        probs = np.array([[doc.cats[label] for label in self.labels] for doc in docs])
        probs = probs.reshape(len(docs), len(self.labels))
        chosen, certainty = decide(probs, self.threshold)
        rows = np.eye(len(self.labels), dtype=int)[chosen] if chosen.ndim == 1 else chosen
        return [
            Result(
                doc.text,
                dict(zip(self.labels, map(float, scores), strict=True)),
                tuple(label for label, on in zip(self.labels, row, strict=True) if on),
                float(sure),
            )
            for doc, scores, row, sure in zip(docs, probs, rows, certainty, strict=True)
        ]


def open_pipeline(name: str) -> Pipeline:
    """Load it.

    name: A folder, or an installed package, with or without its language (`textcat`, `en_textcat`).
    RAISES (ProjectError): It is neither, or it does not load or classify.
    """
    source = _find(name)
    from scripts.data.pipelines import load

    if isinstance(source, Path):
        import components.code  # noqa: F401  (a package brings its own)
    try:
        nlp = load(source)
    except Exception as err:  # whatever spaCy and the components say of a damaged pipeline
        raise ProjectError(
            f"The pipeline '{name}' cannot be loaded.", str(err) or type(err).__name__
        ) from None
    setters = [n for n in nlp.pipe_names if "doc.cats" in nlp.get_pipe_meta(n).assigns]
    labels = nlp.get_pipe(setters[-1]).labels if setters else ()  # type: ignore[attr-defined]
    if not labels:
        raise ProjectError(
            f"The pipeline '{name}' does not classify texts.",
            "It has no trained component that sets doc.cats.",
        )
    pipe: Any = nlp.get_pipe(setters[-1])
    # spaCy's own components are two factories; `classy_textcat` says it in its settings.
    several = nlp.get_pipe_meta(setters[-1]).factory == "textcat_multilabel"
    several = pipe.cfg.get("multi_label", several) or len(labels) == 1
    return Pipeline(
        str(source),
        dict(nlp.meta),
        nlp,
        tuple(labels),
        float(pipe.cfg.get("threshold", 0.5)) if several else None,
        getattr(pipe, "encoder", None),
        threading.Lock(),
    )


def _find(name: str) -> Path | str:
    """The folder, or the full name of the installed package."""
    folder, wanted = Path(name), name.replace("-", "_")
    if (folder / "meta.json").exists():
        return folder
    # Not spaCy's get_installed_models, which imports them all: two of different age do not mix.
    installed = sorted(entry_points(group="spacy_models").names)
    found = [one for one in installed if wanted in (one, one.partition("_")[2])]
    if found:
        return found[0]
    if folder.suffix == ".whl" and folder.exists():
        raise ProjectError(
            f"{name} is a wheel, which must be installed first.",
            f"pip install {name}\nThen give its name: --vars.try_model {folder.name.split('-')[0]}",
        )
    there = f" Installed are: {', '.join(installed)}." if installed else ""
    raise ProjectError(
        f"There is no trained pipeline '{name}': no such folder, and no such installed package.",
        f"Train one: weasel run train\nOr name one: --vars.try_model NAME.{there}",
    )
