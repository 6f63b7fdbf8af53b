"""Pipelines that are installed, found without importing any of them."""

from importlib.metadata import entry_points


def installed() -> list[str]:
    """Their names. Not by spaCy's get_installed_models, which imports them all."""
    return sorted(entry_points(group="spacy_models").names)


def package_called(name: str) -> str | None:
    """The one of this name, also without its language, or with dashes, as pip writes it."""
    wanted = name.replace("-", "_")
    found = [one for one in installed() if wanted in (one, one.partition("_")[2])]
    return found[0] if found else None
