"""Conversations: questions that lean on the ones before them, and how they are understood."""

from __future__ import annotations

from agent.conversation.conversation import Conversation
from agent.conversation.turns import Mention, Turn, Understood, turn_of
from agent.conversation.understand import understand

__all__ = ["Conversation", "Mention", "Turn", "Understood", "turn_of", "understand"]
