"""All kinds of input files as one: first looked at, then read part by part."""

from collections.abc import Iterator

from scripts.cli.errors import ProjectError
from scripts.scoring import parquet_files, text_files
from scripts.scoring.look import Block, Look
from scripts.scoring.settings import Settings
from scripts.scoring.sources import Source


def look(source: Source, settings: Settings) -> Look:
    """RAISES (ProjectError): It cannot be read, or lacks a column."""
    room = parquet_files if source.kind == ".parquet" else text_files
    seen = room.look(source, settings)
    names = seen.schema.names
    for name in (settings.column, *settings.keep):
        # JSONL without any row has no columns either.
        if name not in names and (names or source.kind in (".parquet", ".csv", ".tsv")):
            of = "text_column" if name == settings.column else "score_keep"
            raise ProjectError(
                f"{source.path} has no column '{name}'.",
                f"Its columns are: {', '.join(names)}. Set one: --vars.{of} NAME",
            )
    return seen


def read(source: Source, seen: Look, part: int, settings: Settings) -> Iterator[Block]:
    room = parquet_files if source.kind == ".parquet" else text_files
    return room.read(source, seen, part, settings)
