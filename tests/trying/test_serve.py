"""`weasel run try` as it is run: what it says, where it listens, and that nothing leaves."""

import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from scripts.trying.serve import HOST
from tests.browser import chromium
from tests.trying.test_page import EVIL

ROOT = Path(__file__).parents[2]
# Tells of every address that the command asks for, or connects to.
LISTENING_IN = """
import runpy, sys
def hook(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        print("asked for", args, file=sys.stderr, flush=True)
sys.addaudithook(hook)
runpy.run_module("scripts.try", run_name="__main__")
"""


def fails(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command, which must end in one plain message. RETURNS: It."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["try", *arguments])
        with pytest.raises(SystemExit) as left:
            runpy.run_module("scripts.try", run_name="__main__")
    assert left.value.code == 1
    return " ".join("".join(capsys.readouterr()).split())


def test_plain_messages(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = fails(capsys, str(tmp_path / "training"))
    assert "There is no trained pipeline" in words
    assert "weasel run train" in words
    with socket.create_server((HOST, 0)) as taken:
        words = fails(capsys, "--port", str(taken.getsockname()[1]))
    assert "is used by another program" in words
    assert "--vars.try_port" in words
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "streamlit", None)  # as where it is not installed
        assert "pip install -r requirements-try.txt" in fails(capsys)


def test_a_labelled_file_that_is_named_must_be_there(
    capsys: pytest.CaptureFixture[str], model: Path, tmp_path: Path
) -> None:
    words = fails(capsys, str(model), "--labelled", str(tmp_path / "gone.jsonl"))
    assert f"There is no file {tmp_path / 'gone.jsonl'}" in words


@pytest.fixture(scope="module")
def server(
    model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    """The command in a folder without corpus/, with a file of texts. It, its address, its log."""
    folder = tmp_path_factory.mktemp("try")
    rows = [{"text": EVIL, "label": "sport", "by": "people"}]
    (folder / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", LISTENING_IN, str(model), "--port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--labelled", "mine.jsonl"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(folder)},
            stdout=log,
            stderr=log,
        )
    url, end = f"http://{HOST}:{port}", time.monotonic() + 120
    try:
        while True:
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=5).read()
                break
            except OSError:
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < end
                time.sleep(0.2)
        yield process, url, folder / "log"
    finally:
        process.kill()
        process.wait()


def test_a_real_browser_sees_text_and_asks_nobody_else(
    server: tuple[subprocess.Popen[bytes], str, Path], tmp_path: Path
) -> None:
    _, url, _ = server
    with chromium(tmp_path / "profile") as browser:
        browser.driver.execute_cdp_cmd("Network.enable", {})
        browser.driver.get(url)
        browser.find("textarea").send_keys(EVIL)
        browser.click("[data-testid=stFormSubmitButton] button")
        shown = WebDriverWait(browser.driver, 60).until(
            lambda driver: [
                e for e in driver.find_elements(By.CSS_SELECTOR, "[data-testid=stText]")
                if "similarity 1.000" in e.text
            ] and driver.find_elements(By.CSS_SELECTOR, "[data-testid=stText]")
        )  # fmt: skip
        assert EVIL in [element.text for element in shown]
        assert browser.driver.title == "Try the model"
        script = "return performance.getEntriesByType('resource').map(entry => entry.name)"
        asked = browser.driver.execute_script(script)
        assert asked
        assert not [name for name in asked if not name.startswith((url, "data:", "blob:"))]


def test_a_page_of_elsewhere_gets_nothing(
    server: tuple[subprocess.Popen[bytes], str, Path],
) -> None:
    """Streamlit would look up this machine's address on the network; the next test sees it."""
    _, url, _ = server
    host = url.removeprefix("http://")
    for origin, answer in ((url, b" 101 "), ("http://elsewhere.example", b" 403 ")):
        lines = [
            "GET /_stcore/stream HTTP/1.1", f"Host: {host}", f"Origin: {origin}",
            "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", "",
        ]  # fmt: skip
        with socket.create_connection((HOST, int(host.partition(":")[2])), timeout=60) as client:
            client.sendall("\r\n".join(lines).encode())
            assert answer in client.recv(1000).splitlines()[0]


def test_it_listens_here_alone_asks_nobody_and_ends_without_a_word(
    server: tuple[subprocess.Popen[bytes], str, Path],
) -> None:
    process, url, log = server
    listening = [c for c in psutil.Process(process.pid).net_connections() if c.status == "LISTEN"]
    assert {f"http://{c.laddr.ip}:{c.laddr.port}" for c in listening} == {url}
    process.send_signal(signal.SIGINT)
    process.wait(60)
    said = log.read_text()
    assert f"try it at {url}" in said
    for words in ("Traceback", "Exception", "Error"):
        assert words not in said
    asked = [line for line in said.splitlines() if line.startswith("asked for")]
    assert not [line for line in asked if HOST not in line], said
