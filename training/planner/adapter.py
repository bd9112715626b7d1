"""Trains a LoRA that plans: `python -m training.planner.adapter DATA ADAPTER.gguf`.

It is trained over the weights of a GGUF file as they run (of the packaged model, where no other is
named), on prompts made and tokenised as they are at run time, and written as a GGUF LoRA.
"""

from __future__ import annotations

import argparse
import itertools
import math
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from agent.gguf import LoadedModel, default_model, load_gguf
from graph.planning.model import plan_prompt
from training.planner.adapter_config import Config, load_config
from training.planner.gguf_llama import Llama, packed
from training.planner.plans import PlanRow, plan_rows

_CONTEXT = 1024
_REPORT = 20
_SAVE = 100
"""Steps from one report of the loss, and from one look at the held-out plans, to the next."""
_HELD = 64
"""Held-out plans that the loss is looked at on."""

Ids = list[int]
Pair = tuple[Ids, Ids]
"""Prompt and answer in tokens."""


def tokenised(rows: Sequence[PlanRow], model: LoadedModel) -> list[Pair]:
    """Return what the model reads and is to write, with the token that ends its turn."""
    end = model.llama.token_eos()
    return [
        (
            model.prompt([("user", plan_prompt(row.question, trained=True))], ""),
            [*model.tokens(row.written), end],
        )
        for row in rows
    ]


def cut(pairs: Sequence[Pair]) -> tuple[Ids, list[Pair]]:
    """Return the tokens that all prompts begin with, and the pairs without them."""
    prompts = [prompt for prompt, _ in pairs]
    # The last token is left to each, as what follows it is to be predicted.
    aligned = zip(*(prompt[:-1] for prompt in prompts), strict=False)
    shared = itertools.takewhile(lambda tokens: len(set(tokens)) == 1, aligned)
    prefix = [tokens[0] for tokens in shared]
    return prefix, [(prompt[len(prefix) :], answer) for prompt, answer in pairs]


def loss_of(model: Llama, prefix: Ids, batch: Sequence[Pair]) -> torch.Tensor:
    """Return the mean cross-entropy of the answers' tokens."""
    pack = packed(prefix, batch)
    return cross_entropy(model(pack), pack.targets)


def _held_loss(model: Llama, prefix: Ids, held: Sequence[Pair], batch: int) -> float:
    with torch.no_grad():
        losses = [
            loss_of(model, prefix, held[n : n + batch]).item() for n in range(0, len(held), batch)
        ]
    return sum(losses) / len(losses)


def train(
    model: Llama,
    prefix: Ids,
    rows: list[Pair],
    held: list[Pair],
    config: Config,
    out: Path,
    seconds: float = math.inf,
) -> None:
    """Train the adapter and write it now and then; losses are printed as they go.

    The learning rate falls to nothing at the last step, or when so many seconds are over.
    """
    chance = random.Random(config.seed)
    held = chance.sample(held, min(_HELD, len(held)))
    optimiser = torch.optim.AdamW(model.parameters(), config.rate, weight_decay=config.decay)
    steps = config.epochs * math.ceil(len(rows) / config.batch)
    begun, losses = time.monotonic(), list[float]()
    for step, batch in enumerate(_batches(rows, config, chance), 1):
        done = max((step - 1) / steps, (time.monotonic() - begun) / seconds)
        falling = 0.5 * (1 + math.cos(math.pi * min(done, 1)))
        optimiser.param_groups[0]["lr"] = config.rate * min(step / config.warm_up, falling)
        loss = loss_of(model, prefix, batch)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip)
        optimiser.step()
        losses.append(loss.item())
        last = step == steps or done >= 1
        if step % _REPORT == 0 or last:
            told = f"step {step} of {steps}: loss {sum(losses) / len(losses):.3f}"
            losses.clear()
            if step % _SAVE == 0 or last:
                told += f", held out {_held_loss(model, prefix, held, config.batch):.3f}"
                model.write_adapter(out)
            print(f"{told}, {time.monotonic() - begun:.0f} s", flush=True)
        if last:
            return


def _batches(rows: list[Pair], config: Config, chance: random.Random) -> Iterator[list[Pair]]:
    for _ in range(config.epochs):
        order = chance.sample(rows, len(rows))
        for first in range(0, len(order), config.batch):
            yield order[first : first + config.batch]


def agreement(model: Llama, loaded: LoadedModel, rows: Sequence[Pair]) -> float:
    """Return the least correlation of PyTorch's and llama.cpp's logits behind these rows.

    llama.cpp rounds what it multiplies 4-bit weights with, so it is never quite 1.
    """
    import llama_cpp

    least = 1.0
    for prompt, answer in rows:
        with torch.no_grad():
            ours = model(packed([], [(prompt, answer)]))[-1].numpy()
        loaded.llama.reset()
        loaded.llama.eval([*prompt, *answer[:-1]])
        logits = llama_cpp.llama_get_logits_ith(loaded.llama._ctx.ctx, -1)
        theirs = np.ctypeslib.as_array(logits, ours.shape)
        least = min(least, float(np.corrcoef(ours, theirs)[0, 1]))
    return least


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with train/ and the development sets")
    parser.add_argument("out", type=Path, help="the adapter to write, a .gguf file")
    parser.add_argument(
        "--model", type=Path, help="the GGUF to adapt; without it, the packaged one"
    )
    parser.add_argument("--begin", type=Path, help="an adapter to go on from, of the same model")
    parser.add_argument("--seed", type=int, help="another than that of the settings")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=math.inf, help="end training after them")
    options = parser.parse_args()
    config = load_config()
    # By the seed of the settings, so that no run learns what another holds out.
    rows, held = plan_rows(options.data, config.held_out_every, config.most, config.seed)
    if options.seed is not None:
        config = config.model_copy(update={"seed": options.seed})
    torch.manual_seed(config.seed)
    torch.set_num_threads(options.threads)
    path = options.model or default_model()
    print(len(rows), "plans to train on:", dict(Counter(row.source for row in rows)), flush=True)
    words = load_gguf(path, None, _CONTEXT, options.threads)
    prefix, pairs = cut(tokenised([*rows, *held], words))
    words.close()
    # bfloat16 halves the time where the CPU has it; what is trained stays in float32.
    model = Llama(path, config.rank, config.alpha, torch.bfloat16)
    if options.begin:
        model.read_adapter(options.begin)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    learned, held_out = pairs[: len(rows)], pairs[len(rows) :]
    train(model, prefix, learned, held_out, config, options.out, 60 * options.minutes)
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB")
    adapted = load_gguf(path, options.out, _CONTEXT, options.threads)
    whole = [(prefix + prompt, answer) for prompt, answer in held_out[:8]]
    print(f"least correlation with llama.cpp's logits: {agreement(model, adapted, whole):.4f}")
    adapted.close()


if __name__ == "__main__":
    main()
