"""Streamlit on this machine alone, without telemetry and without a word of its own."""

import errno
import importlib.util
import socket
from collections.abc import Sequence
from pathlib import Path

from scripts.cli.errors import ProjectError

HOST = "127.0.0.1"
PAGE = Path(__file__).parent / "page.py"
# On the command line, so that no config file of the user's or variable says otherwise.
OPTIONS = {
    "server.address": HOST,
    "server.headless": True,  # asks for no e-mail address and opens no window
    "server.fileWatcherType": "none",
    "server.maxUploadSize": 20,  # MB
    "browser.gatherUsageStats": False,
    "client.toolbarMode": "minimal",
    "client.showErrorLinks": "false",  # to Google and ChatGPT
    "runner.magicEnabled": False,
    "logger.hideWelcomeMessage": True,
    "logger.level": "warning",
}


def check_installed() -> None:
    """RAISES (ProjectError): The page's library is not there."""
    if importlib.util.find_spec("streamlit") is None:
        raise ProjectError(
            "The page needs Streamlit, which is not installed.",
            "pip install -r requirements-try.txt",
        )


def check_port(port: int) -> None:
    """RAISES (ProjectError): Nobody may listen there, or somebody does."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as err:
            taken = err.errno == errno.EADDRINUSE
            raise ProjectError(
                f"Port {port} is used by another program."
                if taken
                else f"Cannot listen on port {port}: {err.strerror}.",
                f"Choose another one: --vars.try_port {port + 1 if 1024 < port < 65535 else 8502}",
            ) from None


def serve(port: int, arguments: Sequence[str]) -> None:
    """Show the page until Ctrl+C or SIGTERM. arguments: Those of the page, as its sys.argv."""
    from streamlit import net_util
    from streamlit.web import cli

    # When a page of elsewhere calls, Streamlit would ask a service on the network for the machine's
    # address, to compare. There is none to compare with but the one above.
    net_util.get_external_ip = net_util.get_internal_ip = lambda: None

    options = [f"--{name}={value}" for name, value in {**OPTIONS, "server.port": port}.items()]
    cli.main(["run", str(PAGE), *options, "--", *arguments], standalone_mode=False)
