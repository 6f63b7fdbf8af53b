"""A real Argilla server for tests: a pytest plugin with the fixture `argilla_server`.

The server's environment is the one that ARGILLA_SERVER_VENV names, or the project's own
(`.argilla/venv`), which is made if it isn't there yet; data folders are thrown away.
"""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.argilla_server import install, manage
from scripts.argilla_server.manage import Credentials

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((manage.HOST, 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def argilla_venv() -> Iterator[Path]:
    """The server's environment, shared by all servers that the tests start."""
    venv = Path(os.environ.get(install.VENV_VARIABLE) or ROOT / ".argilla" / "venv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(install.VENV_VARIABLE, str(venv))
        install.ensure_venv(venv)
        yield venv


@pytest.fixture(scope="session")
def argilla_home(argilla_venv: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of the running server that tests share."""
    home = tmp_path_factory.mktemp("argilla") / "home"
    manage.start(home, free_port())
    yield home
    manage.stop(home)


@pytest.fixture(scope="session")
def argilla_server(argilla_home: Path) -> Credentials:
    """How to reach the running server that tests share: use data sets of your own."""
    credentials = manage.read_credentials(argilla_home)
    assert credentials is not None
    return credentials
