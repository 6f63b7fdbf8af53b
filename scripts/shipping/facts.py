"""What a package says of itself: the meta.json of a pipeline, filled in."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import srsly

from scripts.cli.errors import ProjectError
from scripts.shipping.release import Meta, fingerprint, read_meta

# Keys of spaCy's meta.json that only a person can fill in.
GIVEN = ("description", "author", "email", "url", "license")
SHOWN = 12  # labels in the description, which is one line


def gather(model: Path, given: Sequence[str], metrics: Path, promise: Path) -> Meta:
    """The pipeline's own meta.json with all that is known when it is packaged. Nothing in it says
    when or where that was: the same pipeline with the same scores has the same.

    given: "key=value" of GIVEN; empty values are left as spaCy has them.
    metrics, promise: Files that `evaluate` and `finish` write. What they say of another pipeline or
        of other labels is left out.
    RAISES (ProjectError): A key that is none of GIVEN.
    """
    meta = read_meta(model) | _given(given)
    meta["fingerprint"] = fingerprint(model)
    parts = {name: _read(model / name / "cfg") for name in meta.get("components", ())}
    meta["label_descriptions"] = {
        label: text
        for part in parts.values()
        for label, text in part.get("label_descriptions", {}).items()
        if text != label
    }
    for part in parts.values():
        # spaCy's own component does not say it, but `distil` of the whole pipeline.
        if part.get("multi_label", meta.get("multi_label")) and "threshold" in part:
            meta |= {"multi_label": True, "threshold": part["threshold"]}
    if "encoder" in meta:  # its fingerprint ends with how many tokens it reads
        meta["max_length"] = int(meta["encoder"].rpartition("-")[2])
    meta["description"] = " ".join((meta["description"] or _describe(meta)).split())
    meta |= _scores(_read(metrics), meta["fingerprint"])
    promised = _read(promise)
    if promised and promised.pop("labels_mark", "") == meta.get("labels_mark"):
        meta["promise"] = promised
    # As it is read back from a released package.
    return dict(srsly.json_loads(srsly.json_dumps(meta)))


def all_labels(meta: Mapping[str, Any]) -> list[str]:
    return [label for labels in meta.get("labels", {}).values() for label in labels]


def labels_by(trained_on: Mapping[str, Any]) -> str:
    """Who labelled what a pipeline learned from, in words."""
    people, machine, model = (trained_on.get(by, 0) for by in ("people", "machine", "model"))
    more = f", {model:,} with a larger model's answers" if model else ""
    labels = "label" if people == 1 else "labels"
    return f"{people:,} {labels} by people, {machine:,} by machine{more}"


def _given(pairs: Sequence[str]) -> dict[str, str]:
    found = {key.strip(): value.strip() for key, _, value in (one.partition("=") for one in pairs)}
    if unknown := sorted(set(found) - set(GIVEN)):
        raise ProjectError(
            f"A package has no '{unknown[0]}' to set.", f"It has: {', '.join(GIVEN)}"
        )
    return {key: value for key, value in found.items() if value}


def _read(path: Path) -> dict[str, Any]:
    return dict(srsly.read_json(path)) if path.is_file() else {}


def _describe(meta: Meta) -> str:
    labels = all_labels(meta)
    shown = labels[:SHOWN] + ([f"{len(labels) - SHOWN} more"] if len(labels) > SHOWN else [])
    named = " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
    kind = "any number of the labels" if meta.get("multi_label") else "one of the labels"
    return f"Text classification: each text gets {kind} {named}"


def _scores(found: Mapping[str, Any], mark: str) -> Meta:
    """spaCy's scores under spaCy's names. How fast it ran is no property of the pipeline."""
    if found.get("fingerprint") != mark:
        return {}
    performance = {key: value for key, value in found.items() if key.startswith("cats_")}
    performance["cats_accuracy"] = found["accuracy"]
    performance["cats_macro_f_interval"] = found["macro_f_interval"]
    return {
        "performance": performance,
        "tested_on": {"texts": found["n"], "per_label": found.get("per_label", {})},
    }
