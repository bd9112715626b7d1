"""The span model and the windows it is trained on."""

from __future__ import annotations

import random
from typing import NamedTuple

import torch
from tokenizers import Encoding, Tokenizer

from training.reader.bases import Base
from training.reader.examples import Source


class SpanModel(torch.nn.Module):
    """BERT encoder with a start and an end logit a token; [CLS] stands for "no answer"."""

    def __init__(self, base: Base, attention: str = "sdpa") -> None:
        super().__init__()
        self.bert = base.encoder(attention)
        self.head = torch.nn.Linear(self.bert.config.hidden_size, 2)
        # Few rows touch a given word: learning its vector from them alone hurts the other words.
        self.bert.embeddings.word_embeddings.weight.requires_grad = False

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return start and end logits, each of shape (batch, sequence)."""
        hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        logits = self.head(hidden)
        return logits[..., 0], logits[..., 1]


class Window(NamedTuple):
    """One training input."""

    ids: list[int]
    body: int
    """The token where the passage begins, after the question."""
    start: int
    end: int
    """The tokens where the answer starts and ends, 0 ([CLS]) where there is none."""


class Windows:
    """Cuts question and passage into windows, as `agent.readers.encoder_reader` does."""

    def __init__(self, base: Base, length: int, chance: random.Random) -> None:
        self._tokenizer = Tokenizer.from_file(str(base.layout.tokenizer))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._folded = base.layout.folded
        self._length = length
        self._chance = chance

    def cut(self, question: str, passage: Source, start: int = 0, answer: str = "") -> Window:
        """Return a window; with an `answer` it holds that span, without one it points at [CLS]."""
        asked = self._encoded(question).ids[:64]
        title = self._encoded(f"{passage.title}.").ids[:32] if passage.title else []
        text = self._encoded(passage.text)
        ids, offsets = text.ids, text.offsets
        cls, sep = self._tokenizer.token_to_id("[CLS]"), self._tokenizer.token_to_id("[SEP]")
        room = self._length - len(asked) - len(title) - 3
        spare = max(0, len(ids) - room)
        if not answer:
            begin = self._chance.randint(0, spare) if self._chance.random() < 0.5 else 0
            first = last = None
        else:
            inside = [
                i for i, (a, b) in enumerate(offsets) if b > start and a < start + len(answer)
            ]
            first, last = inside[0], inside[-1]
            low = max(0, last - room + 1)
            begin = self._chance.randint(min(low, spare), max(min(low, spare), min(first, spare)))
        head = [cls, *asked, sep]
        body = [*title, *ids[begin : begin + room], sep]
        shift = len(head) + len(title) - begin
        whole = first is not None and last is not None and last - begin < room
        return Window(
            ids=head + body,
            body=len(head),
            start=first + shift if whole and first is not None else 0,
            end=last + shift if whole and last is not None else 0,
        )

    def _encoded(self, text: str) -> Encoding:
        return self._tokenizer.encode(self._folded(text), add_special_tokens=False)


def padded(windows: list[Window]) -> dict[str, torch.Tensor]:
    """Return the model's inputs for a batch, each of shape (batch, longest window)."""
    width = max(len(w.ids) for w in windows)
    return {
        "input_ids": torch.tensor([w.ids + [0] * (width - len(w.ids)) for w in windows]),
        "attention_mask": torch.tensor(
            [[1] * len(w.ids) + [0] * (width - len(w.ids)) for w in windows]
        ),
    }
