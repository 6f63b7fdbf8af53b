"""The README of a package, from its meta.json and one answer of the pipeline."""

import re
from collections.abc import Mapping, Sequence

from wasabi import MarkdownRenderer

from scripts.cli.words import count, rests_on, sentence
from scripts.shipping.facts import all_labels, labels_by
from scripts.shipping.release import Meta, package_name

MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|~^$])")


def readme(meta: Meta, answer: Mapping[str, float]) -> str:
    """Markdown. answer: The pipeline's own `cats` of `example_text(meta)`."""
    sections = [
        f"# {plain(package_name(meta['lang'], meta['name']))}",
        plain(meta["description"]),
        "## Use",
        *_use(meta, answer),
        "## Labels",
        *_labels(meta),
        "## Scores",
        *_scores(meta),
        "## How it was made",
        *_made(meta),
        "## Limits",
        "\n".join(f"- {limit}" for limit in _limits(meta)),
        "## Licence and sources",
        *_sources(meta),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def plain(text: object) -> str:
    """A text as it is, in one line: nothing in it is taken for Markdown or HTML."""
    line = " ".join(str(text).split()).replace("&", "&amp;").replace("<", "&lt;")
    return MARKUP.sub(r"\\\1", line)


def example_text(meta: Meta) -> str:
    """A text that gives nothing away of those that it was trained on."""
    return f"This text is about {all_labels(meta)[0]}."


def _fenced(text: str, language: str = "") -> str:
    ticks = "`" * max(3, 1 + max(map(len, re.findall(r"`+", text)), default=0))
    return f"{ticks}{language}\n{text}\n{ticks}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return str(MarkdownRenderer().table(rows, header)).strip()


def _use(meta: Meta, answer: Mapping[str, float]) -> list[str]:
    name = package_name(meta["lang"], meta["name"])
    code = (
        f"import spacy\n\nnlp = spacy.load({name!r})\n"
        f"doc = nlp({example_text(meta)!r})\n"
        "for label, score in sorted(doc.cats.items(), key=lambda item: -item[1])[:5]:\n"
        '    print(f"{score:.2f} {label}")'
    )
    best = sorted(answer.items(), key=lambda item: -item[1])[:5]
    printed = "\n".join(f"{score:.2f} {label}" for label, score in best)
    return [
        "`pip install` the wheel; it has all its files inside, works without network and needs "
        f"{_needs(meta)}.",
        _fenced(code, "python"),
        "It prints:",
        _fenced(printed),
        "Many texts go through `nlp.pipe(texts)`, which is faster.",
    ]


def _needs(meta: Meta) -> str:
    names = [re.split(r"[<>=!~ ]", one)[0] for one in meta.get("requirements", [])]
    return ", ".join(f"`{name}`" for name in sorted({*names, "spacy"}))


def _labels(meta: Meta) -> list[str]:
    said = meta.get("label_descriptions", {})
    rows = [[plain(label), plain(said.get(label, ""))] for label in all_labels(meta)]
    if not meta.get("multi_label"):
        which = "Each text has one of them: that with the highest score. The scores sum to 1."
    else:
        which = (
            f"Each text has any number of them: those with a score of {meta['threshold']} or more."
        )
    return [which, _table(["label", "description"], rows)]


def _scores(meta: Meta) -> list[str]:
    found, tested = meta.get("performance"), meta.get("tested_on")
    if not found or not tested:
        return ["Nothing is known: no scores on held-out texts came with it."]
    low, high = found["cats_macro_f_interval"]
    exact = "all labels of a text right" if meta.get("multi_label") else "accuracy"
    rows = []
    for label, score in found.get("cats_f_per_type", {}).items():
        one = tested["per_label"].get(label, {})
        between = one.get("f_interval")
        rows.append(
            [
                plain(label),
                str(one.get("n", "")),
                *(f"{score[key]:.3f}" for key in ("p", "r", "f")),
                f"{between[0]:.3f} to {between[1]:.3f}" if between else "",
            ]
        )
    return [
        f"On {count(tested['texts'], 'text')} that were held out: macro-F "
        f"{found['cats_macro_f']:.3f} (95 % interval {low:.3f} to {high:.3f}), {exact} "
        f"{found['cats_accuracy']:.3f}.",
        _table(["label", "texts", "precision", "recall", "F", "95 % interval of F"], rows),
    ]


def _made(meta: Meta) -> list[str]:
    trained = meta.get("trained_on", {})
    if "encoder" in meta or "classy_textcat" in meta.get("components", ()):
        learner = "a small model on top of a frozen sentence encoder learned from their labels."
    else:  # what `distil` wrote
        more = ", and from a larger model's answers to other texts" if trained.get("model") else ""
        learner = f"spaCy's own text categorizer learned from their labels{more}."
    lines = [
        f"People labelled in Argilla the texts that an active-learning loop asked; {learner}",
    ]
    if trained:
        lines.append(f"Trained on texts of {plain(trained['data'])}: {labels_by(trained)}.")
    if promise := meta.get("promise"):
        lines.append(
            f"What is promised of the labels of the finished data set (not of the pipeline's "
            f"answers to other texts): {plain(promise['words'])}"
        )
        lines.append(sentence(rests_on(promise["proving"])))
    return lines


def _limits(meta: Meta) -> list[str]:
    tested = meta.get("tested_on")
    data = plain(meta["trained_on"]["data"]) if "trained_on" in meta else "its training data"
    limits = [
        f"It knows texts like those of {data}. On texts from elsewhere, in another language or of "
        "another time, what is said here need not hold: test it on some of yours first.",
    ]
    if length := meta.get("max_length"):
        limits.append(
            f"It reads the first {length} tokens of a text, which is about {3 * length // 4} "
            "English words; what comes after them changes nothing."
        )
    if tested:
        few = [label for label, one in tested["per_label"].items() if one["n"] < 30]
        limits.append(
            f"It was tested on {count(tested['texts'], 'text')}"
            + (f"; of {', '.join(map(plain, few))} on fewer than 30 each" if few else "")
            + ". The intervals say how much that leaves open."
        )
    if meta.get("multi_label"):
        limits.append(
            "A score is the probability of a label. In the scores above a label counts as given "
            f"from {meta['threshold']} on; with a higher threshold of your own fewer labels are "
            "given, and more of them are right."
        )
    else:
        limits.append(
            "A text that fits none of the labels gets one of them all the same. There is no "
            "threshold; to leave unsure texts to people, set one of your own for the highest score."
        )
    return limits


def _sources(meta: Meta) -> list[str]:
    licence = meta.get("license")
    rows = [
        [
            plain(one["name"]),
            plain(one.get("author", "")),
            plain(one.get("license", "")),
            f"<{one['url']}>" if one.get("url") else "",
        ]
        for one in meta.get("sources") or []
    ]
    who = f" By {plain(meta['author'])}." if meta.get("author") else ""
    return [
        (f"Licence: {plain(licence)}." if licence else "No licence is given.") + who,
        _table(["made with", "by", "licence", "where"], rows),
    ]
