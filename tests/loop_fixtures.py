"""A data set of its own on the shared server, for every test of the loop."""

import itertools
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.argilla_server.manage import Credentials
from scripts.data.corpus import Pool, read_gold
from scripts.loop.learner import Learner
from scripts.loop.session import open_loop
from scripts.loop.settings import Settings, load_settings
from scripts.records.dataset import LoopDataset
from tests.small_data import write_pipelines

Loop = tuple[LoopDataset, Learner, Pool]


def context_of(overrides: Sequence[str]) -> Any:
    """What typer gives a command that is called with these."""
    return SimpleNamespace(args=list(overrides))


def new_name() -> str:
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def pipelines(encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the project's pipeline configs, which find the tests' encoder."""
    return write_pipelines(encoder_folder, tmp_path_factory.mktemp("configs"))


@pytest.fixture
def overrides(
    argilla_server: Credentials,
    small_corpus: Path,
    pipelines: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> list[str]:
    """Settings for a data set of its own on the shared server, reached as a team's would be."""
    monkeypatch.setenv("ARGILLA_API_URL", argilla_server.api_url)
    monkeypatch.setenv("ARGILLA_API_KEY", argilla_server.api_key)
    found = {
        "paths.corpus": small_corpus,
        "paths.pipeline": pipelines / "textcat.cfg",
        "paths.cache": small_corpus / "embeddings",
        "argilla.dataset": new_name(),
        "loop.seed_size": 6,
        "loop.queue": 0,
        "loop.budget": 30,
    }
    return list(itertools.chain(*((f"--{k}", str(v)) for k, v in found.items())))


@pytest.fixture
def settings(overrides: list[str]) -> Callable[..., Settings]:
    def load(*more: object, path: Path = Path("configs/loop.cfg")) -> Settings:
        return load_settings(path, [*overrides, *map(str, more)])

    return load


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[Loop, dict[str, list[str]]]]:
    with open_loop(settings) as loop:
        yield loop, read_gold(settings.paths.corpus)
