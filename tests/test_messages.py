"""Wrong input on the command line: one plain message, exit code 1, no traceback, nothing lost."""

import contextlib
import importlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import pytest
import srsly
import typer

from scripts.argilla_server.manage import Credentials
from scripts.cli.app import run

Run = Callable[..., None]


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command as `python -m` does, and check that it fails with these words. Any exception
    but the one that sets the exit code, that is any traceback, fails the test."""

    def command(
        module: str, *arguments: str, words: Sequence[str], code: int = 1, **env: str
    ) -> None:
        for name in ("ARGILLA_API_URL", "ARGILLA_API_KEY"):
            monkeypatch.delenv(name, raising=False)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        # As with HF_HUB_OFFLINE=1, which is read at import: no waiting for a missing network
        monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
        monkeypatch.setattr("sys.argv", [module, *arguments])
        with pytest.raises(SystemExit) as left:
            run(importlib.import_module(module).main)
        said = " ".join("".join(capsys.readouterr()).split())
        assert left.value.code == code, said
        for word in words:
            assert word in said

    return command


@pytest.fixture
def paths(small_corpus: Path, pipelines: Path, tmp_path: Path) -> list[str]:
    """Overrides: the small corpus, the tests' encoder, and no embedded server."""
    shutil.copytree(small_corpus, tmp_path / "corpus", ignore=shutil.ignore_patterns("embed*"))
    return [
        "--paths.corpus", str(tmp_path / "corpus"), "--paths.cache", str(tmp_path / "cache"),
        "--paths.argilla", str(tmp_path / "home"), "--argilla.dataset", "messages",
        "--paths.pipeline", str(pipelines / "textcat.cfg"),
    ]  # fmt: skip


@pytest.mark.parametrize("command", ["step", "annotate", "simulate", "report", "pull"])
def test_no_server(fails: Run, command: str, paths: list[str], tmp_path: Path) -> None:
    outputs = {"report": ["steps.csv"], "pull": ["train.spacy"]}
    arguments = [str(tmp_path / name) for name in outputs.get(command, [])]
    words = ["There is no Argilla server to talk to", "weasel run argilla-start"]
    fails(f"scripts.{command}", *arguments, *paths, words=words)


def test_a_server_that_does_not_answer(fails: Run, paths: list[str]) -> None:
    env = {"ARGILLA_API_URL": "http://127.0.0.1:9", "ARGILLA_API_KEY": "x"}
    words = ["No Argilla server answers at http://127.0.0.1:9"]
    fails("scripts.annotate", *paths, words=words, **env)


def test_a_wrong_api_key(fails: Run, paths: list[str], argilla_server: Credentials) -> None:
    env = {"ARGILLA_API_URL": argilla_server.api_url, "ARGILLA_API_KEY": "wrong"}
    words = ["does not know this API key", "ARGILLA_API_KEY"]
    fails("scripts.annotate", *paths, words=words, **env)


def test_one_variable_without_the_other(fails: Run, paths: list[str]) -> None:
    fails("scripts.annotate", *paths, ARGILLA_API_KEY="x", words=["belong together"])


def test_an_empty_pool_and_too_few_labels(
    fails: Run, paths: list[str], argilla_server: Credentials
) -> None:
    env = {"ARGILLA_API_URL": argilla_server.api_url, "ARGILLA_API_KEY": argilla_server.api_key}
    corpus = Path(paths[1])
    pool = (corpus / "pool.jsonl").read_text()
    (corpus / "pool.jsonl").write_text("")
    fails("scripts.step", *paths, **env, words=["is empty"])
    (corpus / "pool.jsonl").write_text(pool + '{"id": "x", "te')
    fails("scripts.step", *paths, **env, words=["is damaged", "weasel run prepare"])
    (corpus / "pool.jsonl").unlink()
    fails("scripts.step", *paths, **env, words=["There is no", "weasel run prepare"])
    srsly.write_json(corpus / "labels.json", {"only": "one"})
    fails("scripts.step", *paths, **env, words=["at least two labels"])


def test_wrong_settings(fails: Run, paths: list[str]) -> None:
    fails("scripts.step", "--loop.batch_size", "0", words=["loop.batch_size"])
    fails("scripts.step", "--loop.bach_size", "5", words=["loop.bach_size"])
    fails("scripts.step", "--config", "nowhere.cfg", words=["no settings file nowhere.cfg"])
    fails("scripts.step", "--lop.seed", "5", words=["no setting lop.seed", "loop.seed?"])
    words = ["loop.promise.eror. Did you mean loop.promise.error?"]
    fails("scripts.step", "--loop.promise.eror", "0.9", words=words)
    fails("scripts.step", "--loop.promise.error", "2", words=["error must lie between 0 and 1"])
    fails("scripts.step", "--loop.draw.anywhere", "2", words=["anywhere must lie between 0 and 1"])
    words = ["not registered", "nothing.v1", "[paths] code"]
    fails("scripts.step", "--loop.strategy.@misc", "nothing.v1", words=words)
    for value in ("nan", "inf", "-1"):
        words = ["power must be at least 0, and finite"]
        fails("scripts.step", "--loop.strategy.power", value, words=words)
    fails("scripts.step", "--paths.code", "5", words=["no Python file 5"])
    fails("scripts.simulate", *paths, "--loop.budget", "0", words=["Set [loop] budget"])


WITH_SETTINGS = {
    "annotate": [], "argilla_move": [], "finish": ["x.jsonl"], "labels": [], "live": [],
    "pull": ["x.spacy"], "report": ["x.csv"], "reset": [], "review": [], "seed": ["x.csv"],
    "simulate": [], "step": [], "test_set": ["5"], "train": ["x.spacy", "model"],
}  # fmt: skip


@pytest.mark.parametrize("command", WITH_SETTINGS)
def test_unknown_settings_are_named(fails: Run, command: str) -> None:
    arguments = WITH_SETTINGS[command]
    words = ["loop.bach_size", "Did you mean loop.batch_size?"]
    fails(f"scripts.{command}", *arguments, "--loop.bach_size", "5", words=words)
    words = ["no option --test_size", "--loop.batch_size 10"]
    fails(f"scripts.{command}", *arguments, "--test_size", "0.1", words=words)


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("prepare", ["x.csv", "x"]), ("encoder", ["x", "x"]), ("check_package", ["x", "x"]),
        ("argilla_start", []), ("argilla_status", []), ("argilla_stop", []),
        ("argilla_password", []), ("argilla_backup", []), ("argilla_restore", []),
    ],
)  # fmt: skip
def test_all_other_commands_refuse_unknown_options(
    fails: Run, command: str, arguments: list[str]
) -> None:
    words = ["No such option: --test_size"]
    fails(f"scripts.{command}", *arguments, "--test_size", "0.1", words=words, code=2)


def test_no_encoder(
    fails: Run, paths: list[str], argilla_server: Credentials, tmp_path: Path
) -> None:
    config = (Path("configs") / "textcat.cfg").read_text()
    (tmp_path / "textcat.cfg").write_text(config.replace("assets/encoder", "no/encoder"))
    env = {"ARGILLA_API_URL": argilla_server.api_url, "ARGILLA_API_KEY": argilla_server.api_key}
    words = ["There is no sentence encoder in no/encoder", "weasel run encoder"]
    pipeline = ["--paths.pipeline", str(tmp_path / "textcat.cfg")]
    fails("scripts.step", *paths, *pipeline, **env, words=words)


@pytest.mark.parametrize(
    ("url", "start"),
    [
        ("http://127.0.0.1:9", "argilla-start . --vars.argilla_port 9 "),
        ("http://127.0.0.2:6900", "argilla-start Then"),
    ],
)
def test_the_port_in_use_is_suggested(
    fails: Run, paths: list[str], tmp_path: Path, url: str, start: str
) -> None:
    (tmp_path / "home").mkdir()
    found = Credentials(url, "argilla", "password", "key", "argilla")
    srsly.write_json(tmp_path / "home" / "credentials.json", asdict(found))
    fails("scripts.step", *paths, words=["Connection refused", f"weasel run {start}"])


def test_a_hub_that_cannot_be_reached_and_a_missing_file(fails: Run, tmp_path: Path) -> None:
    fails(
        "scripts.prepare",
        "argilla/news",
        str(tmp_path),
        words=["Hugging Face hub", "local file"],
    )
    fails("scripts.prepare", "missing.csv", str(tmp_path), words=["There is no file missing.csv"])
    assert not list(tmp_path.iterdir())


def test_a_package_that_is_not_there(fails: Run, tmp_path: Path) -> None:
    for command, more in (("check_package", []), ("summary", [str(tmp_path)])):
        arguments = [str(tmp_path / "model"), str(tmp_path), str(tmp_path), *more]
        fails(f"scripts.{command}", *arguments, words=["no trained pipeline", "weasel run train"])


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--vars.dataset", "There is no file missing.csv"),
        # Weasel itself would ignore it, and prepare the default data set.
        (
            "--vars.datset",
            "There is no var 'datset'; nothing was run. Did you mean --vars.dataset?",
        ),
    ],
)
def test_through_weasel_as_a_user_sees_it(option: str, words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "weasel", "run", "prepare", ".", option, "missing.csv"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_folder_that_cannot_be_written(fails: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    data = tmp_path / "data.csv"
    data.write_text("text,label\n" + "".join(f"text {i},{'ab'[i % 2]}\n" for i in range(20)))
    arguments = ["--label-column", "label"]
    for folder, word in (
        (tmp_path / "file", "File exists"),
        (tmp_path / "file" / "corpus", "Not a directory"),
    ):
        words = [f"{folder}: {word}", "A folder is needed there"]
        fails("scripts.prepare", str(data), str(folder), *arguments, words=words)
    if sys.platform == "linux":  # where not even root can make a folder
        fails("scripts.prepare", str(data), "/sys/corpus", *arguments, words=["/sys/corpus: "])
    (tmp_path / "corpus" / "pool.jsonl").mkdir(parents=True)
    words = ["pool.jsonl: Is a directory", "A file is needed there"]
    fails("scripts.prepare", str(data), str(tmp_path / "corpus"), *arguments, words=words)


def test_examples_name_their_own_var(fails: Run, paths: list[str], tmp_path: Path) -> None:
    fails("scripts.seed", "missing.csv", *paths, words=["--vars.examples my.csv"])
    data = tmp_path / "examples.csv"
    data.write_text("text,label\nA goal,\n")
    fails("scripts.seed", str(data), *paths, words=["has 0 labelled texts", "--vars.label_column"])
    none = ["--label-column", ""]
    fails("scripts.seed", str(data), *none, *paths, words=["Examples need labels"])
    data.write_text("text,label\nA goal,weather\n")
    fails("scripts.seed", str(data), *paths, words=["labels that the settings don't have: weather"])


COMMANDS = sorted(path.stem for path in Path("scripts").glob("[a-z]*.py"))
# What somebody may copy: commands, options with a value, and paths.
COPIED = r"`[^`]+`|--[\w-]+ \S+|\S*[/_]\S*"


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "benchmark"])
def test_help_breaks_no_command_and_no_path(command: str) -> None:
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(importlib.import_module(f"scripts.{command}").main)
    made = typer.main.get_command(app)
    wide, narrow = (
        made.get_help(typer.Context(made, terminal_width=width, max_content_width=width))
        for width in (5000, 80)
    )
    assert max(map(len, narrow.splitlines())) <= 80
    for copied in set(re.findall(COPIED, wide)):
        assert copied in narrow, f"{copied!r} is broken over lines: word the help otherwise"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_messages_do_not_fold_in_a_terminal_of_80_columns(tmp_path: Path) -> None:
    home = tmp_path / ("a folder with a long name and spaces " * 3) / "home"
    command = [sys.executable, "-m", "scripts.argilla_password", "--home", str(home)]
    shown = in_terminal(command)
    assert f"There is no account in {home}/credentials.json yet." in shown.splitlines()[0]
    assert "Start the server, which makes one: weasel run argilla-start" in shown.splitlines()


def test_no_bar_where_the_output_is_no_terminal(tmp_path: Path) -> None:
    program = """
from scripts.cli import app
from pathlib import Path
import sqlite3, sys, tqdm
from scripts.argilla_server.backup import copy
path = Path(sys.argv[1])
with sqlite3.connect(path / "one.db") as database:
    database.execute("CREATE TABLE IF NOT EXISTS x AS WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL "
                     "SELECT i + 1 FROM n WHERE i < 400000) SELECT i, i || 'text' FROM n")
database.close()
copy(path / "one.db", path / "two.db", "Writing")
list(tqdm.tqdm(range(9)))
"""
    command = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "Writing" in in_terminal(command)


def in_terminal(command: Sequence[str]) -> str:
    """What a program shows in a terminal of 80 columns, without colours."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # which is how Linux says that it has ended
        while part := os.read(ours, 65536):
            shown += part
    process.wait()
    os.close(ours)
    text = shown.decode().replace("\r\n", "\n")
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).lstrip("\n")
