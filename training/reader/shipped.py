"""Takes the weights back out of a reader's artefact, to train on from what ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

_SUFFIX = "_quantized"


def shipped_state(artefact: Path) -> dict[str, torch.Tensor]:
    """Return a `SpanModel`'s state from the ONNX file that `export` wrote.

    A matrix is (q - zero point) × scale: what training lost to seven bits stays lost, which the
    next training makes up for.
    """
    graph = onnx.load(artefact).graph
    stored = {each.name: numpy_helper.to_array(each) for each in graph.initializer}

    def exact(name: str) -> np.ndarray:
        shift = stored[f"{name}_zero_point"].astype(np.float32)
        scaled = (stored[name + _SUFFIX].astype(np.float32) - shift) * stored[f"{name}_scale"]
        return scaled.astype(np.float32)

    state = {
        name: values
        for name, values in stored.items()
        if name.startswith(("bert.", "head.")) and name.endswith((".weight", ".bias"))
    }
    for name in stored:
        if name.startswith("bert.") and name.endswith(f".weight{_SUFFIX}"):
            whole = name.removesuffix(_SUFFIX)
            state[whole] = exact(whole)
    for node in graph.node:
        if node.op_type == "MatMulInteger" and node.input[1] in stored:
            module = node.name.strip("/").removesuffix("/MatMul_quant").replace("/", ".")
            # ONNX multiplies by (in, out), torch keeps (out, in).
            state[f"{module}.weight"] = exact(node.input[1].removesuffix(_SUFFIX)).T.copy()
    return {name: torch.from_numpy(values.copy()) for name, values in state.items()}
