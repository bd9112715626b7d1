"""The real encoder: unit vectors that put like by like."""

from __future__ import annotations

import numpy as np

from retrievers.encoder import MAX_TOKENS, MiniLMEncoder, quantise

PAIRS = [
    ("Where was Albert Einstein born?", "The physicist's birthplace is Ulm in Germany."),
    ("A kitten sleeps on the sofa.", "A small cat is napping on a couch."),
    ("The stock market fell sharply.", "Share prices dropped a lot today."),
]


def test_each_question_is_nearest_to_what_answers_it(encoder: MiniLMEncoder) -> None:
    likeness = encoder.encode([a for a, _ in PAIRS]) @ encoder.encode([b for _, b in PAIRS]).T

    assert likeness.argmax(axis=1).tolist() == [0, 1, 2]
    assert likeness.diagonal().min() > 0.4


def test_vectors_have_length_one(encoder: MiniLMEncoder) -> None:
    vectors = encoder.encode(["short", "", "a rather longer sentence " * 400, "汉字"])

    assert vectors.shape == (4, encoder.dimensions)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_company_does_not_change_a_vector(encoder: MiniLMEncoder) -> None:
    texts = [f"{word} " * (3 * i + 1) for i, word in enumerate(["river", "piano", "law", "salt"])]
    together = encoder.encode(texts * 10)
    alone = np.concatenate([encoder.encode([text]) for text in texts])

    np.testing.assert_array_equal(together[:4], alone)


def test_text_beyond_the_limit_is_cut(encoder: MiniLMEncoder) -> None:
    start = "bridge " * (MAX_TOKENS + 50)

    np.testing.assert_allclose(
        encoder.encode([start]), encoder.encode([start + "piano " * 50]), atol=1e-6
    )


def test_nothing_to_encode_and_broken_text_are_fine(encoder: MiniLMEncoder) -> None:
    assert encoder.encode([]).shape == (0, 384)
    assert np.isfinite(encoder.encode(["\ud800 half a pair \0"])).all()


def test_quantised_vectors_rank_as_the_exact_ones(encoder: MiniLMEncoder) -> None:
    vectors = encoder.encode([text for pair in PAIRS for text in pair])
    small = quantise(vectors)

    assert small.dtype == np.int8
    likeness = small.astype(np.int32) @ small.astype(np.int32).T / 127**2
    np.testing.assert_allclose(likeness, vectors @ vectors.T, atol=0.02)
