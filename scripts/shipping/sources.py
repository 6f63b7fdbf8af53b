"""Whose work is in a pipeline, as spaCy's meta.json lists it: name, url, author, license."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.data.sources import DEMO, KNOWN

Source = dict[str, str]
HUB = "https://huggingface.co"
# What the demo's texts are, by those who collected them.
DEMO_SOURCE = {
    "name": "BBC News",
    "url": "http://mlg.ucd.ie/datasets/bbc.html",
    "author": "Greene & Cunningham, texts by the BBC",
    "license": "for research, texts copyright of the BBC",
}
TOOLS = [
    {
        "name": "classy-classification",
        "url": "https://github.com/davidberenstein1957/classy-classification",
        "author": "David Berenstein",
        "license": "MIT",
    },
    {
        "name": "Argilla",
        "url": "https://github.com/argilla-io/argilla",
        "author": "Argilla",
        "license": "Apache-2.0",
    },
]


def sources(data: Mapping[str, Any], encoder: Mapping[str, Any]) -> list[Source]:
    """The texts, the sentence encoder and the tools. Of a local file or folder the name alone: its
    path says something of a machine.

    data: What `prepare` says of the corpus. encoder: Its settings; {} for one of another kind.
    """
    found = [_data(str(data["dataset"]), str(data["name"]))]
    if name := str(encoder.get("model", "")):
        found.append(_encoder(name))
    return [*found, *TOOLS]


def _data(dataset: str, name: str) -> Source:
    if dataset == DEMO:
        return DEMO_SOURCE
    if _is_local(dataset) or "/" not in dataset:
        return {"name": name}
    owner = dataset.partition("/")[0]
    return {"name": dataset, "url": f"{HUB}/datasets/{dataset}", "author": owner}


def _encoder(name: str) -> Source:
    local = _is_local(name)
    found = {"name": Path(name).name if local else name}
    if not local:
        found |= {"url": f"{HUB}/{name}", "author": name.partition("/")[0]}
    licence = _licence(name)
    return found | ({"license": licence} if licence else {})


def _is_local(name: str) -> bool:
    path = Path(name)
    return path.exists() or path.is_absolute() or path.suffix.lower() in KNOWN


def _licence(encoder: str) -> str:
    """What the encoder's own card says, where it is on this machine; else ""."""
    from huggingface_hub import ModelCard, try_to_load_from_cache

    from scripts.shipping.encoder import find_model

    card = Path(find_model(encoder)[0]) / "README.md"
    try:
        if not card.exists() and isinstance(
            cached := try_to_load_from_cache(encoder, "README.md"), str
        ):
            card = Path(cached)
        return str(ModelCard.load(card).data.license or "") if card.is_file() else ""
    except ValueError:  # no name of the hub, no card, or one that is no YAML
        return ""
