"""Pipelines on this machine, in a folder or installed, found without importing any of them."""

import hashlib
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path

from scripts.cli.errors import ProjectError


def find(name: str, setting: str) -> Path | str:
    """The folder of a trained pipeline, or the full name of its installed package.

    name: Of a package also without its language, or with dashes, as pip writes it.
    setting: The var that names it, for the messages.
    RAISES (ProjectError): It is neither.
    """
    folder, wanted = Path(name), name.replace("-", "_")
    if (folder / "meta.json").exists():
        return folder
    # Not by spaCy's get_installed_models, which imports them all. Of pipelines alone: another
    # package, such as numpy, would be found and fail in spaCy.
    installed = sorted(entry_points(group="spacy_models").names)
    for one in installed:
        if wanted in (one, one.partition("_")[2]):
            return one
    if folder.suffix == ".whl" and folder.exists():
        short = folder.name.split("-")[0]
        raise ProjectError(
            f"{name} is a wheel, which must be installed first.",
            f"pip install {name}\nThen give its name: --vars.{setting} {short}",
        )
    there = f" Installed are: {', '.join(installed)}." if installed else ""
    raise ProjectError(
        f"There is no trained pipeline '{name}': no such folder, and no such installed package.",
        f"Train one: weasel run train\nOr name one: --vars.{setting} NAME.{there}",
    )


def digest_of(folder: Path, beside: Sequence[Path] = ()) -> str:
    """Of all files of a pipeline, with the code in its package, and of code beside it."""
    inside = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    names = [path.relative_to(folder).as_posix() for path in inside]
    digest = hashlib.sha256()
    for name, path in zip([*names, *(p.name for p in beside)], [*inside, *beside], strict=True):
        digest.update(f"{name} {path.stat().st_size} ".encode())
        with path.open("rb") as file:
            while chunk := file.read(2**20):
                digest.update(chunk)
    return digest.hexdigest()[:32]
