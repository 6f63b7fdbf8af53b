"""One file for `--code` of `spacy train`, `evaluate` and `debug`, run from the repo root: it
imports the files beside it, and says which they are: all of them ship in a package."""

from importlib import import_module
from pathlib import Path

# Files that stand alone and meet in spaCy's registry, so their order does not matter.
PARTS = sorted(
    path for path in Path(__file__).parent.glob("*.py") if path.stem not in ("__init__", "code")
)
for part in PARTS:
    import_module(f"components.{part.stem}")
