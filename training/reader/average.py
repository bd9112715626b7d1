"""Averages runs that began from the same weights: `python -m training.reader.average OUT RUN…`.

The mean reads better than the best of them and costs nothing to run (model soups: Wortsman et al.,
2022). OUT and the runs are weights as `training.reader.train` writes them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch


def average(runs: Sequence[Path]) -> dict[str, torch.Tensor]:
    """Return the mean of each weight.

    Raises ValueError where a run has other weights than the first: another base or vocabulary.
    """
    first, *others = [torch.load(run, weights_only=True) for run in runs]
    for run, state in zip(runs[1:], others, strict=True):
        if {k: v.shape for k, v in state.items()} != {k: v.shape for k, v in first.items()}:
            raise ValueError(
                f"{run} and {runs[0]} are weights of different models: train them alike"
            )
    return {
        name: torch.stack([weight, *(state[name] for state in others)]).float().mean(0)
        if weight.is_floating_point()
        else weight
        for name, weight in first.items()
    }


def main() -> None:
    """Write the average."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", type=Path, help="where the weights are written")
    parser.add_argument("runs", type=Path, nargs="+", help="weights of training.reader.train")
    arguments = parser.parse_args()
    torch.save(average(arguments.runs), arguments.out)


if __name__ == "__main__":
    main()
