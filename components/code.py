"""One file for `--code` of `spacy train`, `evaluate` and `debug`, run from the repo root."""

import components.classy_heads
import components.classy_textcat
import components.onnx_encoder
import components.pool_heads
import components.readers  # noqa: F401
