"""Ask from Python, and look at what stands behind the answer.

hoptree index --sample --index .hoptree/sample
python examples/ask.py
"""

from __future__ import annotations

from agent import Agent

QUESTION = "When was the pianist who recorded Live at Shelly's Manne-Hole born?"


def main() -> None:
    with Agent(".hoptree/sample") as agent:
        answer = agent.ask(QUESTION)
    print(answer.text)
    for citation in answer.citations:
        passage = citation.passage
        print(f"[{citation.number}] {passage.title}: {passage.text[citation.start : citation.end]}")
    for path in answer.tree.paths:
        print(f"path {path.number}: {path.origin} → {path.answer or path.failure}")


if __name__ == "__main__":
    main()
