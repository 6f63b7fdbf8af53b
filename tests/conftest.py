"""What several rooms' tests share: the real encoder, a small real corpus, the real server."""

from pathlib import Path

import pytest

from tests.small_data import prepare_corpus, read_headlines

pytest_plugins = ["tests.argilla_server.fixtures", "tests.loop_fixtures"]

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default encoder, exported once; the project's own if it is there already."""
    ready = ROOT / "assets" / "encoder"
    if (ready / "encoder.json").exists():
        return ready
    from scripts.shipping.encoder import export

    folder = tmp_path_factory.mktemp("encoder")
    export("sentence-transformers/all-MiniLM-L6-v2", folder)
    return folder


@pytest.fixture(scope="session")
def headlines() -> list[dict[str, str]]:
    """Headlines of BBC News, 60 a topic: short, so that they are embedded in a moment."""
    return read_headlines()


@pytest.fixture(scope="session")
def small_corpus(headlines: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared corpus/ of 120 headlines in the pool and 60 in the test set."""
    return prepare_corpus(headlines, tmp_path_factory.mktemp("data"))
