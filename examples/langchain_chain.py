"""hoptree in LangChain: its retriever, a foreign retriever as its index, an agent as a Runnable.

hoptree index --sample --index .hoptree/sample
python examples/langchain_chain.py
"""

from __future__ import annotations

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

from agent import Agent
from agent.runnable import answer_in


def main() -> None:
    with Agent(".hoptree/sample") as agent:
        retriever = agent.as_retriever(k=5)
        for document in retriever.invoke("Live at Shelly's Manne-Hole")[:2]:
            print(f"{document.id} {document.metadata['title']}")

        # Any LangChain retriever is an index; here it is our own, by way of LangChain.
        prompt = ChatPromptTemplate.from_template("When was {who} born?")
        with Agent(retriever) as other:
            chain = prompt | other.as_runnable() | StrOutputParser()
            for piece in chain.stream({"who": "Les McCann"}):
                print(piece, end="", flush=True)
            print()

        message = agent.as_runnable().invoke("When was Les McCann born?")
        print(message.usage_metadata, [c.quote for c in answer_in(message).citations])


if __name__ == "__main__":
    main()
