"""What was released, and the version of what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import srsly
from packaging.version import InvalidVersion, Version

from scripts.cli.errors import ProjectError
from scripts.data.packages import digest_of

FIRST = "0.1.0"
# Of a pipeline's meta.json: what another program that uses the package relies on.
PROMISES = ("labels", "multi_label", "encoder")
# Of a package's meta.json: what is not yet known when its version is chosen.
LATER = ("version", "requirements", "vectors")
Meta = dict[str, Any]


@dataclass(frozen=True)
class Release:
    """A package that was built. meta: Its meta.json, with the fingerprint of what is in it.
    wheel: None where somebody has deleted it; its version is taken all the same."""

    version: Version
    meta: Meta
    wheel: Path | None

    @property
    def name(self) -> str:
        return package_name(self.meta["lang"], self.meta["name"])


def package_name(lang: str, name: str) -> str:
    """The name that `spacy package` gives a package: "textcat" -> "en_textcat"."""
    return name if name.startswith(f"{lang}_") else f"{lang}_{name}"


def read_meta(model: Path) -> Meta:
    """RAISES (ProjectError): There is no trained pipeline."""
    if not (model / "meta.json").exists():
        raise ProjectError(f"There is no trained pipeline in {model}.", "Make it: weasel run train")
    return dict(srsly.read_json(model / "meta.json"))


def code_of(model: Path) -> list[Path]:
    """The code that ships beside a pipeline: none where its components are spaCy's own, as those of
    `distil` are."""
    if "classy_textcat" not in (model / "config.cfg").read_text(encoding="utf8"):
        return []
    from components.code import PARTS  # imports them all, and with them spaCy

    return PARTS


def fingerprint(model: Path) -> str:
    """Of all that ships: the files of the pipeline and the code beside them."""
    return digest_of(model, code_of(model))


def releases(packages: Path) -> list[Release]:
    """Every package in the folder, of any name, lowest version first."""
    found = []
    for path in packages.glob("[!.]*/meta.json"):
        meta, wheel = srsly.read_json(path), next((path.parent / "dist").glob("*.whl"), None)
        found.append(Release(Version(meta["version"]), meta, wheel))
    return sorted(found, key=lambda release: release.version)


def wheel_of(model: Path, packages: Path) -> tuple[Meta, Path]:
    """The package of exactly this pipeline; the one built last, if there are several.

    RETURNS: Its meta.json and its wheel.
    RAISES (ProjectError): There is none.
    """
    read_meta(model)
    mark = fingerprint(model)
    found = [
        (one.meta, one.wheel)
        for one in releases(packages)
        if one.wheel and one.meta.get("fingerprint") == mark
    ]
    if not found:
        raise ProjectError(
            f"There is no wheel of {model} in {packages}.", "Make it: weasel run package"
        )
    return max(found, key=lambda pair: pair[1].stat().st_mtime)


def next_version(
    meta: Meta, mark: str, before: Sequence[Release], installed: Version | None = None
) -> tuple[Version, str]:
    """A version above all that were released, so that `pip install` upgrades.

    The last number rises when the pipeline was trained again, or when other things are said of it;
    the middle one when its labels or its encoder are others; the same pipeline as in the last
    release, of which the same is said, keeps its version.

    meta, mark: The package's meta.json and the pipeline's fingerprint. before: Releases of the same
        name.
    installed: The version in this environment, whose package may have been built elsewhere.
    RETURNS: The version, and why it is this one.
    """
    last = before[-1] if before else None
    highest = max(
        [one.version for one in before] + ([installed] if installed else []), default=None
    )
    if highest is None:
        return Version(FIRST), "the first release"
    again = "trained again"
    if last and last.version == highest:
        if is_same(last, meta, mark):
            return highest, "built before, and nothing has changed"
        if last.meta.get("fingerprint") == mark:
            again = "the same pipeline, of which other things are said"
        known = {key: last.meta[key] for key in PROMISES if key in last.meta}
        other = [key.replace("_", "-") for key in known if known[key] != meta.get(key)]
        if other:
            version = Version(f"{highest.major}.{highest.minor + 1}.0")
            return version, f"after {highest}, with other {' and '.join(other)}"
    version = Version(f"{highest.major}.{highest.minor}.{highest.micro + 1}")
    return version, f"after {highest}, {again}"


def is_same(release: Release, meta: Meta, mark: str) -> bool:
    """Has the release this pipeline, and does its meta.json say the same?"""
    # A key that only one of them has counts, too: a promise may have been taken back.
    first, second = (
        {key: value for key, value in one.items() if key not in LATER}
        for one in (release.meta, {**meta, "fingerprint": mark})
    )
    return first == second


def choose_version(meta: Meta, name: str, packages: Path, fixed: str) -> tuple[Version, str]:
    """The version that the user has fixed, or else the next one.

    meta: Of the package, with the pipeline's fingerprint.
    RAISES (ProjectError): It is no version, or something else was released with it.
    """
    before, mark = [one for one in releases(packages) if one.name == name], meta["fingerprint"]
    try:
        installed = Version(installed_version(name))
    except PackageNotFoundError:
        installed = None
    automatic = next_version(meta, mark, before, installed)
    if not fixed:
        return automatic
    try:
        version = Version(fixed)
    except InvalidVersion:
        raise ProjectError(
            f"'{fixed}' is no version.",
            "Set --vars.package_version to one such as 1.0.0, or to '' for the next one.",
        ) from None
    if any(one.version == version and not is_same(one, meta, mark) for one in before):
        raise ProjectError(
            f"{name} {version} was released already, with another model or README.",
            f"Set --vars.package_version to another version, or to '' for {automatic[0]}.",
        )
    return version, "as set by package_version"
