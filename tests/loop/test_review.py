"""What a person is told of a label that is probably wrong."""

from pathlib import Path

from scripts.data.corpus import Pool
from scripts.loop.learner import Learner
from scripts.loop.review import OTHER, describe, suspects
from scripts.records.answers import Answer, Answers, Vote


def test_a_suspect_is_shown_with_its_answers_the_model_and_the_reason(
    headlines: list[dict[str, str]], pipelines: Path, tmp_path: Path
) -> None:
    rows = [dict(row) for row in headlines[::6]]
    rows[0]["label"] = "sports"  # business
    rows.append({"text": rows[15]["text"] + ".", "label": "business"})  # sports
    labels = {"business": "companies", "sports": "matches", "tech": "computers"}
    pool = Pool([str(n) for n in range(len(rows))], [row["text"] for row in rows])
    learner = Learner(pipelines / "textcat.cfg", tmp_path / "cache", labels, pool)
    answers = [
        Answer(str(n), row["text"], "labelled", (row["label"],), 0, "query", (Vote("anna", ()),))
        for n, row in enumerate(rows)
    ]
    answers[0] = Answer(
        "0", rows[0]["text"], "labelled", ("sports",), 0, "query",
        (Vote("anna", ("sports",)), Vote("ben", ("sports",)), Vote("cleo", (), discarded=True)),
    )  # fmt: skip
    found = {one.answer.id: one for one in suspects(Answers(answers), learner, 1.0)}
    assert found["0"].model == ("business",)
    assert found["0"].reason == OTHER
    said = describe(found["0"])
    assert said.startswith(f"'{rows[0]['text'][:40]}")
    assert f"sports by anna; sports by ben; model: business ({found['0'].probability:.2f})" in said
    last = str(len(rows) - 1)
    assert rows[15]["text"][:40] in found[last].reason
    assert found[last].reason.endswith("which is sports")
    assert found["15"].reason.endswith("which is business")
