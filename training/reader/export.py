"""Writes the shipped artefact: `python -m training.reader.export WEIGHTS [--language zh]`.

The model becomes ONNX with free batch and sequence axes, its matrices and embeddings int8. The
calibration starts neutral; `training.reader.measure --write` fits it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from retrievers.analysis import Language
from training.reader.bases import base
from training.reader.model import SpanModel

_OPSET = 17
_LICENCE = "CC BY-SA 4.0"
"""That of XQuAD, CMRC 2018 and DRCD, which both readers learned from."""


def export(weights: Path, artefact: Path, language: Language, exact: bool = False) -> None:
    """Write `artefact` and the card beside it; with `exact`, the weights in float32."""
    begun = base(language)
    model = SpanModel(begun, attention="eager")
    model.load_state_dict(torch.load(weights, weights_only=True))
    model.eval()
    names = ("input_ids", "attention_mask")
    axes = {name: {0: "batch", 1: "sequence"} for name in (*names, "start", "end")}
    sample = tuple(torch.ones(2, 16, dtype=torch.long) for _ in names)
    with tempfile.TemporaryDirectory() as folder:
        unquantised = artefact if exact else Path(folder) / "exact.onnx"
        torch.onnx.export(
            model,
            sample,
            str(unquantised),
            input_names=list(names),
            output_names=["start", "end"],
            dynamic_axes=axes,
            opset_version=_OPSET,
            dynamo=False,
        )
        if not exact:
            # Seven-bit weights: without VNNI, eight bits saturate in the CPU's 16-bit sums.
            quantize_dynamic(
                unquantised,
                artefact,
                weight_type=QuantType.QInt8,
                per_channel=True,
                reduce_range=True,
            )
    card = {
        "sha256": hashlib.sha256(artefact.read_bytes()).hexdigest(),
        "no_answer_scale": 1.0,
        "no_answer_shift": 0.0,
        "base": begun.name,
        "licence": _LICENCE,
        "data": "training/reader/DATA.md" if language == "en" else "training/reader/DATA-zh.md",
    }
    artefact.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--language", choices=("en", "zh"), default="en")
    parser.add_argument("--artefact", type=Path, help="instead of the one that ships")
    parser.add_argument("--exact", action="store_true", help="in float32, to see what int8 costs")
    arguments = parser.parse_args()
    artefact = arguments.artefact or base(arguments.language).layout.weights
    export(arguments.weights, artefact, arguments.language, arguments.exact)
    print(f"{artefact}: {artefact.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
