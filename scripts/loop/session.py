"""What every command of the loop opens first."""

from collections.abc import Iterator
from contextlib import contextmanager

from scripts.data.corpus import Pool, read_labels, read_pool
from scripts.loop.learner import Learner
from scripts.loop.lease import lease
from scripts.loop.settings import Settings
from scripts.records.client import argilla_client
from scripts.records.dataset import LoopDataset


@contextmanager
def open_loop(settings: Settings, make: bool = True) -> Iterator[tuple[LoopDataset, Learner, Pool]]:
    """The data set in Argilla, the learner and the pool.

    make: Whether the data set is made if it is not there yet.
    RAISES (ProjectError): A file is missing or wrong, or Argilla cannot be used.
    """
    paths = settings.paths
    labels, pool = read_labels(paths.corpus), read_pool(paths.corpus)
    learner = Learner(paths.pipeline, paths.cache, labels, pool)
    with argilla_client(paths.argilla) as client:
        with lease(paths.corpus, "step"):  # two that make the data set would be in each other's way
            dataset = LoopDataset.open(client, settings.argilla, labels, learner.dim, create=make)
        yield dataset, learner, pool
