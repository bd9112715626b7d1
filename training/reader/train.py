"""Trains the span model: `python -m training.reader.train DATA WEIGHTS`."""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import torch
from torch.nn.functional import cross_entropy

from training.reader.bases import Base, base
from training.reader.config import Config, load_config
from training.reader.examples import Example, read_examples
from training.reader.model import SpanModel, Window, Windows, padded
from training.reader.shipped import shipped_state

_WORDS = "bert.embeddings.word_embeddings.weight"
_POOL = 12
"""Batches sorted together by length, so that little is computed on padding."""
_BESIDE = 0.4
"""Share of the windows that are of the other language, where its rows are given."""
_UNUSED = {"xquad", "lives"}
"""Kinds of Chinese rows that teach an English reader nothing: translations of what it reads, and
what is put before a Chinese text."""
_SAVE_SECONDS = 300.0
_REPORT_STEPS = 25


class Beside(NamedTuple):
    """Rows of another language that are read among a reader's own."""

    examples: list[Example]
    config: Config
    """That language's."""
    words: int
    """Where that language's words begin in the model's embeddings (see `widen`)."""


def batches(
    examples: list[Example], config: Config, chance: random.Random, beside: Beside | None = None
) -> Iterator[list[Window]]:
    """Yield batches without end: each epoch in a new order, with passages that hold no answer."""
    stream = _windows(examples, config, chance)
    if beside is not None:
        stream = _mixed(stream, beside, chance)
    while True:
        pool = sorted((next(stream) for _ in range(config.batch * _POOL)), key=lambda w: len(w.ids))
        cut = [pool[i : i + config.batch] for i in range(0, len(pool), config.batch)]
        chance.shuffle(cut)
        yield from cut


def _mixed(own: Iterator[Window], beside: Beside, chance: random.Random) -> Iterator[Window]:
    others = _windows(beside.examples, beside.config, chance)
    while True:
        if chance.random() < _BESIDE:
            window = next(others)
            yield window._replace(ids=[beside.words + n for n in window.ids])
        else:
            yield next(own)


def _windows(examples: list[Example], config: Config, chance: random.Random) -> Iterator[Window]:
    cutter = Windows(base(config.language), config.window, chance)
    while True:
        for row in chance.sample(examples, len(examples)):
            yield cutter.cut(row.question, row.passage, row.start, row.answer)
            if row.negatives and chance.random() < config.negative_share:
                yield cutter.cut(row.question, chance.choice(row.negatives))


def loss_of(model: SpanModel, batch: list[Window]) -> torch.Tensor:
    """Return the mean cross-entropy of start and end over the text's tokens and [CLS]."""
    inputs = padded(batch)
    starts, ends = (logits.float() for logits in model(**inputs))
    positions = torch.arange(starts.shape[1])
    closed = (inputs["attention_mask"] == 0) | (positions < torch.tensor([[w.body] for w in batch]))
    closed[:, 0] = False
    right_starts = torch.tensor([w.start for w in batch])
    right_ends = torch.tensor([w.end for w in batch])
    return (
        cross_entropy(starts.masked_fill(closed, -1e4), right_starts)
        + cross_entropy(ends.masked_fill(closed, -1e4), right_ends)
    ) / 2


class Exact:
    """The trained weights in float32, beside a model that computes in a shorter type.

    bfloat16 shortens a step where the CPU has it, but a step of the optimiser would be lost in its
    rounding.
    """

    def __init__(self, model: SpanModel) -> None:
        self._model = model
        self._weights = {
            name: weight.detach().clone()
            for name, weight in model.named_parameters()
            if weight.requires_grad
        }

    def of(self, prefix: str) -> list[torch.Tensor]:
        """Return the weights whose names begin so."""
        return [weight for name, weight in self._weights.items() if name.startswith(prefix)]

    def take_gradients(self) -> None:
        """Move the model's gradients here."""
        for name, weight in self._model.named_parameters():
            if weight.grad is not None:
                self._weights[name].grad = weight.grad.float()
                weight.grad = None

    def give_weights(self) -> None:
        """Copy the weights back into the model."""
        with torch.no_grad():
            for name, weight in self._model.named_parameters():
                if name in self._weights:
                    weight.copy_(self._weights[name])

    def save(self, path: Path, words: int) -> None:
        """Write the model's state in float32, with as many words from the first on."""
        state = {name: tensor.float() for name, tensor in self._model.state_dict().items()}
        state[_WORDS] = state[_WORDS][:words].clone()
        torch.save({**state, **self._weights}, path)


def widen(model: SpanModel, other: Base) -> None:
    """Put the words of another language's reader behind the model's own."""
    own = model.bert.embeddings.word_embeddings.weight.detach()
    more = other.encoder("sdpa").embeddings.word_embeddings.weight.detach()
    words = torch.nn.Embedding.from_pretrained(torch.cat([own, more]), freeze=True)
    model.bert.embeddings.word_embeddings = words


def load(model: SpanModel, begin: Path) -> None:
    """Take earlier weights over, also those of another language's reader: all but its words.

    `begin` is what an earlier training wrote, or the artefact (`.onnx`) of a reader.
    """
    state = (
        shipped_state(begin) if begin.suffix == ".onnx" else torch.load(begin, weights_only=True)
    )
    if state[_WORDS].shape != model.state_dict()[_WORDS].shape:
        state[_WORDS] = model.state_dict()[_WORDS]
    model.load_state_dict(state)


def train(
    data: Path,
    weights: Path,
    steps: int,
    config: Config,
    begin: Path | None,
    rate: float,
    others: Path | None = None,
) -> None:
    """Train for so many steps, the learning rate falling to nought, and write the weights.

    `begin` continues from earlier weights; `rate` multiplies both learning rates; `others` are
    Chinese rows that an English reader learns from too (`_BESIDE` of its windows).
    """
    torch.manual_seed(config.seed)
    chance = random.Random(config.seed)
    model = SpanModel(base(config.language))
    if begin is not None:
        load(model, begin)
    words = len(model.state_dict()[_WORDS])
    beside = None
    if others is not None:
        rows = [row for row in read_examples(others) if row.kind not in _UNUSED]
        if not rows:
            raise ValueError(f"{others} has no rows of a kind that is read beside English ones")
        beside = Beside(rows, load_config("zh"), words)
        widen(model, base("zh"))
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = config.dropout
    for part in [model.bert.embeddings, *model.bert.encoder.layer][: config.frozen]:
        part.requires_grad_(False)
    model.train()
    exact = Exact(model)
    rates = (config.encoder_rate * rate, config.head_rate * rate)
    optimiser = torch.optim.AdamW(
        [
            {"params": exact.of("bert."), "lr": rates[0]},
            {"params": exact.of("head."), "lr": rates[1]},
        ],
        weight_decay=config.weight_decay,
    )
    model.to(getattr(torch, config.precision))
    begun = saved = time.monotonic()
    seen, summed = 0, 0.0
    cut = islice(batches(read_examples(data), config, chance, beside), steps)
    for step, batch in enumerate(cut, start=1):
        scale = min(1.0, step / config.warmup_steps) * (1 - step / steps)
        for group, full in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = full * scale
        loss = loss_of(model, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        exact.take_gradients()
        torch.nn.utils.clip_grad_norm_(exact.of(""), 1.0)
        optimiser.step()
        exact.give_weights()
        seen += len(batch)
        summed += loss.item()
        if step % _REPORT_STEPS == 0:
            print(
                f"step {step} of {steps}, windows {seen}, loss {summed / _REPORT_STEPS:.3f}, "
                f"{(time.monotonic() - begun) / 60:.1f} minutes",
                flush=True,
            )
            summed = 0.0
        if time.monotonic() - saved > _SAVE_SECONDS:
            exact.save(weights, words)
            saved = time.monotonic()
    exact.save(weights, words)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="train.jsonl of training.reader.build")
    parser.add_argument("weights", type=Path, help="where the weights are written")
    parser.add_argument("--steps", type=int, help="instead of those of the settings")
    parser.add_argument("--begin", type=Path, help="weights to continue from")
    parser.add_argument("--rate", type=float, default=1.0, help="factor of both learning rates")
    parser.add_argument("--language", choices=("en", "zh"), default="en")
    parser.add_argument("--beside", type=Path, help="Chinese rows, for an English reader")
    a = parser.parse_args()
    if a.beside and a.language != "en":
        parser.error("--beside is for the English reader alone")
    config = load_config(a.language)
    train(a.data, a.weights, a.steps or config.steps, config, a.begin, a.rate, a.beside)


if __name__ == "__main__":
    main()
