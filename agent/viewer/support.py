"""The support graph of a step, as the page shows it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from markupsafe import Markup

from agent.viewer.views import StepView
from graph.support.drawing import svg
from retrievers.passage import Passage

_STYLE = re.compile("<style>.*?</style>", re.DOTALL)


def drawing(step: StepView, passages: Mapping[str, Passage], language: str) -> Markup:
    """Draw which passages the answers were read from, and which state one as well.

    Its words are of the run's language. Empty where the step was not decided by a vote.
    """
    if step.result is None or step.result.verdict is None or not step.result.verdict.clusters:
        return Markup()
    # Our own style sheet has its styles: the policy of the page allows no other. Its text is
    # escaped.
    return Markup(_STYLE.sub("", svg(step.result, passages, language)))
