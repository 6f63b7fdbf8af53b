"""A trained pipeline -> a wheel, by spaCy's own `package`."""

import io
import shutil
import sys
from contextlib import redirect_stdout
from pathlib import Path

import click
import srsly
from packaging.version import Version
from spacy.cli.package import package as spacy_package

from components.code import PARTS
from scripts.cli.errors import ProjectError, output_of
from scripts.shipping.release import Meta


def build(model: Path, meta: Meta, version: Version, packages: Path) -> Path:
    """Build the wheel and put it, its meta.json and its README into a folder of its version.

    meta: What the package's meta.json says beside what spaCy writes there.
    RETURNS: The wheel.
    RAISES (ProjectError): spaCy or the build refuses; what was released before stays as it was.
    """
    # A folder beside the others, so that it can be moved in one go; an interrupted build left it.
    work = packages / ".build"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        srsly.write_json(work / "meta.json", {**meta, "version": str(version)})
        _write_sources(model, work, meta["name"])
        (sources,) = (path for path in work.iterdir() if path.is_dir())
        # What the build needs is installed with spaCy, so it works without network.
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", str(sources)]
        output_of(command, "The wheel could not be built.")
        # A copy of the encoder in every version's folder would fill the disk: the wheel has it.
        for path in sources.iterdir():
            if path.name not in ("dist", "meta.json", "README.md"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        target = packages / sources.name
        shutil.rmtree(target, ignore_errors=True)
        sources.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    (wheel,) = (target / "dist").glob("*.whl")
    return wheel


def _write_sources(model: Path, folder: Path, name: str) -> None:
    said = io.StringIO()
    try:
        with redirect_stdout(said):
            spacy_package(
                model,
                folder,
                meta_path=folder / "meta.json",
                code_paths=PARTS,
                name=name,  # given, it is checked
                create_sdist=False,
                require_parent=True,
                silent=False,
            )
    except SystemExit:
        # What it said last is why; colours are for a terminal.
        reason = click.unstyle(said.getvalue()).rpartition("✘")[2].strip()
        raise ProjectError(f"{model} could not be packaged.", reason) from None
