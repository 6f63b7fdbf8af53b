"""What the page shows, opened once a process: by the command, which so can say what is wrong."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

from scripts.trying.neighbours import Neighbours, open_neighbours
from scripts.trying.pipeline import Pipeline, open_pipeline


class Opened(NamedTuple):
    """neighbours: None without labelled texts, or without an encoder."""

    pipeline: Pipeline
    neighbours: Neighbours | None


@cache
def opened(model: str, labelled: str, embeddings: str) -> Opened:
    """labelled: "" for none. embeddings: Folder of the loop's cache.

    RAISES (ProjectError): There is no such pipeline or file.
    """
    pipeline = open_pipeline(model)
    if not labelled or pipeline.encoder is None:
        return Opened(pipeline, None)
    return Opened(pipeline, open_neighbours(pipeline, Path(labelled), Path(embeddings)))
