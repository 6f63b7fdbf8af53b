"""Probabilities as targets of spaCy's own text categorizers.

Their loss takes any targets: the gradient is scores minus targets, which with a softmax or a
logistic output is that of the cross-entropy. Only their check of the labels (E851) refuses all but
0 and 1. It is put aside on the component that is trained, in this process: what is saved is spaCy's
own component and nothing else.
"""

from collections.abc import Callable
from typing import Any

from spacy.language import Language
from spacy.util import registry


@registry.callbacks("distil.soft_targets.v1")
def make_soft_targets() -> Callable[[Language], Language]:
    """For [initialize.before_init] of a config."""

    def accept(nlp: Language) -> Language:
        for _, pipe in nlp.pipeline:
            if hasattr(pipe, "_validate_categories"):
                soft: Any = pipe
                soft._validate_categories = lambda examples: None
        return nlp

    return accept
