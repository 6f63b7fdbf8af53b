"""Imports Argilla's server, without its habit of copying its page at every import.

It copies 1,300 files to a temporary folder to fill in a base URL in eleven of them. On a slow
disk it takes ten seconds to delete them again.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TEMPLATE = "@@baseUrl@@"
TEMPLATE_SUFFIXES = (".js", ".html")


def import_app() -> Any:
    """Give Argilla's ASGI app; our search engine is registered with it."""
    with _copying_templates_only():
        import argilla_server
        from argilla_server import app

    page = Path(argilla_server.__file__).parent / "static"
    for route in app.routes:
        if route.name == "static":
            route.app.all_directories.append(page)

    # The server looks the search engine up by its name, which this import registers.
    import scripts.argilla_server.engine  # noqa: F401

    return app


@contextmanager
def _copying_templates_only() -> Iterator[None]:
    original = shutil.copytree
    shutil.copytree = _copy_templates  # type: ignore[assignment]
    try:
        yield
    finally:
        shutil.copytree = original


def _copy_templates(source: Path, target: str) -> str:
    for path in Path(source).rglob("*"):
        if path.suffix in TEMPLATE_SUFFIXES:
            content = path.read_text(encoding="utf8")
            if TEMPLATE in content:
                copy = Path(target) / path.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_text(content, encoding="utf8")
    return target
