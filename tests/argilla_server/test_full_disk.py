"""A disk without room, for real: a small file system in memory (which needs the right to mount)."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

from scripts.argilla_server import backup, manage
from scripts.argilla_server.install import ServerError
from scripts.argilla_server.restore import restore
from tests.argilla_server.test_crash import Crashed, labelled, submit, wait
from tests.browser import chromium


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with 24 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    with contextlib.suppress(FileNotFoundError):
        if subprocess.run(command, capture_output=True).returncode == 0:
            yield folder
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
            return
    pytest.skip("file systems can't be mounted here")


def fill(folder: Path) -> Path:
    """Fill a disk; delete the file that this gives to have room again."""
    path = folder / "filler"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with contextlib.suppress(OSError):
        while True:
            os.write(descriptor, b"x" * 4096)
    os.close(descriptor)
    return path


def test_nothing_that_was_acknowledged_is_lost(argilla_venv: Path, disk: Path) -> None:
    home = disk / "home"
    crashed = Crashed(home)
    try:
        dataset, ids = crashed.dataset(30)
        with crashed.client() as client:
            assert submit(client, ids[0]).status_code == 201
            filler = fill(disk)
            refused = [submit(client, record_id) for record_id in ids[1:8]]
            assert {answer.status_code for answer in refused} == {507}
            # A text and no object: this is what Argilla's page shows.
            assert "NOT SAVED: the disk" in refused[0].json()["detail"]
            assert set(labelled(crashed, dataset)) == {ids[0]}
            with pytest.raises(ServerError, match="No room for"):
                backup.back_up(home, disk / "backup.db")
            assert not list(disk.glob("*backup.db*"))
            assert manage.status(home).state == "running"

            filler.unlink()  # and all goes on by itself
            for record_id in ids[1:8]:
                assert submit(client, record_id).status_code == 201
        path, found = backup.back_up(home, disk / "backup.db")
        assert found.answers == 8

        manage.stop(home)
        fill(disk)
        with pytest.raises(ServerError, match=r"is full .*Free some space"):
            manage.start(home, crashed.port)
        with pytest.raises(ServerError, match="No room for"):
            restore(path, home)
        filler.unlink()
        assert crashed.start()
        assert set(labelled(crashed, dataset)) == set(ids[:8])
    finally:
        manage.stop(home)


def test_the_page_says_so_and_the_record_comes_again(
    argilla_venv: Path, disk: Path, tmp_path: Path
) -> None:
    home = disk / "home"
    crashed = Crashed(home)
    try:
        dataset, _ = crashed.dataset(3)
        url, given = crashed.credentials.api_url, crashed.credentials
        with chromium(tmp_path / "profile") as browser:
            browser.sign_in(url, given.username, given.password)
            page = f"{url}/dataset/{dataset.id}/annotation-mode"
            browser.driver.get(page)
            filler = fill(disk)
            browser.click("label.label-text")
            browser.click("button.button--submit")

            def said(driver: WebDriver) -> bool:
                return "NOT SAVED: the disk" in driver.find_element(By.TAG_NAME, "body").text

            WebDriverWait(browser.driver, 30).until(said)
            # The page goes on to the next record, as it always does; this one comes again.
            assert labelled(crashed, dataset) == {}
            filler.unlink()
            for n in range(3):
                browser.driver.get(page)
                browser.click("label.label-text")
                browser.click("button.button--submit")
                wait(lambda n=n: len(labelled(crashed, dataset)) == n + 1)
    finally:
        manage.stop(home)
