"""What `[initialize.components.classy_textcat]` reads beside the examples. Nobody who loads a
package needs it, but who trains it again does."""

from pathlib import Path

import srsly
from spacy.util import registry


@registry.readers("classy_textcat.read_texts.v1")
def read_texts(path: str | Path | None = None) -> list[str] | None:
    """Unlabelled texts: the "text" of each line of a JSONL file; None without a file."""
    return [row["text"] for row in srsly.read_jsonl(path)] if path and Path(path).exists() else None


@registry.readers("classy_textcat.read_descriptions.v1")
def read_descriptions(path: str | Path | None = None) -> dict[str, str] | None:
    """What the labels mean: a JSON file {label: description}; None without a file."""
    return dict(srsly.read_json(path)) if path and Path(path).exists() else None
