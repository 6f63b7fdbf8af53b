"""The page as a person sees it, run by Streamlit's own AppTest."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from scripts.trying.labelled import read_labelled
from tests.components.helpers import TEST, TRAIN
from tests.trying.conftest import LABELS, ShowPage

EVIL = "<script>document.title = 'taken'</script> **bold** :red[The striker] $x$ :smile: scored"


def classify(app: AppTest, typed: str, way: str = "") -> AppTest:
    if way:
        app.segmented_control[0].select(way).run()
    app.text_area[0].input(typed)
    app.button[0].click().run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    """All plain text on the page."""
    return "\n".join(text.value for text in app.text)


def test_before_anything_is_typed(show: ShowPage, model: Path, labelled: Path) -> None:
    app = show(model, labelled)
    for words in (
        f"Model: {model}\n",  # its version is spaCy's own until it is packaged
        "Labels: business, sport, tech",
        "one label: the most probable one",
        "Trained on sentences: 12 labels by people, 0 by machine",
        "Labelled texts to compare with: 12",
    ):
        assert words in said(app)
    assert "stays on this machine" in app.caption[0].value
    assert not app.dataframe
    assert not classify(app, "  \n ").dataframe


def test_scores_decision_and_the_nearest_labelled_texts(
    show: ShowPage, model: Path, labelled: Path
) -> None:
    text, label = TEST[1]
    app = classify(show(model, labelled), f"\n{text} ")
    table = app.dataframe[0].value
    assert table["Label"][0] == label
    assert list(table["Given"]) == [True, False, False]
    assert list(table["doc.cats"]) == sorted(table["doc.cats"], reverse=True)
    assert sum(table["doc.cats"]) == pytest.approx(1)
    assert f"{label} (certainty {table['doc.cats'][0]:.3f})" in said(app)
    near = [text.value for text in app.text if "similarity" in text.value]
    by = {row.text: row.by for row in read_labelled(labelled)}
    shown = [text.value for text in app.text if text.value in by]
    assert len(near) == len(shown) == 5
    for words, neighbour in zip(near, shown, strict=True):
        assert words.startswith(f"{dict(TRAIN)[neighbour]}\nsimilarity 0.")
        assert words.endswith(f"\nby {by[neighbour]}")
    same = sum(words.startswith(label) for words in near)
    assert f"{same} of the 5 nearest are labelled just as decided here" in said(app)


def test_several_labels_by_the_threshold(show: ShowPage, several: Path) -> None:
    app = classify(show(several), TEST[0][0])
    assert "A text gets every label of probability 0.999 or more." in said(app)
    assert "none of the labels (certainty 0." in said(app)
    assert list(app.dataframe[0].value["Given"]) == [False] * 3


def test_several_texts_and_a_look_at_one(show: ShowPage, model: Path) -> None:
    texts = [text for text, _ in TEST]
    app = classify(show(model), "\n".join(texts), "A text a line")
    table = app.dataframe[0].value
    assert list(table["Text"]) == texts
    assert list(table["Decision"]) == [label for _, label in TEST]
    assert list(table.columns[3:]) == [f"doc.cats: {label}" for label in LABELS]
    app.selectbox[0].select_index(2).run()
    assert f"{TEST[2][1]} (certainty {table['Certainty'][2]:.3f})" in said(app)


def test_a_file(show: ShowPage, model: Path) -> None:
    app = show(model)
    app.segmented_control[0].select("A file").run()
    assert not app.dataframe
    rows = "".join(f'{label},"{text}"\n' for text, label in TEST)
    app.file_uploader[0].upload("mine.csv", f"label,body\n{rows}x,\n".encode(), "text/csv").run()
    assert not app.exception
    assert app.selectbox[0].value == "body"
    assert list(app.dataframe[0].value["Decision"]) == [label for _, label in TEST]
    app.selectbox[0].select("label").run()
    assert list(app.dataframe[0].value["Text"]) == [*(label for _, label in TEST), "x"]


def test_what_cannot_be_read_is_said(show: ShowPage, model: Path) -> None:
    app = show(model)
    app.segmented_control[0].select("A file").run()
    app.file_uploader[0].upload("mine.json", b"[{", "application/json").run()
    assert app.error[0].value == "Nothing was classified."
    assert "mine.json cannot be read as .json" in said(app)
    app = classify(show(model), "x\n" * 501, "A text a line")
    assert "501 texts; the page takes 500" in said(app)


def test_markup_stays_text(show: ShowPage, model: Path, tmp_path: Path) -> None:
    """Shown by elements that take it as it is; a real browser looks at it in test_serve.py."""
    (tmp_path / "evil.csv").write_text(f'text,label\n"{EVIL}",sport\n')
    app = classify(show(model, tmp_path / "evil.csv"), f"{EVIL}\n{EVIL} again", "A text a line")
    assert list(app.dataframe[0].value["Text"]) == [EVIL, f"{EVIL} again"]
    assert EVIL in [text.value for text in app.text]
    formatted = [*app.markdown, *app.caption, *app.title, *app.subheader, *app.info, *app.error]
    assert not [one.value for one in formatted if "script" in one.value or "bold" in one.value]


def test_without_labelled_texts_or_an_encoder(
    show: ShowPage, model: Path, spacy_model: Path, labelled: Path, tmp_path: Path
) -> None:
    app = classify(show(model), TEST[0][0])
    assert len(app.dataframe) == 1
    assert "no labelled texts" in app.info[0].value
    assert "weasel run pull" in app.info[0].value
    (tmp_path / "other.csv").write_text("text,label\nA film,culture\n")
    app = classify(show(model, tmp_path / "other.csv"), TEST[0][0])
    assert "compare with: 0 (1 left out, with labels" in said(app)
    assert "no labelled texts" in app.info[0].value
    app = classify(show(spacy_model, labelled), TEST[0][0])
    assert len(app.dataframe) == 1
    assert "no sentence encoder" in app.info[0].value
