"""Making spaCy pipelines and training them without importing what they do not use: that is most of
the time that a command takes to start."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

import spacy
from spacy.language import Language

from scripts.cli.errors import ProjectError

Made = TypeVar("Made")
# spaCy's error for a component that nothing has registered.
NO_FACTORY = "[E002]"


def lean(make: Callable[[], Made]) -> Made:
    """What `make` returns, which makes or loads pipelines on its way.

    Before it makes the first one, spaCy imports every plugin that brings components, whether the
    pipeline has any of them or not. Here these are classy-classification and spacy-transformers,
    with transformers and torch's compiler behind them. So they are imported only if a component is
    missing without them.
    """
    plugins: Any = spacy.registry._entry_point_factories  # catalogue.Registry
    plugins.entry_points = False
    try:
        return make()
    except ValueError as err:
        if NO_FACTORY not in str(err):
            raise
    finally:
        plugins.entry_points = True
    return make()


def load(source: str | Path) -> Language:
    """As spacy.load.

    RAISES (ProjectError): It cannot be loaded, as it is damaged or needs what is not installed.
    """
    try:
        return lean(lambda: spacy.load(source))
    except Exception as err:  # whatever spaCy and the components say of it
        raise ProjectError(
            f"The pipeline '{source}' cannot be loaded.",
            str(err).strip()[-2000:] or type(err).__name__,
        ) from err


def blank(lang: str) -> Language:
    """As spacy.blank."""
    return lean(lambda: spacy.blank(lang))


class Categorizer(NamedTuple):
    """pipe: The component that says what `doc.cats` are. threshold: The score from which a text has
    a label; None where it has exactly one."""

    pipe: Any
    labels: tuple[str, ...]
    threshold: float | None


def categorizer(nlp: Language, name: object) -> Categorizer:
    """Of any pipeline: `classy_textcat`, or one of spaCy's own.

    name: What the message calls the pipeline.
    RAISES (ProjectError): It has none.
    """
    for pipe_name, pipe in reversed(nlp.pipeline):
        made: Any = pipe
        meta = nlp.get_pipe_meta(pipe_name)
        if "doc.cats" in meta.assigns and getattr(made, "labels", None):
            labels = tuple(made.labels)
            several = getattr(made, "multi_label", meta.factory == "textcat_multilabel")
            # One label is given or not; the highest of one is no decision.
            several = several or len(labels) == 1
            threshold = made.cfg.get("threshold")
            threshold = 0.5 if threshold is None else float(threshold)
            return Categorizer(made, labels, threshold if several else None)
    raise ProjectError(
        f"{name} does not classify texts: no trained component of it sets doc.cats.",
        f"Its components are: {', '.join(nlp.pipe_names) or 'none'}.",
    )


class SentenceTransformer:
    """Stands for the class of that name, which is imported when somebody makes one."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        from sentence_transformers import SentenceTransformer as Real

        return Real(*args, **kwargs)


def import_classy() -> None:
    """Import classy-classification before the component does, but not sentence-transformers with
    it: classy embeds with one class of that, where here the pipeline's own encoder does it."""
    name = "sentence_transformers"
    if name in sys.modules or "classy_classification" in sys.modules:
        return
    stand_in: Any = ModuleType(name)
    stand_in.SentenceTransformer = SentenceTransformer
    sys.modules[name] = stand_in
    try:
        import classy_classification  # noqa: F401
    finally:
        del sys.modules[name]
