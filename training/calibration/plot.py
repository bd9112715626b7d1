"""The reliability plot (DeGroot and Fienberg, 1983): how sure verdicts are, and how often right."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def reliability_plot(
    found: Mapping[str, tuple[NDArray[np.float64], NDArray[np.bool_]]], bins: int, file: Path
) -> None:
    """Draw a line for each name: its [N] confidences, and whether each was right, in equal bins.

    A bar is the standard error of the share that is right. What is below the diagonal is too sure.
    """
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "hoptree"  # or each file would differ from the last
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(4.8, 4.4), layout="constrained")
    axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=1)
    for name, (said, true) in found.items():
        parts = np.array_split(np.argsort(said, kind="stable"), bins)
        right = np.array([true[part].mean() for part in parts])
        spread = np.sqrt(right * (1 - right) / np.array([len(part) for part in parts]))
        sure = [said[part].mean() for part in parts]
        axes.errorbar(sure, right, spread, marker="o", capsize=3, label=f"{name} ({len(said)})")
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="confidence", ylabel="share that is right")
    axes.legend(loc="upper left", frameon=False)
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
