"""The nodes of the machine: small async functions from state to state update."""

from graph.nodes.backtracking import after_backtrack, after_conclude, backtrack, conclude
from graph.nodes.ending import abstain, closed_book, compose
from graph.nodes.forking import fork
from graph.nodes.planning import plan
from graph.nodes.seeking import fan_out, read, seek
from graph.nodes.settling import after_settle, settle

__all__ = [
    "abstain",
    "after_backtrack",
    "after_conclude",
    "after_settle",
    "backtrack",
    "closed_book",
    "compose",
    "conclude",
    "fan_out",
    "fork",
    "plan",
    "read",
    "seek",
    "settle",
]
