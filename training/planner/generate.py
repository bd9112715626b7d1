"""Composes one-hop facts of the training data into questions of several hops, with their plans.

What may be asked of what, and in which words, is told by `phrasings.json`. A question begins at a
name of the training data, in English at one end of a fact; what is asked of what that leads to
follows from its kind alone, as a plan needs no answers.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from graph.planning.check import check
from graph.planning.model import step_of, written_step
from graph.types import Operator, Plan
from prompts.schemas import MOST_STEPS
from retrievers.analysis import language_of
from training.planner.names import Names
from training.planner.phrasings import Comparison, Gap, Grammar, Relation, grammar_of

KINDS = (
    "bridge",
    "comparison",
    "bridge_comparison",
    "inference",
    "intersection",
    "yes_no",
    "count",
)
_TRIES = 500
"""Draws in a row that may give nothing new before the names are held to be used up."""
_EVEN = 50
"""Names from which on a fact is no more likely to begin a question."""


class Composed(BaseModel):
    """A composed question and the steps of its plan, as a model writes them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    question: str
    steps: tuple[str, ...] = Field(min_length=2, max_length=MOST_STEPS)


def generate(language: str, names: Names, seed: int, count: int) -> Iterator[Composed]:
    """Yield so many different questions, the kinds in turn; the same ones for the same seed.

    Each plan passes `check` and is read as it is written.

    Raises
    ------
    ValueError
        Where the names do not suffice.
    """
    composer = _Composer(language, grammar_of(language), names, random.Random(f"{seed} {language}"))
    asked: set[str] = set()
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        for _ in range(_TRIES):
            composed = composer.compose(kind)
            if composed is not None and composed.question not in asked:
                break
        else:
            raise ValueError(f"too few names for {count} questions: no new one of kind {kind}")
        asked.add(composed.question)
        yield composed


def sound(question: str, steps: Sequence[str]) -> bool:
    """Tell a plan that passes `check` and is read as it is written."""
    if not 2 <= len(steps) <= MOST_STEPS:
        return False
    read = [step_of(text, question) for text in steps]
    if [written_step(step) for step in read] != list(steps):
        return False
    return not check(question, Plan(steps=tuple(read), planner="gold", score=1.0))


def _opened(text: str) -> str:
    return text[:1].upper() + text[1:]


def _computed(operator: Operator, arguments: Sequence[int], labels: Sequence[str] = ()) -> str:
    said = f": {' | '.join(labels)}" if labels else ""
    return f"{operator} of {', '.join(f'#{n}' for n in arguments)}{said}"


class _Start(NamedTuple):
    """A fact that a question may begin with."""

    relation: Relation
    kind: str
    names: tuple[str, ...]


class _Described(NamedTuple):
    """A thing that a question describes, and how a plan finds it."""

    said: str
    it: str
    """How a step refers to it: `#k`, or by its name."""
    kind: str
    steps: list[str]
    gone: list[str]
    """The relations that lead to it."""


_Drawn = tuple[str, list[str]]
"""A question and the steps of its plan."""


class _Composer:
    """Draws questions of one language."""

    def __init__(
        self, language: str, grammar: Grammar, names: Names, chance: random.Random
    ) -> None:
        self._language = language
        self._grammar = grammar
        self._of = {**names.of, **grammar.values}
        self._chance = chance
        self._starts = [
            _Start(relation, kind, begun)
            for relation in grammar.relations
            for kind in relation.of
            if (begun := self._begun(names, relation, kind))
        ]
        self._weights = [min(len(start.names), _EVEN) for start in self._starts]
        self._draws = {
            "bridge": self._bridge,
            "comparison": self._comparison,
            "bridge_comparison": self._bridge_comparison,
            "inference": self._inference,
            "intersection": self._intersection,
            "yes_no": self._yes_no,
            "count": self._count,
        }

    @staticmethod
    def _begun(names: Names, relation: Relation, kind: str) -> tuple[str, ...]:
        """Return the names that a question may begin at: those of facts, where there are such."""
        told = names.told.get(relation.name)
        known = names.of.get(kind, ())
        return known if told is None else tuple(name for name in told if name in set(known))

    def compose(self, kind: str) -> Composed | None:
        """Draw a question of a kind; None where the draw gave no sound plan."""
        drawn = self._draws[kind]()
        # With many foreign names a question is asked in the prompt of their language.
        if drawn is None or language_of(drawn[0]) != self._language or not sound(*drawn):
            return None
        return Composed(kind=kind, question=drawn[0], steps=tuple(drawn[1]))

    def _filled(self, template: str, **slots: str) -> str:
        """Fill a drawn template; the name of a slot in capitals asks for its value so opened."""
        opened = {_opened(name): _opened(value) for name, value in slots.items()}
        return self._chance.choice(self._grammar.templates[template]).format(**opened, **slots)

    def _names(self, kind: str, count: int) -> list[str] | None:
        """Draw different names of a kind; None where there are too few."""
        names = self._of.get(kind, ())
        return self._chance.sample(names, count) if len(names) >= count else None

    def _mentioned(self, kind: str, name: str) -> str:
        return self._chance.choice(self._grammar.kinds[kind].mentions).format(x=name)

    def _relations(self, kind: str, done: Sequence[str] = ()) -> list[Relation]:
        return [r for r in self._grammar.relations if kind in r.of and r.name not in done]

    def _described(self, hops: int, kind: str | None = None) -> _Described | None:
        """Describe a thing from a name, so many facts away.

        `kind` is that of the thing, None for any of which something can be asked.
        """
        for _ in range(_TRIES):
            relation, now, names = self._chance.choices(self._starts, self._weights)[0]
            said = it = self._mentioned(now, self._chance.choice(names))
            steps: list[str] = []
            gone: list[str] = []
            while len(steps) < hops:
                asks, says = self._chance.choice(relation.ways)
                steps.append(asks.format(x=it))
                gone.append(relation.name)
                said, it, now = says.format(x=said), f"#{len(steps)}", relation.gives
                onward = self._relations(now, gone)
                if not onward:
                    break
                relation = self._chance.choice(onward)
            else:
                if kind in {None, now}:
                    return _Described(said, it, now, steps, gone)
        return None

    def _bridge(self) -> _Drawn | None:
        hops = self._chance.choices((2, 3, 4), (5, 3, 1))[0]
        found = self._described(hops - 1)
        if found is None:
            return None
        desc, it, kind, steps, gone = found
        onward = self._relations(kind, gone)
        return self._asked_of(desc, it, kind, steps, self._chance.choice(onward))

    def _asked_of(
        self, desc: str, it: str, kind: str, steps: list[str], relation: Relation
    ) -> _Drawn:
        """Ask for what a relation gives of the thing described."""
        asks, says = self._chance.choice(relation.ways)
        situ = self._chance.choice(relation.situ or (asks,))
        kinds = self._grammar.kinds
        question = self._filled(
            "bridge",
            ask=asks.format(x=desc),
            ask_that=self._lowered(asks.format(x=kinds[kind].that)),
            situ=_opened(situ.format(x=desc)),
            desc=desc,
            who=kinds[relation.gives].who,
            **{"is": says.format(x=desc)},
        )
        return question, [*steps, asks.format(x=it)]

    @staticmethod
    def _lowered(text: str) -> str:
        return text[:1].lower() + text[1:]

    def _comparison(self) -> _Drawn | None:
        compared = self._chance.choice(self._grammar.comparisons)
        names = self._names(compared.of, 2)
        if names is None:
            return None
        thing = self._grammar.kinds[compared.of]
        a, b = names
        question = self._filled(
            "comparison",
            which=self._chance.choice(thing.which),
            clause=self._chance.choice(compared.clauses),
            inverted=self._chance.choice(compared.inverted).format(a=a, b=b),
            plural=thing.plural,
            a=a,
            b=b,
        )
        asked = [compared.asks.format(x=name) for name in names]
        return question, [*asked, _computed(compared.operator, (1, 2), names)]

    def _bridge_comparison(self) -> _Drawn | None:
        roles = [r for r in self._grammar.relations if r.role and "person" not in r.of]
        relation = self._chance.choice(roles)
        kind = self._chance.choice(relation.of)
        names = self._names(kind, 2)
        if names is None:
            return None
        slots = {"role": relation.role or "", "a": names[0], "b": names[1]}
        steps = [relation.ways[0][0].format(x=name) for name in names]
        form = self._chance.choices(("", "_of_people", "_agreement"), (5, 2, 3))[0]
        if form == "_agreement":
            attribute = self._chance.choice([r for r in self._relations("person") if r.noun])
            asks, operator, labels = attribute.ways[0][0], Operator.SAME, []
            slots["noun"] = attribute.noun or ""
        else:
            people = [c for c in self._grammar.comparisons if c.of == "person"]
            compared = self._chance.choice(people)
            asks, operator = compared.asks, compared.operator
            labels = ["#1", "#2"] if form else names
            slots["clause"] = self._chance.choice(compared.clauses)
            slots["which"] = self._chance.choice(self._grammar.kinds[kind].which)
        question = self._filled(f"bridge_comparison{form}", **slots)
        steps += [asks.format(x=f"#{n}") for n in (1, 2)]
        return question, [*steps, _computed(operator, (3, 4), labels)]

    def _inference(self) -> _Drawn | None:
        kin = self._chance.choice(self._grammar.kin)
        found = self._described(self._chance.choices((0, 1), (3, 1))[0], "person")
        if found is None:
            return None
        desc, it, _, steps, _ = found
        for word in kin.via:
            steps.append(self._grammar.asks_kin.format(word=word, x=it))
            it = f"#{len(steps)}"
        if self._chance.random() < 0.3:
            relation = self._chance.choice(self._relations("person"))
            kept = self._grammar.says_kin.format(word=kin.word, x=desc)
            return self._asked_of(kept, it, "person", steps, relation)
        return self._filled("inference", kin=kin.word, x=desc), steps

    def _intersection(self) -> _Drawn | None:
        if self._chance.random() < 0.3:
            return self._maker_of_two()
        relation = self._chance.choice([r for r in self._grammar.relations if r.shared])
        names = self._names(self._chance.choice(relation.of), 2)
        if names is None or relation.shared is None:
            return None
        slots = relation.shared.model_dump()
        question = self._filled("intersection", a=names[0], b=names[1], **slots)
        asks = self._chance.choice(relation.ways)[0]
        return question, [
            *(asks.format(x=x) for x in names),
            _computed(Operator.INTERSECTION, (1, 2)),
        ]

    def _maker_of_two(self) -> _Drawn | None:
        makers = [r for r in self._grammar.relations if r.did]
        pair = [self._chance.choice(makers) for _ in "ab"]
        drawn = [self._names(self._chance.choice(relation.of), 1) for relation in pair]
        names = [names[0] for names in drawn if names]
        if len(names) < 2 or names[0] == names[1]:
            return None
        did = [(r.did or "").format(x=name) for r, name in zip(pair, names, strict=True)]
        question = self._filled("intersection_of_people", did_a=did[0], did_b=did[1])
        asked = [r.ways[-1][0].format(x=name) for r, name in zip(pair, names, strict=True)]
        return question, [*asked, _computed(Operator.INTERSECTION, (1, 2))]

    def _yes_no(self) -> _Drawn | None:
        forms = ("same", "different", "both", "either", "one", "than")
        form = self._chance.choices(forms, (4, 1, 3, 1, 4, 3))[0]
        if form == "than":
            return self._than()
        if form in {"same", "different"}:
            return self._agreement(form)
        said = self._chance.choice(self._grammar.says)
        values = self._names(said.values, 1)
        if values is None:
            return None
        label = said.label.format(y=values[0])
        slots = {"said": said.said.format(y=values[0]), "be": said.be, "bes": said.bes}
        if form == "one":
            found = self._described(self._chance.choices((0, 1, 2), (1, 3, 1))[0], said.of)
            if found is None:
                return None
            desc, it, _, steps, _ = found
            steps.append(said.asks.format(x=it))
            last = _computed(Operator.BOTH, (len(steps),), (label,))
            return self._filled("one", desc=desc, **slots), [*steps, last]
        names = self._names(said.of, 2)
        if names is None:
            return None
        question = self._filled(form, a=names[0], b=names[1], **slots)
        asked = [said.asks.format(x=name) for name in names]
        return question, [*asked, _computed(Operator(form), (1, 2), (label,))]

    def _than(self) -> _Drawn | None:
        compared = self._chance.choice(self._grammar.comparisons)
        return self._of_two(compared, compared.than, ("yes", "no"))

    def _of_two(
        self, asked: Comparison | Gap, phrases: Sequence[str], labels: Sequence[str] = ()
    ) -> _Drawn | None:
        """Ask, in one of the phrases, for what is computed of two things."""
        names = self._names(asked.of, 2)
        if names is None:
            return None
        question = self._chance.choice(phrases).format(a=names[0], b=names[1])
        steps = [asked.asks.format(x=name) for name in names]
        return question, [*steps, _computed(asked.operator, (1, 2), labels)]

    def _agreement(self, form: str) -> _Drawn | None:
        relation = self._chance.choice([r for r in self._grammar.relations if r.noun])
        names = self._names(self._chance.choice(relation.of), 2)
        if names is None:
            return None
        slots = {"noun": relation.noun or "", "nouns": relation.nouns or ""}
        question = self._filled(form, a=names[0], b=names[1], **slots)
        asks = self._chance.choice(relation.ways)[0]
        return question, [*(asks.format(x=x) for x in names), _computed(Operator(form), (1, 2))]

    def _count(self) -> _Drawn | None:
        if self._chance.random() < 0.35:
            gap = self._chance.choice(self._grammar.gaps)
            return self._of_two(gap, gap.phrases)
        counted = self._chance.choice(self._grammar.counts)
        found = self._described(self._chance.choices((0, 1, 2), (2, 3, 1))[0], counted.of)
        if found is None:
            return None
        desc, it, _, steps, _ = found
        slots = counted.model_dump(include={"plural", "helper", "do", "did"})
        question = self._filled("count", x=desc, **slots)
        steps.append(counted.asks.format(x=it))
        return question, [*steps, _computed(Operator.COUNT, (len(steps),))]
