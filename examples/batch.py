"""Index documents from Python, and ask many questions of them: one that fails is one that fails.

python examples/batch.py
"""

from __future__ import annotations

from agent import Agent, Answer
from agent.sample import corpus_path

QUESTIONS = ["When was Les McCann born?", "", "香港上海汇丰银行哪一年在巴拿马城开设代表处？"]


def main() -> None:
    with Agent(".hoptree/batch") as agent:
        report = agent.index(corpus_path())
        print(f"{report.added} documents added, {report.unchanged} unchanged")
        results = agent.batch(QUESTIONS, concurrency=2)
    for question, result in zip(QUESTIONS, results, strict=True):
        print(f"{question!r}: {result.answer if isinstance(result, Answer) else result}")


if __name__ == "__main__":
    main()
