"""Train the text categorizer of an installed package again, by `spacy train` with a config that has

    [components.classy_textcat]
    source = "en_textcat"

    [initialize.after_init]
    @callbacks = "classy_textcat.retrain.v1"

spaCy does not initialize what it takes from another pipeline, as that would lose what a network has
learned. Here all learning is in `initialize`, so this does it, with the config's own corpus.
"""

from collections.abc import Callable
from typing import Any

from spacy.language import Language
from spacy.util import registry, resolve_dot_names


@registry.callbacks("classy_textcat.retrain.v1")
def make_retrain(
    name: str = "classy_textcat", corpus: str | None = None
) -> Callable[[Language], Language]:
    """Initialize one component of a pipeline on all examples of a corpus, with its own settings in
    [initialize.components].

    name: of the component. corpus: where it is in the config; by default [training] train_corpus.
    """

    def retrain(nlp: Language) -> Language:
        config = nlp.config.interpolate()
        (read,) = resolve_dot_names(config, [corpus or config["training"]["train_corpus"]])
        component: Any = nlp.get_pipe(name)
        settings = registry.resolve(config["initialize"]["components"].get(name, {}))
        component.initialize(lambda: read(nlp), nlp=nlp, **settings)
        return nlp

    return retrain
