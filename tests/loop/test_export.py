"""Data out: what is exported is what Argilla has, and reading it back gives the same model."""

import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import srsly
from datasets import load_dataset, load_from_disk
from huggingface_hub import DatasetCard

from components.onnx_encoder import OnnxEncoder
from scripts.active_learning.plan import in_words
from scripts.cli.errors import ProjectError
from scripts.data.corpus import Row, read_pool, text_id
from scripts.data.docbins import given, read_docs, read_texts, write_rows
from scripts.data.rows import to_rows
from scripts.data.sources import load
from scripts.export import main as export
from scripts.loop.annotate import annotate
from scripts.loop.card import COLUMNS
from scripts.loop.finish import finish
from scripts.loop.settings import Settings
from scripts.loop.step import step
from scripts.prepare import main as prepare
from scripts.pull import main as pull
from scripts.records.convert import QUESTION
from scripts.records.dataset import BOT, ORACLE, LoopDataset
from scripts.records.held_out import open_test_set
from scripts.seed import main as seed
from scripts.test_set import main as label_held_out
from scripts.train import main as train
from tests.answering import Handler, answering
from tests.loop_fixtures import context_of, new_name, opened

FIXED = ("--loop.promise.rule", "fixed", "--loop.promise.certainty", "0.5")


def run_export(args: list[str], folder: Path, **options: Any) -> None:
    export(context_of(args), folder, **options)


def rows_of(folder: Path) -> dict[str, Row]:
    """Text id -> row, of the JSONL files, with its split."""
    return {
        row["id"]: {**row, "split": path.stem}
        for path in (folder / "jsonl").glob("*.jsonl")
        # Not srsly, which reads numbers a little less exactly.
        for row in map(json.loads, path.read_text(encoding="utf8").split("\n")[:-1])
    }


def api_records(dataset: LoopDataset) -> dict[str, list[dict[str, Any]]]:
    """Text id -> its records, as Argilla's own API has them."""
    url = f"/api/v1/datasets/{dataset.dataset.id}/records"
    params: dict[str, Any] = {"limit": 1000, "include": ["responses", "suggestions"]}
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for item in dataset.client.http_client.get(url, params=params).json()["items"]:
        found[item["external_id"].partition("-")[0]].append(item)
    return {id_: sorted(r, key=lambda one: one["external_id"]) for id_, r in found.items()}


def when(time: str) -> datetime:
    return datetime.fromisoformat(time).replace(tzinfo=UTC)


def discard(dataset: LoopDataset, server_id: str) -> None:
    dataset.client.http_client.post(
        f"/api/v1/records/{server_id}/responses", json={"status": "discarded", "values": {}}
    ).raise_for_status()


def test_each_row_is_what_argilla_has(
    overrides: list[str], settings: Callable[..., Settings], tmp_path: Path
) -> None:
    args, chosen = [*overrides, *FIXED], settings(*FIXED)
    with opened(chosen) as (loop, gold):
        dataset, learner, pool = loop
        labels = list(learner.labels)
        step(*loop, chosen)
        tied, thrown, both, *_ = dataset.pull()
        wrong = next(label for label in labels if label not in gold[tied.id])
        dataset.respond(tied, [wrong], "ben")
        dataset.respond(both, gold[both.id], "ben")
        discard(dataset, thrown.server_id)
        annotate(dataset, gold, labels, username="ben", limit=1)
        for one in (tied, both):
            dataset.respond(one, gold[one.id], "anna")
        annotate(dataset, gold, labels)
        step(*loop, chosen)
        annotate(dataset, gold, labels, username="anna", limit=3)
        done = finish(*loop, chosen)
        records, before = api_records(dataset), dataset.pull()
        run_export(args, tmp_path / "export", anonymous=False, with_open=True)
        assert dataset.pull() == before
        users = {str(u.id): u.username for u in dataset.client.users}
        answers = {a.id: a for a in dataset.answers()}

    rows = rows_of(tmp_path / "export")
    test = {id_: row for id_, row in rows.items() if row["split"] == "test"}
    assert rows.keys() - test.keys() == set(pool.ids)
    splits = {"labelled": "train", "machine": "machine"}
    for id_, rounds in records.items():
        row, answer = rows[id_], answers[id_]
        last, meta = rounds[-1], rounds[0]["metadata"]
        assert row["text"] == rounds[0]["fields"]["text"]
        assert row["status"] == answer.status
        assert row["split"] == splits.get(answer.status, "unlabelled")
        assert row["label"] == (answer.labels[0] if answer.labels else None)
        assert (row["source"], row["round"]) == (meta["source"], len(rounds))
        assert row["iteration"] == last["metadata"]["iteration"]
        for name in ("chance", "open", "anywhere"):
            assert row[name] == meta.get(name)  # to the last digit
        said = {
            users[one["user_id"]]: one
            for record in rounds
            for one in record["responses"]
            if one["status"] != "draft"
        }
        assert {one["annotator"] for one in row["responses"]} == set(said)
        for one in row["responses"]:
            there = said[one["annotator"]]
            assert datetime.fromisoformat(one["at"]) == when(there["updated_at"])
            assert one["status"] == there["status"]
            value = (there["values"] or {}).get(QUESTION, {}).get("value")
            assert one["labels"] == ([value] if value else [])
        suggested = [one for r in rounds for one in r["suggestions"]]
        expected = [(one["value"], one["agent"], one["score"]) for one in suggested[-1:]]
        found = [] if row["score"] is None else [(row["suggestion"], row["model"], row["score"])]
        assert found == expected
        people = [one for user, one in said.items() if user != BOT]
        assert row["votes"] == len(people)
        if answer.status in splits:
            assert row["agreed"] == sum(
                one["values"][QUESTION]["value"] == row["label"] for one in people
            )
            times = [when(said[user]["updated_at"]) for user in row["annotators"]]
            assert datetime.fromisoformat(row["answered_at"]) == max(times)

    there = {row["status"] for row in rows.values()}
    assert {"labelled", "machine", "discarded", "waiting", "open"} <= there
    assert rows[tied.id]["status"] in ("tied", "waiting")  # asked again, and perhaps answered
    assert rows[thrown.id]["label"] is None
    assert (rows[thrown.id]["by"], rows[thrown.id]["agreed"]) == ("people", 1)
    assert (rows[both.id]["agreed"], rows[both.id]["votes"]) == (2, 2)
    assert sorted(rows[both.id]["annotators"]) == ["anna", "ben"]
    assert rows[tied.id]["round"] == 2
    assert {row["by"] for row in rows.values()} == {
        "people", "machine", "simulation", "gold", None
    }  # fmt: skip
    # The machine's, and what the model thinks of the others: as in the file of `finish`.
    finished = {text_id(row["text"]): row for row in done.texts}
    machine = {id_: row for id_, row in rows.items() if row["status"] == "machine"}
    # What waits for people goes on waiting, though finish has the machine's label for it.
    waits = {id_ for id_, row in rows.items() if row["status"] == "waiting"}
    theirs = {id_ for id_, row in finished.items() if row["by"] == "machine"}
    assert machine.keys() == theirs - waits
    for id_, row in machine.items():
        assert (row["label"], row["annotators"]) == (finished[id_]["label"], [BOT])
        assert row["certainty"] == pytest.approx(finished[id_]["certainty"], abs=1e-6)
    assert {id_ for id_, row in rows.items() if row["status"] == "open"} <= {
        id_ for id_, row in finished.items() if row["by"] == "open"
    }
    # The test set: gold labels of the data.
    texts, golds = read_texts(chosen.paths.corpus / "test.spacy")
    assert {row["text"]: [row["label"]] for row in test.values()} == dict(
        zip(texts, golds, strict=True)
    )


def test_read_back_it_gives_the_same_model(
    overrides: list[str],
    settings: Callable[..., Settings],
    encoder_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = context_of(overrides)
    chosen = settings("--loop.seed_size", 20)
    # Encoders that live at the same time share their vectors. Made anew, with other neighbours, the
    # last bit of one may be another.
    encoder = OnnxEncoder(encoder_folder)
    encoder.encode(read_pool(chosen.paths.corpus).texts)
    with opened(chosen) as (loop, gold):
        for _ in range(3):
            step(*loop, chosen)
            annotate(loop[0], gold, list(loop[1].labels))
    folder, corpus = tmp_path / "export", chosen.paths.corpus
    run_export(overrides, folder)
    pool = read_pool(corpus).texts

    def model(labelled: Path) -> np.ndarray:
        """Train on a file as `weasel run train` does, and ask the pipeline that was saved."""
        train(context, labelled, tmp_path / "model")
        docs = spacy.load(tmp_path / "model").pipe(pool)
        return np.array([list(doc.cats.values()) for doc in docs])

    pull(context, tmp_path / "pulled.spacy")
    pulled = [(doc.text, doc.cats) for doc in read_docs(tmp_path / "pulled.spacy")]
    expected = model(tmp_path / "pulled.spacy")
    assert len(pulled) == 30

    cache = str(tmp_path / "cache")
    for name, data in (
        ("disk", load_from_disk(folder / "arrow")["train"]),
        ("folder", load_dataset(str(folder), split="train", cache_dir=cache)),
    ):
        labels = data.features["label"]
        rows = [{"text": row["text"], "labels": [labels.int2str(row["label"])]} for row in data]
        write_rows(rows, labels.names, tmp_path / f"{name}.spacy")
        assert [(d.text, d.cats) for d in read_docs(tmp_path / f"{name}.spacy")] == pulled
        assert np.array_equal(model(tmp_path / f"{name}.spacy"), expected)

    # As `prepare` and `seed` read a source.
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", cache)
    for source in (folder, folder / "jsonl" / "train.jsonl", folder / "data" / "train.parquet"):
        found, dropped = to_rows(load(str(source), "train", "text", "label"), "text", "label")
        assert [(row["text"], row["labels"]) for row in found] == [
            (text, [label for label, value in cats.items() if value]) for text, cats in pulled
        ]
        assert dropped.duplicate == dropped.empty == 0
    prepare(str(folder), tmp_path / "again", label_column="label", test_size=10)
    assert set(read_pool(tmp_path / "again").texts) < {text for text, _ in pulled}

    # Into another Argilla data set, and out again.
    other = context_of([*overrides, "--argilla.dataset", new_name()])
    seed(other, str(folder / "jsonl" / "train.jsonl"))
    pull(other, tmp_path / "seeded.spacy")
    assert (tmp_path / "seeded.spacy").read_bytes() == (tmp_path / "pulled.spacy").read_bytes()
    assert np.array_equal(model(tmp_path / "seeded.spacy"), expected)


TEXTS = [
    "Two\nlines, a\r\ncarriage return\u2028and a line separator",
    "He said \"no\", 'yes' and \\n; a,b;c\td|e",
    "${vars.dataset} ${components} {{ jinja }} %s",
    "😀 👩‍👩‍👧 e\u0301 \u200d مرحبا 你好 \ufeff",
    "NaN",
    "null",
    "[]",
    "long " * 40_000 + "end",
    "---\nlicense: mit\n---",
]
NAMES = {
    'a, b "quoted"': "with | a bar\n- and a <line>",
    "c/d's": "c/d's",
    "ümlaut: ${x} #": "---",
    "none": "null",
}


@pytest.fixture
def unusual(
    overrides: list[str], pipelines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[bool], tuple[list[str], dict[str, list[str]]]]:
    """Seed unusual texts with unusual labels. RETURNS: Overrides, and the labels of each text."""

    monkeypatch.setattr("scripts.loop.seed.MOST", 4)  # in three requests

    def make(several: bool) -> tuple[list[str], dict[str, list[str]]]:
        corpus = tmp_path / "corpus"
        shutil.copytree(overrides[overrides.index("--paths.corpus") + 1], corpus)
        srsly.write_json(corpus / "labels.json", NAMES)
        (corpus / "test.spacy").unlink()
        names = list(NAMES)
        labels = {text: [names[i % len(names)]] for i, text in enumerate(TEXTS)}
        args = [*overrides, "--paths.corpus", str(corpus)]
        if several:
            labels = {text: sorted(names[: i % 4]) for i, text in enumerate(TEXTS)}
            args += ["--paths.pipeline", str(pipelines / "textcat_multilabel.cfg")]
        rows = [
            {"text": text, "label": some if several else some[0]} for text, some in labels.items()
        ]
        (tmp_path / "unusual.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
        seed(context_of(args), str(tmp_path / "unusual.jsonl"))
        return args, labels

    return make


@pytest.mark.parametrize("several", [False, True])
def test_unusual_texts_and_labels_come_back(
    several: bool,
    unusual: Callable[[bool], tuple[list[str], dict[str, list[str]]]],
    tmp_path: Path,
) -> None:
    args, labels = unusual(several)
    folder = tmp_path / "export"
    run_export(args, folder)
    rows = [row for row in rows_of(folder).values() if row["split"] == "train"]
    found = {row["text"]: row["label"] if several else [row["label"]] for row in rows}
    assert found == labels
    for data in (
        load_from_disk(folder / "arrow")["train"],
        load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache")),
    ):
        feature = data.features["label"]
        names = feature.feature if several else feature
        assert names.names == list(NAMES)
        assert {
            row["text"]: names.int2str(row["label"] if several else [row["label"]]) for row in data
        } == labels
        assert {r["annotator"] for row in data for r in row["responses"]} == {"annotator-1"}
        assert [name for names in COLUMNS for name in names.split(", ")] == list(data.features)
    card = DatasetCard.load(folder / "README.md")
    assert card.data.task_ids == [f"multi-{'label' if several else 'class'}-classification"]
    (config,) = card.data.configs
    assert config["data_files"] == [{"split": "train", "path": "data/train.parquet"}]
    assert '| a, b "quoted" | with \\| a bar - and a &lt;line> |' in card.text
    pull(context_of(args), tmp_path / "pulled.spacy")
    assert {d.text: sorted(given(d)) for d in read_docs(tmp_path / "pulled.spacy")} == labels


def test_the_promise_is_that_of_finish_and_holds_until_people_answer(
    overrides: list[str],
    settings: Callable[..., Settings],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    more = ["--loop.seed_size", "40", "--loop.batch_size", "40", "--loop.promise.error", "0.3"]
    more += ["--loop.budget", "0"]
    args, chosen = [*overrides, *more], settings(*more)
    with opened(chosen) as (loop, gold):
        dataset, learner, _ = loop
        for _ in range(2):
            step(*loop, chosen)
            annotate(dataset, gold, list(learner.labels), username="carla")
        done = finish(*loop, chosen)
        assert done.by("machine")
        first, *_ = in_words(done.machine, chosen.loop.promise)
        run_export(args, tmp_path / "export")
        card = (tmp_path / "export" / "README.md").read_text()
        assert f"{first[0].upper()}{first[1:]}." in card
        assert f"This rests on {done.machine.proving} labels of texts drawn by chance" in card
        assert first[1:] in capsys.readouterr().out
        # Nobody's name is in any file.
        files = [path for path in (tmp_path / "export").rglob("*") if path.is_file()]
        assert not [path for path in files if b"carla" in path.read_bytes()]
        assert b"annotator-1" in (tmp_path / "export" / "jsonl" / "train.jsonl").read_bytes()

        overruled, withdrawn, *_ = (a for a in dataset.answers() if a.status == "machine")
        dataset.withdraw([withdrawn])
        other = next(label for label in learner.labels if label not in overruled.labels)
        dataset.respond(overruled, [other], "carla")
        run_export(args, tmp_path / "export")
        card = (tmp_path / "export" / "README.md").read_text()
        assert "There is no promise" in card
        assert "confidence" not in card
        row = rows_of(tmp_path / "export")[overruled.id]
        assert (row["split"], row["label"], row["machine"]) == ("train", other, *overruled.labels)
        assert {one["annotator"] for one in row["responses"]} == {BOT, "annotator-1"}


def test_in_a_team_the_machine_answers_in_the_export_as_in_the_file(
    overrides: list[str], settings: Callable[..., Settings], tmp_path: Path
) -> None:
    more = ["--argilla.min_submitted", "2", *FIXED]
    chosen = settings(*more)
    with opened(chosen) as (loop, gold):
        dataset, learner, _ = loop
        step(*loop, chosen)
        for person in ("anna", "ben"):
            annotate(dataset, gold, list(learner.labels), username=person)
        done = finish(*loop, chosen)
    run_export([*overrides, *more], tmp_path / "export")
    rows = rows_of(tmp_path / "export").values()
    found = {row["text"]: row["label"] for row in rows if row["split"] == "machine"}
    assert found == {row["text"]: row["label"] for row in done.texts if row["by"] == "machine"}
    assert found
    people = [row for row in rows if row["split"] == "train"]
    assert {(row["agreed"], row["votes"]) for row in people} == {(2, 2)}
    card = (tmp_path / "export" / "README.md").read_text()
    assert "Answers by 2 annotators. All say the same of 6 of 6 texts" in card
    assert "Nothing is promised." in card  # by the rule "fixed"


def test_a_test_set_that_people_labelled(
    overrides: list[str], settings: Callable[..., Settings], tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus"
    shutil.copytree(overrides[overrides.index("--paths.corpus") + 1], corpus)
    args = [*overrides, "--paths.corpus", str(corpus)]
    chosen, context = settings("--paths.corpus", corpus), context_of(args)
    texts, golds = read_texts(corpus / "test.spacy")
    (corpus / "test.spacy").unlink()
    srsly.write_jsonl(corpus / "held_out.jsonl", [{"id": text_id(t), "text": t} for t in texts])
    right = {text_id(text): some for text, some in zip(texts, golds, strict=True)}
    label_held_out(context, 6)  # type: ignore[arg-type]
    with opened(chosen) as (loop, gold):
        dataset, learner, _ = loop
        with pytest.raises(ProjectError, match="has a label by people yet"):
            run_export(args, tmp_path / "export")
        step(*loop, chosen)
        annotate(dataset, gold, list(learner.labels))
        held_out = open_test_set(dataset.client, chosen.argilla, learner.labels)
        annotate(held_out, right, list(learner.labels), limit=4, username="anna")
        discard(held_out, next(a for a in held_out.pull() if a.status == "waiting").server_id)
    run_export(args, tmp_path / "export")
    data = load_from_disk(tmp_path / "export" / "arrow")
    names = data["test"].features["label"]
    assert {row["id"]: [names.int2str(row["label"])] for row in data["test"]} == {
        text_id(text): right[text_id(text)] for text in texts[:4]
    }
    assert {row["by"] for row in data["test"]} == {"people"}
    assert not set(data["train"]["id"]) & set(data["test"]["id"])
    assert {row["annotators"][0] for row in data["train"]} == {ORACLE}


@contextmanager
def a_hub(status: int) -> Iterator[str]:
    """What stands in for the hub, which cannot be asked here: every write is answered with a
    status, and the data set that is asked for is one that everybody may see."""

    class Hub(Handler):
        def answer(self, status: int) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            url = f"http://{self.headers['Host']}/datasets/me/news"
            found = {"id": "me/news", "private": False, "siblings": [], "url": url}
            body = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.answer(status)

        def do_GET(self) -> None:
            self.answer(200)

    with answering(Hub) as url:
        yield url


def test_a_push_says_first_what_it_would_do(
    overrides: list[str],
    settings: Callable[..., Settings],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    chosen, folder = settings(), tmp_path / "export"
    with opened(chosen) as (loop, gold):
        step(*loop, chosen)
        annotate(loop[0], gold, list(loop[1].labels))
    # Nobody answers there: a dry run that asked the hub anything would fail.
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.hf_api.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    run_export(overrides, folder, push="me/news", dry_run=True, licence="cc-by-4.0")
    said = capsys.readouterr().out
    assert "the private data set 'me/news'" in said
    assert "nothing was pushed" in said
    for name in ("README.md", "data/train.parquet", "data/test.parquet"):
        assert f"{(folder / name).stat().st_size:,} bytes  {name}" in said
    assert ".jsonl" not in said
    assert ".arrow" not in said
    assert "license: cc-by-4.0" in said
    assert (folder / "README.md").read_text().strip() in said

    shutil.rmtree(folder)
    with pytest.raises(ProjectError, match="no token"):
        run_export(overrides, folder, push="me/news")
    with pytest.raises(ProjectError, match="takes no data set named 'me/new/s'"):
        run_export(overrides, folder, push="me/new/s", dry_run=True)
    assert not folder.exists()

    monkeypatch.setenv("HF_TOKEN", "hf_none")
    with pytest.raises(ProjectError, match=r"hub at http://127.0.0.1:9 cannot be reached"):
        run_export(overrides, folder, push="me/news")
    assert (folder / "data" / "train.parquet").exists()
    for status, words in ((401, "refused to take 'me/news'"), (409, "everybody may see it")):
        with a_hub(status) as url:
            monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", url)
            with pytest.raises(ProjectError, match=words):
                run_export(overrides, folder, push="me/news")
