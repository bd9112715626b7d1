"""The final answer in words, faithful by construction.

A small model writes fluent nonsense when left alone. So rules make a few sentences of the question
and its answer, with the citations, and the model writes one of them; see `english` and `chinese`
for the rules. A larger model may write freely within the words of the question: `free_grammar`.
"""

from graph.composing.citing import cite, says
from graph.composing.grammar import free_grammar, one_of
from graph.composing.sentences import MAX_BYTES, sentences

__all__ = ["MAX_BYTES", "cite", "free_grammar", "one_of", "says", "sentences"]
