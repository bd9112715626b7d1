"""Follow an answer as it is made: every event of the search, then the answer token by token.

hoptree index --sample --index .hoptree/sample
python examples/stream.py "Who wrote the song that …?"
"""

from __future__ import annotations

import asyncio
import sys

from agent import Agent
from graph.events import PathOpened, Token, Voted

QUESTION = "When was the pianist who recorded Live at Shelly's Manne-Hole born?"


async def main(question: str) -> None:
    async with Agent(".hoptree/sample") as agent:
        async for event in agent.astream(question):
            match event:
                case PathOpened():
                    print(f"path {event.number}: {event.path.origin}")
                case Voted():
                    verdict = event.result.verdict
                    print(f"  {event.result.question} → {verdict.answer if verdict else '?'}")
                case Token():
                    print(event.text, end="", flush=True)
                case _:
                    pass
    print()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else QUESTION))
