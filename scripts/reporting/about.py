"""With which settings and which versions a report was made."""

import hashlib
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from confection import Config
from weasel.util.config import parse_config_overrides

from scripts.data.corpus import read_name
from scripts.loop.learner import Learner
from scripts.loop.settings import Settings, read_textcat

PACKAGES = (
    *("spacy", "classy-classification", "scikit-learn", "numpy", "onnxruntime", "tokenizers"),
    *("argilla", "cleanlab", "matplotlib", "weasel"),
)


class Named(NamedTuple):
    name: str
    value: str


def loop_settings(settings: Settings, path: Path, overrides: Sequence[str]) -> list[Named]:
    """Every setting of the loop as it counts, those that the file leaves out too.

    path, overrides: As they were loaded: what a function was made of stands there alone.
    """
    given = parse_config_overrides(list(overrides), env_var=None)  # which empties the list
    config = Config().from_disk(path, overrides=given)
    return [
        Named(name, _in_words(value))
        for block, values in settings
        for name, value in _flat(_readable(dict(values), config.get(block, {})), f"{block}.")
    ]


def pipeline_settings(settings: Settings) -> list[Named]:
    """What the pipeline's config says of the component."""
    block = read_textcat(settings.paths.pipeline)
    return [Named(name, _in_words(value)) for name, value in _flat(block)]


def versions(settings: Settings, learner: Learner, model: str) -> list[Named]:
    """Of the data, the model and the packages. model: What Argilla calls it."""
    corpus = settings.paths.corpus
    encoder = learner.encoder_settings or {}
    pool = hashlib.sha256((corpus / "pool.jsonl").read_bytes()).hexdigest()[:16]
    found = [
        Named("data", read_name(corpus)),
        Named("pool", f"{len(learner.pool):,} texts, SHA-256 {pool}…"),
        Named("model", model),
        Named("encoder", str(encoder.get("model", "of the user's own"))),
    ]
    if "fingerprint" in encoder:
        found.append(
            Named("encoder's fingerprint", f"{encoder['fingerprint']}, {encoder['precision']}")
        )
    found.append(Named("Python", platform.python_version()))
    return [*found, *(Named(name, _version(name)) for name in PACKAGES)]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _readable(values: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The same with functions as the config writes them."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if is_dataclass(value) and not callable(value):
            value = asdict(value)
        found[name] = config.get(name, "of the user's own") if callable(value) else value
    return found


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _in_words(value: Any) -> str:
    """As in a config, but for quotes."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value) or '""'
