"""docker-compose.yml: valid, with variables that Argilla reads, and no secret of its own."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import srsly

ROOT = Path(__file__).parent.parent
FILE = ROOT / "docker-compose.yml"
SERVICES = srsly.read_yaml(FILE)["services"]


def test_it_keeps_to_the_compose_specification() -> None:
    pytest.importorskip("check_jsonschema")  # which carries the specification's schema
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    done = subprocess.run(
        [*command, "vendor.compose-spec", str(FILE)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_argilla_reads_every_variable_and_value(argilla_venv: Path, tmp_path: Path) -> None:
    """The installed server's own settings classes, in its environment."""
    program = """
import inspect, json, os, sys
from argilla_server.settings import Settings
from argilla_server.security.settings import Settings as Security
from argilla_server.cli.worker import worker
# Afterwards: the driver of PostgreSQL, which the import wants, is in the image alone.
os.environ.update(json.loads(sys.argv[1]))
for kind in (Settings, Security):
    settings = kind()
    for name in kind.model_fields:
        print(kind.Config.env_prefix + name.upper(), getattr(settings, name), sep="=")
print(*inspect.signature(worker).parameters)
"""
    given = SERVICES["argilla"]["environment"]
    secrets = dict.fromkeys(re.findall(r"\$\{(\w+)", FILE.read_text()), "x" * 40)
    values = {"ARGILLA_HOME_PATH": str(tmp_path)} | {
        name: re.sub(r"\$\{(\w+):[?-]([^}]*)\}", lambda m: secrets[m[1]], value)
        for name, value in given.items()
        if name != "ARGILLA_HOME_PATH"
    }
    read = subprocess.run(
        [argilla_venv / "bin" / "python", "-c", program, json.dumps(values)],
        env={"PATH": os.environ["PATH"], "ARGILLA_HOME_PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    settings = dict(line.split("=", 1) for line in read[:-1])
    ours = {name for name in given if name.startswith("ARGILLA_")}
    assert ours <= set(settings)
    plain = ours - {"ARGILLA_HOME_PATH", "ARGILLA_CORS_ORIGINS"}
    assert {name: settings[name] for name in plain} == {name: values[name] for name in plain}
    assert settings["ARGILLA_CORS_ORIGINS"] == f"['{'x' * 40}']"
    assert settings["ARGILLA_ENABLE_TELEMETRY"] == "False"
    assert "num_workers" in read[-1].split()
    assert SERVICES["worker"]["command"][:4] == ["python", "-m", "argilla_server", "worker"]


def test_the_worker_has_what_the_server_has_and_waits_for_it() -> None:
    server, worker = SERVICES["argilla"], SERVICES["worker"]
    assert server["image"] == worker["image"]
    requirements = (ROOT / "scripts/argilla_server/requirements.txt").read_text()
    assert server["image"].split(":")[1] == re.findall(r"argilla-server==(\S+)", requirements)[0]
    settings = {k: v for k, v in server["environment"].items() if k.startswith(("ARGILLA", "HF"))}
    assert worker["environment"] == settings
    assert worker["depends_on"]["argilla"] == {"condition": "service_healthy"}
    for name in server["depends_on"]:
        assert SERVICES[name]["healthcheck"]
        assert "ports" not in SERVICES[name]


def test_there_are_no_default_secrets_and_the_docs_makes_all() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|API_KEY|SECRET", name):
                assert re.fullmatch(r"\$\{\w+:\?.*\}", value), name
    needed = set(re.findall(r"\$\{(\w+):\?", FILE.read_text()))
    docs = (ROOT / "docs" / "argilla.md").read_text()
    made = set(re.findall(r"^echo \"?(\w+)=", docs, re.MULTILINE))
    assert needed == made
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()
