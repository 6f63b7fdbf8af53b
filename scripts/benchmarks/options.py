"""Options that several benchmarks share, and the data that they name."""

from pathlib import Path
from typing import Annotated, Any

import typer

from scripts.cli.errors import ProjectError

Encoder = Annotated[Path, typer.Option(help="Exported encoder")]
Model = Annotated[str, typer.Option(help="The same model for sentence-transformers")]
DEFAULT_ENCODER = Path("assets/encoder")
DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"

Sources = Annotated[
    list[str], typer.Argument(help="bbc_news, or files with columns text and label")
]
Cache = Annotated[Path, typer.Option(help="Where embeddings are kept")]
DEFAULT_CACHE = Path("metrics/embeddings")
Seeds = Annotated[int, typer.Option(help="Random splits into pool and test")]
FirstSeed = Annotated[
    int, typer.Option(help="First of the seeds, as for splits that no setting was chosen on")
]
Names = Annotated[
    bool, typer.Option(help="Tell the heads the names of the labels only, no descriptions")
]
Head = Annotated[str, typer.Option(help="Registered as classy_head.NAME.v1")]


def embed_all(sources: list[str], encoder: Path, cache: Path) -> list[Any]:
    return [one for _, one in embed_named(sources, encoder, cache)]


def embed_named(sources: list[str], encoder: Path, cache: Path) -> list[tuple[str, Any]]:
    """With the names that were given. What is not here is skipped, and said so."""
    from scripts.benchmarks.corpora import embed
    from scripts.cli.console import msg

    found = []
    for source in sources:
        try:
            found.append((source, embed(source, encoder, cache)))
        except ProjectError as err:
            msg.warn(f"{source} is skipped: {err}")
    return found
