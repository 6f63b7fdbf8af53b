"""Which room may import which: the arrows of the layout."""

import ast
from pathlib import Path

import pytest
import srsly

ROOT = Path(__file__).parent.parent
# Every room may use `cli`: what is said to the user, and plain errors.
MAY_IMPORT = {
    "cli": set(),
    "data": set(),
    "active_learning": set(),
    "argilla_server": set(),
    "records": {"data", "argilla_server"},
    "loop": {"data", "records", "active_learning"},
    "reporting": {"data", "records", "active_learning", "loop"},
    "shipping": {"data"},
    "trying": {"data", "active_learning", "loop"},
    "scoring": {"data"},
    "distilling": {"data", "loop", "shipping"},
    "benchmarks": {
        *("data", "records", "active_learning", "loop", "shipping", "scoring", "distilling")
    },
}
USES_COMPONENTS = {"", "loop", "shipping", "trying", "scoring", "distilling", "benchmarks"}
# Packages that one room alone knows.
ONLY_IN = {
    "argilla": {"records"},
    "cleanlab": {"active_learning"},
    "onnx": {"shipping"},
    "streamlit": {"trying"},
    "jinja2": {"reporting"},
    "ray": {"scoring"},
}
FILES = sorted((ROOT / "scripts").rglob("*.py"))


def imports(path: Path) -> list[str]:
    """Modules that a file imports, anywhere in it."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} has a relative import"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def room_of(path: Path) -> str:
    """The folder under scripts/, or "" for a command."""
    parts = path.relative_to(ROOT / "scripts").parts
    return parts[0] if len(parts) > 1 else ""


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_what_it_may(path: Path) -> None:
    room = room_of(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] in ONLY_IN:
            assert room in ONLY_IN[parts[0]], f"{name} belongs into {ONLY_IN[parts[0]]}"
        if parts[0] == "components":
            assert room in USES_COMPONENTS, name
        if parts[0] == "scripts":
            target = parts[1] if (ROOT / "scripts" / parts[1]).is_dir() else ""
            assert target, f"{name}: nothing imports a command"
            if room:
                assert target in {room, "cli", *MAY_IMPORT[room]}, name


def test_every_room_is_listed() -> None:
    folders = {path.parent.name for path in (ROOT / "scripts").glob("*/__init__.py")}
    assert folders == set(MAY_IMPORT)


def test_components_import_neither_each_other_nor_the_project() -> None:
    for path in (ROOT / "components").glob("*.py"):
        if path.name not in ("code.py", "__init__.py"):
            assert not [n for n in imports(path) if n.split(".")[0] in ("components", "scripts")]


def test_commands_have_the_names_of_project_yml_and_are_thin() -> None:
    names = {c["name"] for c in srsly.read_yaml(ROOT / "project.yml")["commands"]}
    files = {path.stem: path for path in (ROOT / "scripts").glob("*.py") if path.stem != "__init__"}
    assert {name.replace("-", "_") for name in names} == set(files)
    for name, path in files.items():
        kinds = (ast.FunctionDef, ast.ClassDef)
        defined = [n.name for n in ast.parse(path.read_text()).body if isinstance(n, kinds)]
        # At most one helper beside the command itself; `benchmark` is one command a benchmark.
        assert name == "benchmark" or ("main" in defined and len(defined) <= 2), (name, defined)
