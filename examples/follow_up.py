"""Hold a conversation: a question may lean on the ones before it.

hoptree index --sample --index .hoptree/sample
python examples/follow_up.py
"""

from __future__ import annotations

from agent import Agent, Conversation

QUESTIONS = ("Who recorded Live at Shelly's Manne-Hole?", "And when was he born?")


def main() -> None:
    with Agent(".hoptree/sample") as agent:
        conversation = Conversation(agent)
        for question in QUESTIONS:
            understood = conversation.understand(question)
            if understood.changed:
                print(f"understood as: {understood.question} ({understood.why})")
            answer = conversation.ask(question)
            print(answer.text)
        agent.feedback(answer, "good")


if __name__ == "__main__":
    main()
