"""Sentence embeddings from ONNX Runtime and tokenizers alone: no torch, no transformers.

The folder it reads is written by `scripts/encoder.py`:

    encoder.json     settings (length, dimensions, precision, source, fingerprint)
    tokenizer.json   the model's own fast tokenizer
    model.onnx       token ids in, finished sentence embeddings out
    model.onnx.data  its weights, in a file that can be mapped into memory
"""

import json
import multiprocessing
import os
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO
from weakref import WeakValueDictionary

import numpy as np
import srsly
from spacy.util import registry

SETTINGS, TOKENIZER = "encoder.json", "tokenizer.json"
MODEL, WEIGHTS = "model.onnx", "model.onnx.data"
# Token positions (padding included) that go through the model together. Activations of this size
# stay in a core's own cache; larger runs are no faster and short texts alone waste the weights'
# way through memory.
TOKENS_PER_RUN = 256
CACHED_TEXTS = 4096

_engines: "WeakValueDictionary[str, _Engine]" = WeakValueDictionary()
_engines_lock = threading.Lock()


@registry.misc("onnx_encoder.v1")
def make_onnx_encoder(
    path: str | None = None,
    batch_size: int = 32,
    threads: int = 0,
    max_length: int | None = None,
) -> "OnnxEncoder":
    """Make an encoder that reads its model from `path` when it is first needed."""
    return OnnxEncoder(path, batch_size=batch_size, threads=threads, max_length=max_length)


class OnnxEncoder:
    """A sentence encoder. All encoders of one model in a process share its weights and the
    embeddings of the last texts, whichever pipeline or component they belong to.

    path: exported folder; may be missing if `from_disk` or `from_bytes` is called before use.
    batch_size: most texts in one run of the model (an int8 model always runs one: the range its
        activations are rounded to is that of the whole run, so neighbours would change a text).
    threads: texts (or small batches) encoded at the same time; 0 takes every core, or one core
        where the process is itself a worker of `nlp.pipe(n_process=...)`.
    max_length: tokens read of a text, if fewer than the model's own limit.
    """

    requirements = ("onnxruntime>=1.17", "tokenizers>=0.19", "numpy>=1.24")

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        batch_size: int = 32,
        threads: int = 0,
        max_length: int | None = None,
    ) -> None:
        if batch_size < 1 or threads < 0 or (max_length is not None and max_length < 1):
            raise ValueError(
                "The encoder needs batch_size >= 1, threads >= 0 and max_length >= 1 (or null), "
                f"not batch_size={batch_size}, threads={threads}, max_length={max_length}."
            )
        self.path = Path(path) if path is not None else None
        self.batch_size = batch_size
        self.threads = threads
        self.max_length = max_length
        self._files: _Files | None = None
        self._engine: _Engine | None = None

    @property
    def files(self) -> "_Files":
        if self._files is None:
            if self.path is None:
                raise ValueError(
                    "The encoder has no model: give its config a path, or load it with from_disk."
                )
            self._files = _Files.from_folder(self.path)
        return self._files

    @property
    def settings(self) -> dict[str, Any]:
        return self.files.settings

    @property
    def dim(self) -> int:
        return self.settings["dim"]

    @property
    def fingerprint(self) -> str:
        """Same fingerprint, same embeddings: model, tokenizer and reading length."""
        length = min(self.max_length or self.settings["max_length"], self.settings["max_length"])
        return f"{self.settings['fingerprint']}-{length}"

    @property
    def engine(self) -> "_Engine":
        if self._engine is None:
            with _engines_lock:
                engine = _engines.get(self.fingerprint)
                if engine is None:
                    engine = _Engine(self.files, int(self.fingerprint.rpartition("-")[2]))
                    _engines[self.fingerprint] = engine
            self._engine = engine
        return self._engine

    def encode(self, texts: Sequence[str], show_progress_bar: bool = False) -> np.ndarray:
        """Embed texts. RETURNS float32 (n, dim). `show_progress_bar` is accepted so that the
        encoder can stand where classy-classification expects a SentenceTransformer."""
        if isinstance(texts, str):
            raise ValueError("encode takes a list of texts, not one string.")
        threads = self.threads
        if threads == 0:
            threads = 1 if multiprocessing.parent_process() else (os.cpu_count() or 1)
        return self.engine.encode(list(texts), self.batch_size, threads)

    def to_disk(self, path: str | Path) -> None:
        self.files.to_folder(Path(path))

    def from_disk(self, path: str | Path) -> "OnnxEncoder":
        self._files, self._engine = _Files.from_folder(Path(path)), None
        return self

    def to_bytes(self) -> bytes:
        return self.files.to_bytes()

    def from_bytes(self, data: bytes) -> "OnnxEncoder":
        self._files, self._engine = _Files.from_bytes(data), None
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "OnnxEncoder":
        copy = OnnxEncoder(
            self.path, batch_size=self.batch_size, threads=self.threads, max_length=self.max_length
        )
        # Weights never change, so copies share them.
        copy._files, copy._engine = self._files, self._engine
        return copy

    def __getstate__(self) -> dict[str, Any]:
        state = {**self.__dict__, "_engine": None, "_files": None}
        if self._files is not None or (self.path is not None and self.path.exists()):
            state["_files"] = self.to_bytes()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if state["_files"] is not None:
            self.from_bytes(state["_files"])


class _Files:
    """The files of an encoder. The model's stay on disk, held open, so that an encoder costs no
    memory until it is used and still works (and saves) after its folder is deleted."""

    def __init__(
        self,
        settings: dict[str, Any],
        tokenizer: bytes,
        model: dict[str, bytes | BinaryIO],
        folder: Path | None = None,
    ) -> None:
        self.settings = settings
        self.tokenizer = tokenizer
        self.model = model
        self.folder = folder

    @classmethod
    def from_folder(cls, folder: Path) -> "_Files":
        missing = [name for name in (SETTINGS, TOKENIZER, MODEL) if not (folder / name).is_file()]
        if missing:
            raise ValueError(
                f"No sentence encoder in '{folder}' ({', '.join(missing)} missing). Make it with "
                "`weasel run encoder`, or set the encoder's path to an exported encoder."
            )
        return cls(
            srsly.read_json(folder / SETTINGS),
            (folder / TOKENIZER).read_bytes(),
            {name: _open(folder / name) for name in (MODEL, WEIGHTS) if (folder / name).is_file()},
            folder.absolute(),
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> "_Files":
        parts = srsly.msgpack_loads(data)
        model = {name: parts[name] for name in (MODEL, WEIGHTS) if name in parts}
        return cls(parts[SETTINGS], parts[TOKENIZER], model)

    def to_bytes(self) -> bytes:
        model = {name: self.read(name) for name in self.model}
        return srsly.msgpack_dumps({SETTINGS: self.settings, TOKENIZER: self.tokenizer, **model})

    def read(self, name: str) -> bytes:
        file = self.model[name]
        if isinstance(file, bytes):
            return file
        # Positioned reads: processes forked from this one share the file's offset.
        handle, size, parts, done = file.fileno(), os.fstat(file.fileno()).st_size, [], 0
        while done < size:
            parts.append(os.pread(handle, size - done, done))
            done += len(parts[-1])
        return b"".join(parts)

    def path_of(self, name: str) -> Path | None:
        """Where the file is, while that is still the file that was opened."""
        file = self.model[name]
        path = self.folder / name if self.folder is not None else None
        if isinstance(file, bytes) or path is None or not path.exists():
            return None
        return path if os.path.samestat(os.fstat(file.fileno()), path.stat()) else None

    @contextmanager
    def model_path(self) -> Iterator[Path]:
        """The model as a path: ONNX Runtime then maps the weights instead of copying them."""
        paths = [self.path_of(name) for name in self.model]
        if paths[0] is not None and all(paths):
            yield paths[0]
            return
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            for name in self.model:
                (Path(folder) / name).write_bytes(self.read(name))
            yield Path(folder) / MODEL

    def to_folder(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if self._is_in(folder):
            return
        # Written beside and moved in place: the folder may hold the files that we read from.
        twin = self._sibling_of(folder)
        for name in self.model:
            part = folder / f"{name}.part"
            part.unlink(missing_ok=True)
            if twin is None or not _link(twin / name, part):
                path = self.path_of(name)
                if path is not None:
                    shutil.copyfile(path, part)
                else:
                    part.write_bytes(self.read(name))
        # Without settings there is no encoder: no moment shows parts of two as one.
        (folder / SETTINGS).unlink(missing_ok=True)
        (folder / WEIGHTS).unlink(missing_ok=True)
        for name in self.model:
            (folder / f"{name}.part").replace(folder / name)
        (folder / TOKENIZER).write_bytes(self.tokenizer)
        srsly.write_json(folder / SETTINGS, self.settings)

    def _is_in(self, folder: Path) -> bool:
        try:
            settings = json.loads((folder / SETTINGS).read_text("utf8"))
        except (OSError, ValueError):
            return False
        there = {name for name in (TOKENIZER, MODEL, WEIGHTS) if (folder / name).is_file()}
        return there == {TOKENIZER, *self.model} and settings == self.settings

    def _sibling_of(self, folder: Path) -> Path | None:
        """Components of one pipeline that use the same encoder keep one copy on disk."""
        if not (folder.parent.parent / "config.cfg").exists():  # spaCy writes it before components
            return None
        for settings in sorted(folder.parent.parent.glob(f"*/{folder.name}/{SETTINGS}")):
            if settings.parent != folder and self._is_in(settings.parent):
                return settings.parent
        return None


def _open(path: Path) -> bytes | BinaryIO:
    # Windows cannot delete a folder with an open file in it.
    return path.read_bytes() if os.name == "nt" else path.open("rb")


def _link(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        return False
    return True


class _Engine:
    """One model in memory, with its tokenizer and the embeddings of the last texts."""

    def __init__(self, files: _Files, max_length: int) -> None:
        # Imported here: a pipeline that is only looked at needs neither.
        import onnxruntime
        from tokenizers import Tokenizer

        self.settings = files.settings
        self.tokenizer = Tokenizer.from_str(files.tokenizer.decode("utf8"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(max_length)
        options = onnxruntime.SessionOptions()
        # Threads work on different texts, not inside one: matrices are small, results don't
        # depend on the number of threads, and a session without threads survives a fork.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # The exported graph is optimised already.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        with files.model_path() as path:
            self.session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        self.inputs = [model_input.name for model_input in self.session.get_inputs()]
        self.cache: OrderedDict[bytes, np.ndarray] = OrderedDict()
        self.lock = threading.Lock()

    def encode(self, texts: list[str], batch_size: int, threads: int) -> np.ndarray:
        keys = [blake2b(text.encode("utf8", "replace"), digest_size=16).digest() for text in texts]
        with self.lock:
            known = {key: self.cache[key] for key in keys if key in self.cache}
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if new:
            known.update(
                zip(new, self._encode_all(list(new.values()), batch_size, threads), strict=True)
            )
        with self.lock:
            for key in keys:
                self.cache[key] = known[key]
                self.cache.move_to_end(key)
            while len(self.cache) > CACHED_TEXTS:
                self.cache.popitem(last=False)
        vectors = np.empty((len(keys), self.settings["dim"]), dtype=np.float32)
        for row, key in enumerate(keys):
            vectors[row] = known[key]
        return vectors

    def _encode_all(self, texts: list[str], batch_size: int, threads: int) -> np.ndarray:
        # One by one on purpose: no slower here, and the tokenizer's own threads and forks
        # (n_process) don't go together.
        ids = [self._tokenize(text) for text in texts]
        runs = self._plan([len(row) for row in ids], batch_size)
        vectors = np.empty((len(texts), self.settings["dim"]), dtype=np.float32)

        def run(rows: list[int]) -> None:
            vectors[rows] = self._run([ids[row] for row in rows])

        if threads == 1 or len(runs) == 1:
            for rows in runs:
                run(rows)
        else:
            with ThreadPoolExecutor(min(threads, len(runs))) as pool:
                list(pool.map(run, runs))
        return vectors

    def _tokenize(self, text: str) -> list[int]:
        text = self.settings.get("prefix", "") + text.strip()
        if self.settings.get("lower_case"):
            text = text.lower()
        # Lone surrogates cannot be tokenized; `replace` is what spaCy's StringStore does, too.
        text = text.encode("utf8", "replace").decode("utf8")
        return self.tokenizer.encode(text).ids or [self.settings["pad_id"]]

    def _plan(self, lengths: list[int], batch_size: int) -> list[list[int]]:
        """Split texts into runs of similar length, longest first so that threads end together."""
        if self.settings["precision"] != "fp32":
            batch_size = 1
        runs: list[list[int]] = []
        for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
            if runs and len(runs[-1]) < batch_size:
                longest = lengths[runs[-1][0]]
                if longest * (len(runs[-1]) + 1) <= TOKENS_PER_RUN:
                    runs[-1].append(row)
                    continue
            runs.append([row])
        return runs

    def _run(self, rows: list[list[int]]) -> np.ndarray:
        """Token ids of some texts -> float32 (n, dim)."""
        shape = (len(rows), max(map(len, rows)))
        ids = np.full(shape, self.settings["pad_id"], dtype=np.int64)
        mask = np.zeros(shape, dtype=np.int64)
        for target, row in enumerate(rows):
            ids[target, : len(row)] = row
            mask[target, : len(row)] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        return self.session.run(None, {name: feed[name] for name in self.inputs})[0]
