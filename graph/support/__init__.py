"""The support vote: many weak passages, one sound answer.

`vote` decides a sub-question, `across_paths` the question; `explain` and `svg` give the reasons.
`prepare` spares a vote the time that the texts alone take.
"""

from graph.support.across import Consensus, across_paths, contradictions
from graph.support.building import prepare
from graph.support.drawing import svg
from graph.support.explanation import explain
from graph.support.voting import vote

__all__ = ["Consensus", "across_paths", "contradictions", "explain", "prepare", "svg", "vote"]
