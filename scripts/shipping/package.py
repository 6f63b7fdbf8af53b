"""A trained pipeline -> a wheel, by spaCy's own `package`: the same pipeline makes the same bytes,
wherever and whenever it is built."""

import io
import os
import shutil
import sys
from contextlib import redirect_stdout
from pathlib import Path

import click
import srsly
from packaging.version import Version
from spacy.cli.package import package as spacy_package

from scripts.cli.errors import ProjectError, output_of
from scripts.data.pipelines import load
from scripts.shipping.readme import example_text, readme
from scripts.shipping.release import Meta, code_of

# What a zip file says of when its files were changed: seconds since 1970, here the first moment
# that it can say. Whoever sets the variable, as distributions do, is obeyed.
EPOCH = {"SOURCE_DATE_EPOCH": "315532800"}
# spaCy's own setup.py does not say what kind of text the README is.
SETUP = "[metadata]\nlong_description_content_type = text/markdown\n"


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
        # spaCy takes the README that it finds beside the pipeline. Links: the encoder is large.
        shutil.copytree(model, work / "model", copy_function=link)
        if not (work / "model" / "README.md").exists():  # else somebody has written one
            nlp = load(model)
            said = nlp.meta | meta
            text = readme(said, nlp(example_text(said)).cats)
            (work / "model" / "README.md").write_text(text, encoding="utf8")
        _write_sources(work / "model", work, meta["name"])
        shutil.rmtree(work / "model")
        (sources,) = (path for path in work.iterdir() if path.is_dir())
        _even_out(sources)
        # What the build needs is installed with spaCy, so it works without network.
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", str(sources)]
        environment = EPOCH | dict(os.environ)
        output_of(command, "The wheel could not be built.", env=environment, umask=0o022)
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


def link(source: str | Path, target: str | Path) -> None:
    """The same file at two places."""
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)


def _even_out(sources: Path) -> None:
    """What may differ from build to build: the order of requirements, which spaCy keeps in a set,
    and rights, which depend on the user's mask."""
    meta = srsly.read_json(sources / "meta.json")
    meta["requirements"].sort()
    srsly.write_json(sources / "meta.json", meta)
    (sources / "setup.cfg").write_text(SETUP)
    for path in sources.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _write_sources(model: Path, folder: Path, name: str) -> None:
    said = io.StringIO()
    try:
        with redirect_stdout(said):
            spacy_package(
                model,
                folder,
                meta_path=folder / "meta.json",
                code_paths=code_of(model),
                name=name,  # given, it is checked
                create_sdist=False,
                require_parent=True,
                silent=False,
            )
    except SystemExit:
        # What it said last is why; colours are for a terminal.
        reason = click.unstyle(said.getvalue()).rpartition("✘")[2].strip()
        raise ProjectError("The pipeline could not be packaged.", reason) from None
