"""Labels as people have them: few, many, rare, oddly named; and no examples at all."""

import pytest
import spacy
import srsly

from tests.components.helpers import TEST, TRAIN, examples, one_hot

TEXTS = [text for text, _ in TEST]
# What people called their labels when they could not save or load classy's pipelines.
ODD = {
    "business": "sales & marketing / B2B",
    "sport": "$port: ${score}",
    "tech": "Tëch 🛰 \"quoted\" 'name' [x] a.b\nnext line",
}


def best(cats):
    return max(cats, key=cats.__getitem__)


def test_odd_labels_and_texts_are_saved_and_loaded(make_pipeline, tmp_path):
    rows = [(f"${{{text}}} $x [a.b] @misc = 1", ODD[label]) for text, label in TRAIN]
    # From a file, as nothing with "${" or a line break in it can stand in a config.
    srsly.write_json(tmp_path / "labels.json", {ODD["tech"]: "${computers} and\nsoftware"})
    descriptions = {"@readers": "spacy.read_labels.v1", "path": str(tmp_path / "labels.json")}
    srsly.write_json(tmp_path / "list.json", list(ODD.values()))
    labels = {"@readers": "spacy.read_labels.v1", "path": str(tmp_path / "list.json")}
    settings = {"labels": labels, "label_descriptions": descriptions}
    nlp = make_pipeline(one_hot(rows), initialize=settings)
    loaded = spacy.load(save(nlp, tmp_path / "saved"))
    assert loaded.get_pipe("classy_textcat").labels == tuple(ODD.values())
    for text, label in TEST:
        assert best(loaded(text).cats) == ODD[label]
        assert loaded(text).cats == nlp(text).cats


def save(nlp, path):
    nlp.to_disk(path)
    return path


def test_one_label_alone_is_member_or_not(make_pipeline, tmp_path):
    rows = [(text, {"sport": 1.0}) for text, label in TRAIN if label == "sport"]
    for classifier in ("logistic", "svc"):
        config = {"@misc": f"classy_head.{classifier}.v1"}
        nlp = spacy.load(save(make_pipeline(rows, classifier=config), tmp_path / classifier))
        cats = [nlp(text).cats for text in (*TEXTS, rows[0][0])]
        assert all(list(row) == ["sport"] and 0 <= row["sport"] <= 1 for row in cats)
        assert cats[-1]["sport"] > cats[0]["sport"]
    member = make_pipeline(rows)("They lost the cup final on penalties.").cats["sport"]
    assert member >= 0.5 > make_pipeline(rows)("Interest rates are rising.").cats["sport"]


def test_one_label_and_texts_without_it(make_pipeline):
    nlp = make_pipeline([(text, {"sport": float(label == "sport")}) for text, label in TRAIN])
    assert [nlp(text).cats["sport"] >= 0.5 for text in TEXTS] == [False, True, False]
    gold = [(text, {"sport": float(label == "sport")}) for text, label in TEST]
    assert nlp.evaluate(examples(nlp, gold))["cats_micro_p"] == 1.0


@pytest.mark.parametrize("head", ["logistic", "svc"])
def test_one_example_a_label(make_pipeline, head):
    nlp = make_pipeline(one_hot(TRAIN[::4]), classifier={"@misc": f"classy_head.{head}.v1"})
    for text in TEXTS:
        assert sum(nlp(text).cats.values()) == pytest.approx(1)
    assert best(nlp(TRAIN[0][0]).cats) == TRAIN[0][1]


@pytest.mark.parametrize("head", ["logistic", "svc"])
def test_heavy_imbalance(make_pipeline, head):
    many = [(f"The bank's shares rose by {i} percent.", "business") for i in range(60)]
    rare = [TRAIN[4], TRAIN[5], TRAIN[8]]  # two of sport, one of tech
    nlp = make_pipeline(one_hot([*many, *rare]), classifier={"@misc": f"classy_head.{head}.v1"})
    for text, label in rare:
        assert best(nlp(text).cats) == label
    assert best(nlp(TEXTS[0]).cats) == "business"


def test_a_label_without_an_example(make_pipeline):
    labels = ["business", "sport", "tech", "weather"]
    nlp = make_pipeline(
        one_hot(TRAIN),
        initialize={"labels": labels, "label_descriptions": {"weather": "rain, snow and sunshine"}},
    )
    assert list(nlp(TEXTS[0]).cats) == labels
    assert [best(nlp(text).cats) for text in TEXTS] == [label for _, label in TEST]
    assert best(nlp("Heavy rain and snow are expected.").cats) == "weather"
    assert sum(nlp(TEXTS[0]).cats.values()) == pytest.approx(1)


def test_all_examples_have_one_of_several_labels(make_pipeline):
    rows = [(text, {"business": 0.0, "sport": 1.0}) for text, label in TRAIN if label == "sport"]
    nlp = make_pipeline(rows)
    assert best(nlp(TEXTS[1]).cats) == "sport"
    assert best(nlp("Business, markets and the economy.").cats) == "business"


def test_many_labels(make_pipeline):
    rows = [(f"This is about number {i}, and {j} too.", f"n{i}") for i in range(40) for j in "ab"]
    nlp = make_pipeline(one_hot(rows))
    assert len(nlp(rows[0][0]).cats) == 40
    assert sum(best(nlp(text).cats) == label for text, label in rows) > 70


@pytest.mark.parametrize("head", ["logistic", "svc"])
def test_multi_label(make_pipeline, tmp_path, head):
    rows = [
        (text, {"sport": float(label == "sport"), "money": float(label == "business")})
        for text, label in TRAIN
    ]
    rows += [
        ("The football club made a profit on its shares.", {"sport": 1.0, "money": 1.0}),
        ("The players' wages cost the team a fortune.", {"sport": 1.0, "money": 1.0}),
    ]
    nlp = make_pipeline(rows, multi_label=True, classifier={"@misc": f"classy_head.{head}.v1"})
    loaded = spacy.load(save(nlp, tmp_path))
    cats = [loaded(text).cats for text in TEXTS]
    assert [row["sport"] >= 0.5 for row in cats] == [False, True, False]
    assert [row["money"] >= 0.5 for row in cats] == [True, False, False]
    both = loaded("The football club's shares fell after the lost match.").cats
    assert min(both.values()) > max(cats[2].values())


def test_texts_without_a_label(make_pipeline):
    """No cats, or none of them given: nothing to learn where labels exclude each other, and
    an example of neither where they do not."""
    unlabelled = [("Nobody has labelled this.", {}), ("Nor this.", {"business": 0.0})]
    nlp = make_pipeline([*one_hot(TRAIN), *unlabelled])
    assert nlp(TEXTS[0]).cats == make_pipeline(one_hot(TRAIN))(TEXTS[0]).cats
    neither = [("The weather will be fine tomorrow.", {"a": 0.0}), ("So it rained.", {"a": 0.0})]
    nlp = make_pipeline([("The match was lost.", {"a": 1.0}), *neither], multi_label=True)
    assert nlp("It rained on.").cats["a"] < nlp("They won the match.").cats["a"]


@pytest.mark.parametrize("multi_label", [False, True])
def test_zero_shot(make_pipeline, tmp_path, multi_label):
    """Labels alone, before anybody has labelled anything; then the same component learns."""
    labels = ["business", "sport", "tech"]
    descriptions = {"tech": "computers, phones, software and the internet"}
    settings = {"labels": labels, "label_descriptions": descriptions}
    nlp = make_pipeline(initialize=settings, multi_label=multi_label)
    cats = [doc.cats for doc in nlp.pipe(TEXTS)]
    assert [best(row) for row in cats] == [label for _, label in TEST]
    assert all(list(row) == labels for row in cats)
    assert [doc.cats for doc in spacy.load(save(nlp, tmp_path)).pipe(TEXTS)] == cats
    data = examples(nlp, one_hot(TRAIN))
    nlp.initialize(lambda: data)
    assert [doc.cats for doc in nlp.pipe(TEXTS)] != cats


def test_descriptions_help_where_examples_are_few(make_pipeline):
    rows = one_hot([("Nothing much.", "a"), ("Something else.", "b")])
    text = "The defender headed the ball into the net."
    plain = make_pipeline(rows)(text).cats["a"]
    descriptions = {"a": "football: goals, matches and players"}
    described = make_pipeline(
        rows, initialize={"label_descriptions": descriptions, "labels": ["a", "b"]}
    )
    assert described(text).cats["a"] > plain + 0.1


def test_pool_reaches_the_head(make_pipeline):
    from spacy.util import registry

    from components.classy_heads import FittedHead

    pools = []

    @registry.misc("test_pool_head")
    def make_head():
        def fit(X, Y, *, pool=None, label_embeddings=None, **_):
            pools.append(pool)
            return FittedHead("softmax", {"coef": label_embeddings, "intercept": 0 * Y[0]})

        return fit

    head = {"@misc": "test_pool_head"}
    make_pipeline(one_hot(TRAIN), classifier=head, initialize={"pool": TEXTS})
    assert pools[0].shape == (3, 384)
