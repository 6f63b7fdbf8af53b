"""What holds for any text."""

import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.components.helpers import TRAIN, one_hot

anything = st.one_of(
    st.text(max_size=80),
    st.text(alphabet="ab \n\t", max_size=20),
    st.sampled_from(
        ["", " ", "\n", "x " * 3000, "ｆｕｌｌ", "\u202eright to left", "e\u0301" * 50]
    ),
)


KINDS = ["exclusive", "multi-label", "kernel", "svc", "zero-shot", "int8"]


@pytest.fixture(scope="module", params=KINDS)
def pipelines(request, make_pipeline, int8_folder, tmp_path_factory):
    """A pipeline, and the same after saving and loading."""
    config, rows, initialize = {}, one_hot(TRAIN), {}
    if request.param == "multi-label":
        config["multi_label"] = True
    elif request.param == "kernel":
        config["classifier"] = {"@misc": "classy_head.kernel.v1", "min_examples": 2}
    elif request.param == "svc":
        config["classifier"] = {"@misc": "classy_head.svc.v1"}
    elif request.param == "zero-shot":
        rows, initialize = [], {"labels": ["business", "sport"]}
    elif request.param == "int8":
        config["encoder"] = {"@misc": "onnx_encoder.v1", "path": str(int8_folder)}
    nlp = make_pipeline(rows, initialize=initialize, **config)
    folder = tmp_path_factory.mktemp("saved")
    nlp.to_disk(folder)
    return nlp, spacy.load(folder)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=st.lists(anything, min_size=1, max_size=6), data=st.data())
def test_any_text(pipelines, texts, data):
    nlp, loaded = pipelines
    pipe = nlp.get_pipe("classy_textcat")
    forget(pipe)
    cats = [doc.cats for doc in nlp.pipe(texts)]
    for row in cats:
        assert tuple(row) == pipe.labels
        assert all(type(value) is float and 0 <= value <= 1 for value in row.values())
        if not pipe.multi_label:
            assert sum(row.values()) == pytest.approx(1)
    # The same alone, in another order, in other batches, and after saving and loading.
    order = data.draw(st.permutations(range(len(texts))))
    forget(pipe)
    turned = [doc.cats for doc in nlp.pipe([texts[i] for i in order], batch_size=2)]
    forget(pipe)
    alone = [nlp(text).cats for text in texts]
    for i, row in enumerate(turned):
        assert row == pytest.approx(cats[order[i]], abs=1e-5)
    for row, other in zip(alone, cats, strict=True):
        assert row == pytest.approx(other, abs=1e-5)
    forget(pipe)
    assert [doc.cats for doc in loaded.pipe(texts)] == cats


def forget(pipe):
    """Embed again what was embedded before."""
    pipe.encoder.engine.cache.clear()
