"""What a package says of itself, without building one."""

from pathlib import Path
from typing import Any

import pytest
import srsly
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt
from spacy.cli.package import generate_readme

from scripts.cli.errors import ProjectError
from scripts.shipping.facts import gather
from scripts.shipping.hub import header
from scripts.shipping.readme import plain, readme
from scripts.shipping.release import Meta, fingerprint
from scripts.shipping.sources import sources

NASTY = 'a|b *c* <script>alert("x")</script> `d`'
SCORES: dict[str, Any] = {
    "token_acc": 1.0,
    "cats_score": 0.8,
    "cats_score_desc": "macro F",
    "cats_macro_f": 0.8,
    "cats_f_per_type": {label: {"p": 0.8, "r": 0.8, "f": 0.8} for label in (NASTY, "tech")},
    "speed": 123.0,
    "n": 60,
    "accuracy": 0.85,
    "macro_f_interval": [0.7, 0.9],
    "per_label": {
        NASTY: {"n": 50, "f_interval": [0.7, 0.9]},
        "tech": {"n": 10, "f_interval": None},
    },
}
PROMISE = {"labels_mark": "mine", "words": "At most 5 % are wrong.", "proving": 45}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """As much of a pipeline's folder as is read."""
    meta = {
        "lang": "en",
        "name": "pipeline",
        "version": "0.0.0",
        "spacy_version": ">=3.8",
        "description": "",
        "author": "",
        "email": "",
        "url": "",
        "license": "",
        "requirements": ["numpy>=1.24"],
        "labels": {"classy_textcat": [NASTY, "tech"]},
        "pipeline": ["classy_textcat"],
        "components": ["classy_textcat"],
        "trained_on": {"data": "my_texts", "people": 40},
        "labels_mark": "mine",
        "encoder": "abc-256",
        "sources": sources({"dataset": "me/texts", "name": "me_texts"}, {"model": "you/encoder"}),
    }
    srsly.write_json(tmp_path / "meta.json", meta)
    # Enough for the code that ships with it to be found.
    (tmp_path / "config.cfg").write_text(
        '[components.classy_textcat]\nfactory = "classy_textcat"\n'
    )
    (tmp_path / "classy_textcat").mkdir()
    said = {NASTY: "what | it <i>means</i>", "tech": "tech"}
    settings = {"label_descriptions": said, "multi_label": False, "threshold": 0.5}
    srsly.write_json(tmp_path / "classy_textcat" / "cfg", settings)
    return tmp_path


def write(folder: Path, name: str, content: dict[str, Any]) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    srsly.write_json(path, content)
    return path


def full(model: Path, out: Path, **scores: Any) -> Meta:
    found = {**SCORES, "fingerprint": fingerprint(model), **scores}
    metrics, promise = write(out, "test.json", found), write(out, "promise.json", PROMISE)
    return gather(model, ["license=MIT", "author=", "url= https://x.org "], metrics, promise)


@pytest.fixture
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out")


def test_meta_has_what_spacy_shows(model: Path, out: Path) -> None:
    meta = full(model, out)
    assert (meta["license"], meta["author"], meta["url"]) == ("MIT", "", "https://x.org")
    assert meta["performance"]["cats_macro_f_interval"] == pytest.approx([0.7, 0.9])
    assert not {"speed", "token_acc"} & set(meta["performance"])
    assert meta["label_descriptions"] == {NASTY: "what | it <i>means</i>"}
    assert meta["promise"] == {"words": "At most 5 % are wrong.", "proving": 45}
    said = generate_readme(meta)
    for text in ("`CATS_MACRO_F` | 80.00", "[me/texts](https://huggingface.co/datasets/me/texts)"):
        assert text in said
    assert "`MIT`" in said


def test_what_belongs_to_another_pipeline_is_left_out(model: Path, out: Path) -> None:
    meta = full(model, out, fingerprint="another")
    assert not {"performance", "tested_on"} & set(meta)
    write(out, "promise.json", {**PROMISE, "labels_mark": "others"})
    assert "promise" not in gather(model, [], out / "none.json", out / "promise.json")
    assert "Nothing is known" in readme(meta, {})
    with pytest.raises(ProjectError, match="no 'licence' to set"):
        gather(model, ["licence=MIT"], out, out)


def test_texts_stay_texts(model: Path, out: Path) -> None:
    html = (
        MarkdownIt("commonmark")
        .enable("table")
        .render(readme(full(model, out), {NASTY: 0.9, "tech": 0.1}))
    )
    assert "<script>" not in html
    assert "<i>" not in html
    shown = NASTY.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    assert f"<td>{shown}</td>\n<td>what | it &lt;i&gt;means&lt;/i&gt;</td>" in html
    assert html.count("<table>") == 3
    assert "of tech on fewer than 30" in html
    assert "0.700 to 0.900" in html


@pytest.mark.parametrize("text", ["a\nb", "# a", "[x](y)", "***", "&amp;", "a\\|b", "~~x~~"])
def test_any_text_is_shown_as_it_is(text: str) -> None:
    html = MarkdownIt("commonmark").render("x " + plain(text))
    shown = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    assert html == f"<p>x {shown}</p>\n"


def test_several_labels_a_text(model: Path, out: Path) -> None:
    settings = {"label_descriptions": {}, "multi_label": True, "threshold": 0.4}
    srsly.write_json(model / "classy_textcat" / "cfg", settings)
    said = readme(full(model, out), {})
    assert "a score of 0.4 or more" in said
    assert "fits none" not in said


@pytest.mark.parametrize("answers", [0, 64])
def test_a_distilled_pipeline_says_how_it_was_made(model: Path, out: Path, answers: int) -> None:
    meta = srsly.read_json(model / "meta.json")
    del meta["encoder"]
    meta |= {"components": ["textcat"], "labels": {"textcat": ["a", "b"]}, "multi_label": True}
    meta["trained_on"] = {"data": "my_texts", "people": 40, "machine": 0, "model": answers}
    srsly.write_json(model / "meta.json", meta)
    (model / "textcat").mkdir()
    srsly.write_json(model / "textcat" / "cfg", {"labels": ["a", "b"], "threshold": 0.4})
    said = readme(gather(model, [], out / "none.json", out / "none.json"), {})
    assert "spaCy's own text categorizer learned from their labels" in said
    assert "encoder" not in said.partition("## How")[2].partition("## Licence")[0]
    assert "a score of 0.4 or more" in said
    assert "40 labels by people, 0 by machine" in said
    assert ("64 with a larger model's answers" in said) == bool(answers)
    assert ("and from a larger model's answers" in said) == bool(answers)


def test_the_hub_can_read_the_header(model: Path, out: Path) -> None:
    meta = full(model, out)
    data = ModelCard(header(meta)).data
    assert (data.license, data.library_name, data.pipeline_tag) == (
        "mit",
        "spacy",
        "text-classification",
    )
    assert (data.datasets, data.base_model) == (["me/texts"], ["you/encoder"])
    found = {result.metric_type: result.metric_value for result in data.eval_results or []}
    assert found == {"accuracy": 0.85, "f1": 0.8}
    data = ModelCard(header({**meta, "license": "Ours: ask", "performance": {}})).data
    assert (data.license, data.license_name, data.eval_results) == ("other", "Ours: ask", None)


def test_a_path_of_this_machine_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "encoder").mkdir()
    data = {"dataset": "data/private.csv", "name": "private"}
    found = sources(data, {"model": str(tmp_path / "encoder")})
    assert found[:2] == [{"name": "private"}, {"name": "encoder"}]
    (tmp_path / "encoder" / "README.md").write_text("---\nlicense: cc0-1.0\n---\nAn encoder\n")
    assert sources(data, {"model": str(tmp_path / "encoder")})[1]["license"] == "cc0-1.0"
