"""Trains the span model: `python -m training.reader.train DATA WEIGHTS`."""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy

from training.reader.bases import base
from training.reader.config import Config, load_config
from training.reader.examples import Example, read_examples
from training.reader.model import SpanModel, Window, Windows, padded
from training.reader.shipped import shipped_state

_POOL = 12
"""Batches sorted together by length, so that little is computed on padding."""
_SAVE_SECONDS = 300.0
_REPORT_STEPS = 25


def batches(
    examples: list[Example], config: Config, chance: random.Random
) -> Iterator[list[Window]]:
    """Yield batches without end: each epoch in a new order, with passages that hold no answer."""
    cutter = Windows(base(config.language), config.window, chance)
    stream = _windows(examples, cutter, config.negative_share, chance)
    while True:
        pool = sorted((next(stream) for _ in range(config.batch * _POOL)), key=lambda w: len(w.ids))
        cut = [pool[i : i + config.batch] for i in range(0, len(pool), config.batch)]
        chance.shuffle(cut)
        yield from cut


def _windows(
    examples: list[Example], cutter: Windows, negative_share: float, chance: random.Random
) -> Iterator[Window]:
    while True:
        for row in chance.sample(examples, len(examples)):
            yield cutter.cut(row.question, row.passage, row.start, row.answer)
            if row.negatives and chance.random() < negative_share:
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

    def save(self, path: Path) -> None:
        """Write the model's state in float32."""
        state = {name: tensor.float() for name, tensor in self._model.state_dict().items()}
        torch.save({**state, **self._weights}, path)


def load(model: SpanModel, begin: Path) -> None:
    """Take earlier weights over, also those of another language's reader: all but its words.

    `begin` is what an earlier training wrote, or the artefact (`.onnx`) of a reader.
    """
    state = (
        shipped_state(begin) if begin.suffix == ".onnx" else torch.load(begin, weights_only=True)
    )
    words = "bert.embeddings.word_embeddings.weight"
    if state[words].shape != model.state_dict()[words].shape:
        state[words] = model.state_dict()[words]
    model.load_state_dict(state)


def train(
    data: Path, weights: Path, steps: int, config: Config, begin: Path | None, rate: float
) -> None:
    """Train for so many steps, the learning rate falling to nought, and write the weights.

    `begin` continues from earlier weights; `rate` multiplies both learning rates.
    """
    torch.manual_seed(config.seed)
    chance = random.Random(config.seed)
    model = SpanModel(base(config.language))
    if begin is not None:
        load(model, begin)
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
    cut = islice(batches(read_examples(data), config, chance), steps)
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
            exact.save(weights)
            saved = time.monotonic()
    exact.save(weights)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="train.jsonl of training.reader.build")
    parser.add_argument("weights", type=Path, help="where the weights are written")
    parser.add_argument("--steps", type=int, help="instead of those of the settings")
    parser.add_argument("--begin", type=Path, help="weights to continue from")
    parser.add_argument("--rate", type=float, default=1.0, help="factor of both learning rates")
    parser.add_argument("--language", choices=("en", "zh"), default="en")
    a = parser.parse_args()
    config = load_config(a.language)
    train(a.data, a.weights, a.steps or config.steps, config, a.begin, a.rate)


if __name__ == "__main__":
    main()
