"""A wheel -> the folder that is its repository on the Hugging Face hub, as `spacy
huggingface-hub push` lays it out: README with the header that the hub reads, the pipeline's files
unpacked, and the wheel under a name that stays the same.

That command itself asks for typer below 0.8, with which spaCy does not start; and it knows no
text categorizer but spaCy's own. pip takes no wheel without a version in its name any more, so the
wheel is there under its own name, too.
"""

import shutil
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from scripts.shipping.package import link
from scripts.shipping.release import Meta, package_name
from scripts.shipping.sources import HUB

TASK = "text-classification"
# Large files, which git does not keep itself: those of spaCy's pipelines and of the encoder.
LARGE = ("*.whl", "*.npz", "*strings.json", "vectors", "model", "*.onnx", "*.onnx.data")
ATTRIBUTES = "".join(f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in LARGE)
# Licences as the hub knows them; it refuses others.
# fmt: off
LICENCES = (
    "apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "gpl-2.0", "gpl-3.0", "agpl-3.0",
    "lgpl-3.0", "mpl-2.0", "unlicense", "openrail", "cc0-1.0", "cc-by-2.0", "cc-by-3.0",
    "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0",
    "cc-by-nc-nd-4.0",
)
# fmt: on


def write_repository(wheel: Path, meta: Meta, folder: Path) -> Path:
    """Write the repository, in place of an earlier one.

    folder: Of all repositories; this one's has the name of the package.
    RETURNS: The repository's folder.
    """
    name = package_name(meta["lang"], meta["name"])
    target, part = folder / name, folder / f".{name}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    with ZipFile(wheel) as archive:
        inside = [one for one in archive.namelist() if one.startswith(f"{name}/")]
        archive.extractall(part, [one for one in inside if one != f"{name}/__init__.py"])
    # All goes to the top: the pipeline's files, then what else is beside its folder.
    package, pipeline = part / name, part / name / f"{name}-{meta['version']}"
    for path in (*pipeline.iterdir(), *package.iterdir()):
        if path != pipeline and not (part / path.name).exists():  # meta.json is in both
            path.rename(part / path.name)
    shutil.rmtree(package)
    card = part / "README.md"
    card.write_text(header(meta) + card.read_text(encoding="utf8"), encoding="utf8")
    (part / ".gitattributes").write_text(ATTRIBUTES)
    shutil.copyfile(wheel, part / wheel.name)
    link(part / wheel.name, part / f"{name}-any-py3-none-any.whl")
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)
    return target


def header(meta: Meta) -> str:
    """What the hub reads of a README: YAML between two lines of dashes."""
    from huggingface_hub import ModelCardData

    results, datasets = _results(meta), _names(meta, f"{HUB}/datasets/")
    encoder = [name for name in _names(meta, f"{HUB}/") if not name.startswith("datasets/")]
    data = ModelCardData(
        language="multilingual" if meta["lang"] == "xx" else meta["lang"],
        **_licence(str(meta.get("license", ""))),
        library_name="spacy",
        pipeline_tag=TASK,
        tags=["spacy", TASK, "active-learning", "argilla"],
        datasets=datasets or None,
        base_model=encoder or None,
        model_name=package_name(meta["lang"], meta["name"]) if results else None,
        eval_results=results or None,
    )
    return f"---\n{data.to_yaml()}\n---\n\n"


def _licence(name: str) -> dict[str, Any]:
    if not name:
        return {}
    known = name.lower().replace(" ", "-").removeprefix("gnu-")
    return {"license": known} if known in LICENCES else {"license": "other", "license_name": name}


def _names(meta: Meta, start: str) -> list[str]:
    """Names on the hub, of the sources whose address begins so."""
    urls = [one.get("url", "") for one in meta.get("sources") or []]
    return [url.removeprefix(start) for url in urls if url.startswith(start)]


def _results(meta: Meta) -> list[Any]:
    """The scores in the form of the hub's model-index."""
    from huggingface_hub import EvalResult

    found, data = meta.get("performance"), meta.get("trained_on", {}).get("data", "held-out texts")
    if not found:
        return []
    metrics = {
        "accuracy": ("Accuracy", "cats_accuracy"),
        "f1": ("Macro F", "cats_macro_f"),
        "precision": ("Macro precision", "cats_macro_p"),
        "recall": ("Macro recall", "cats_macro_r"),
    }
    return [
        EvalResult(
            task_type=TASK,
            task_name="Text classification",
            dataset_type=data,
            dataset_name=f"Held-out texts of {data}",
            metric_type=kind,
            metric_name=name,
            metric_value=found[key],
        )
        for kind, (name, key) in metrics.items()
        if key in found
    ]
