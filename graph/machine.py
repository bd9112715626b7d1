"""The LangGraph state machine: plan ─► seek ─► read × n ─► settle ─► compose, and back to the root.

The drawing in README is made from this code: `python -m graph.machine`.
"""

from __future__ import annotations

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from graph import nodes
from graph.calls import Calls
from graph.state import State, Task, initial

__all__ = ["Machine", "build", "initial"]

Machine = CompiledStateGraph[State, Calls, State, State]


def _start(state: State) -> str:
    if not state["searchable"]:
        return "closed_book"
    return "fork" if "path" in state else "plan"


def build() -> Machine:
    """Compile the machine. It holds no state of its own: one serves all questions."""
    graph: StateGraph[State, Calls, State, State] = StateGraph(State, context_schema=Calls)
    graph.add_node("plan", nodes.plan)
    graph.add_node("fork", nodes.fork)
    graph.add_node("seek", nodes.seek)
    graph.add_node("read", nodes.read, input_schema=Task)  # what `Send` gives it, not the state
    graph.add_node("settle", nodes.settle)
    graph.add_node("backtrack", nodes.backtrack)
    graph.add_node("conclude", nodes.conclude)
    graph.add_node("compose", nodes.compose)
    graph.add_node("abstain", nodes.abstain)
    graph.add_node("closed_book", nodes.closed_book)
    graph.add_conditional_edges(START, _start, ["plan", "fork", "closed_book"])
    graph.add_edge("plan", "seek")
    graph.add_edge("fork", "seek")
    graph.add_conditional_edges("seek", nodes.fan_out, ["read", "settle"])
    graph.add_edge("read", "settle")
    after = ["seek", "compose", "backtrack", "conclude"]
    graph.add_conditional_edges("settle", nodes.after_settle, after)
    graph.add_conditional_edges("backtrack", nodes.after_backtrack, ["seek", "conclude"])
    graph.add_conditional_edges("conclude", nodes.after_conclude, ["compose", "abstain"])
    for last in ("compose", "abstain", "closed_book"):
        graph.add_edge(last, END)
    return graph.compile()


if __name__ == "__main__":
    print(build().get_graph().draw_mermaid())
