"""The page itself, which Streamlit runs anew at every click. Its arguments are those of `opened`.

All that comes from a text, a label or a file is shown by `st.text` or in a table, which take it as
it is: no HTML, and no Markdown either.
"""

import sys

import streamlit as st

from scripts.cli.errors import ProjectError
from scripts.cli.words import count, listed
from scripts.trying.neighbours import Neighbours
from scripts.trying.opened import opened
from scripts.trying.pipeline import Pipeline, Result
from scripts.trying.texts import FILES, WAYS, check, read_table, split

FILE = "A file"
NEAREST = 5
SHOWN = 400  # characters of a labelled text


def show_model(pipeline: Pipeline, neighbours: Neighbours | None) -> None:
    """What is tried, and on which texts."""
    meta, version = pipeline.meta, pipeline.meta.get("version", "")
    # spaCy's own of a pipeline that is not packaged.
    name = f"{pipeline.name} {version}" if version not in ("", "0.0.0") else pipeline.name
    lines = [f"Model: {name}", f"Labels: {', '.join(pipeline.labels)}"]
    if pipeline.threshold is None:
        lines.append("Each text gets one label: the most probable one.")
    else:
        lines.append(f"A text gets every label of probability {pipeline.threshold:g} or more.")
    if by := meta.get("trained_on"):
        people, machine = by.get("people", 0), by.get("machine", 0)
        lines.append(
            f"Trained on {by.get('data')}: {count(people, 'label')} by people, {machine} by machine"
        )
    if neighbours is not None:
        lines.append(f"Labelled texts to compare with: {len(neighbours):,}")
        if left_out := neighbours.left_out:
            lines[-1] += f" ({left_out:,} left out, with labels that the model does not have)"
    st.text("\n".join(lines))


def ask() -> list[str]:
    """The texts to classify; none yet at first.

    RAISES (ProjectError): They cannot be read.
    """
    way = st.segmented_control("How many texts?", [*WAYS, FILE], default=next(iter(WAYS)))
    if way == FILE:
        return ask_file()
    with st.form("typed"):
        typed = st.text_area("Type or paste", height=160, placeholder="Any text")
        st.form_submit_button("Classify", type="primary")
    return check(split(typed or "", way or next(iter(WAYS))))


def ask_file() -> list[str]:
    file = st.file_uploader("CSV, TSV, JSON or JSONL, with the names of its columns", type=FILES)
    if file is None:
        return []
    table = read_table(file.name, file.getvalue())
    names = list(table.columns)
    # The one of that name, or else the longest; a person can choose another.
    length = {name: sum(len(str(cell or "")) for cell in table.columns[name]) for name in names}
    likely = "text" if "text" in names else max(names, key=lambda name: length[name])
    column = st.selectbox("Column of the texts", names, names.index(likely))
    cells = ("" if cell is None else str(cell).strip() for cell in table.columns[column])
    return check([cell for cell in cells if cell])


def choose(results: list[Result]) -> Result:
    """A table of all texts, and the one to look at."""
    st.dataframe(
        [
            {"Text": result.text, "Decision": listed(result.given), "Certainty": result.certainty}
            | {f"doc.cats: {label}": score for label, score in result.cats.items()}
            for result in results
        ]
    )
    row = st.selectbox(
        "Look at",
        range(len(results)),
        format_func=lambda row: f"{row + 1}: {' '.join(results[row].text[:200].split())[:70]}",
    )
    return results[row]


def show_scores(result: Result) -> None:
    st.subheader("Decision")
    st.text(f"{listed(result.given)} (certainty {result.certainty:.3f})")
    scores = sorted(result.cats.items(), key=lambda item: -item[1])
    st.dataframe(
        [
            {"Label": label, "Given": label in result.given, "doc.cats": score}
            for label, score in scores
        ],
        column_config={
            "doc.cats": st.column_config.ProgressColumn(format="%.3f", min_value=0, max_value=1)
        },
        hide_index=True,
    )


def show_neighbours(pipeline: Pipeline, neighbours: Neighbours | None, result: Result) -> None:
    """The reason: what people said of the texts that are most like it."""
    st.subheader("Nearest labelled texts")
    if pipeline.encoder is None:
        st.info("This pipeline has no sentence encoder, so no text is near to another.")
        return
    if not neighbours:
        st.info("There are no labelled texts to compare with. To get some: `weasel run pull`")
        return
    (embedding,) = pipeline.encoder.encode([result.text])
    nearest = neighbours.nearest(embedding, NEAREST)
    same = sum(set(one.labelled.labels) == set(result.given) for one in nearest)
    st.text(
        f"{same} of the {len(nearest)} nearest are labelled just as decided here. The model has "
        "learned from texts like these; it does not look them up."
    )
    for labelled, similarity in nearest:
        said = [listed(labelled.labels), f"similarity {similarity:.3f}"]
        text = " ".join(labelled.text.split())
        with st.container(border=True):
            left, right = st.columns([1, 3])
            left.text("\n".join([*said, f"by {labelled.by}"] if labelled.by else said))
            right.text(text if len(text) <= SHOWN else text[:SHOWN] + " ...")


def main() -> None:
    # No icon: Streamlit loads those that it knows by name from the network.
    st.set_page_config(page_title="Try the model")
    st.title("Try the model")
    pipeline, neighbours = opened(*sys.argv[1:])
    show_model(pipeline, neighbours)
    st.caption("What you type stays on this machine, and is not stored.")
    try:
        texts = ask()
    except ProjectError as err:
        st.error("Nothing was classified.")
        st.text(f"{err.title}\n{err.hint}".strip())
        return
    if not texts:
        return
    results = pipeline.classify(texts)
    result = results[0] if len(results) == 1 else choose(results)
    show_scores(result)
    show_neighbours(pipeline, neighbours, result)


if __name__ == "__main__":
    main()
