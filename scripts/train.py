"""Labels in a .spacy file -> a trained pipeline, as the loop trains it at each step."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.cli.words import count
from scripts.data.corpus import labels_mark, read_labels, read_meta, read_pool
from scripts.loop.settings import load_settings


def main(
    ctx: typer.Context,
    labelled: Annotated[Path, typer.Argument(help="File that `pull` wrote", dir_okay=False)],
    output: Annotated[Path, typer.Argument(help="Folder of the pipeline", file_okay=False)],
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
) -> None:
    """Train the pipeline and save it. Does what `spacy train` does with the same config, but does
    not embed again what the loop has embedded."""
    settings = load_settings(config, ctx.args)
    paths = settings.paths
    if not labelled.exists():
        raise ProjectError(f"There is no {labelled}.", "Make it: weasel run pull")
    from spacy.training import Example

    from scripts.data.docbins import given, read_docs, read_gold_texts
    from scripts.loop.learner import Learner
    from scripts.shipping.sources import sources

    labels = read_labels(paths.corpus)
    for path in (labelled, paths.corpus / "test.spacy"):
        if path.exists():
            read_gold_texts(path, labels, settings.argilla.multi_label)
    learner = Learner(paths.pipeline, paths.cache, labels, read_pool(paths.corpus))
    docs = read_docs(labelled)
    learner.initialize([Example(learner.nlp.make_doc(doc.text), doc) for doc in docs])
    by = Counter(doc.user_data.get("by", "people") for doc in docs)
    # What a package of this pipeline says of itself.
    data, people = read_meta(paths.corpus), [d for d in docs if d.user_data.get("by") != "machine"]
    learner.nlp.meta["trained_on"] = {"data": data["name"], **by}
    learner.nlp.meta["labels_mark"] = labels_mark([d.text for d in people], map(given, people))
    learner.nlp.meta["sources"] = sources(data, learner.encoder_settings or {})
    learner.nlp.meta["encoder"] = learner.textcat.encoder.fingerprint
    learner.nlp.meta["multi_label"] = learner.multi_label
    output.parent.mkdir(parents=True, exist_ok=True)
    learner.nlp.to_disk(output)
    texts = count(len(docs), "text")
    msg.good(f"{output}: trained on {texts}; labels: {', '.join(learner.labels)}")


if __name__ == "__main__":
    run(main)
