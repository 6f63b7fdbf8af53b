"""For `--code` of `spacy train`, `evaluate` and `debug`, which take one file, from the repo root."""

import components.classy_heads
import components.classy_textcat
import components.onnx_encoder  # noqa: F401
