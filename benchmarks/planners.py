"""The shipped planner beside the language model, with examples and with an adapter.

    python benchmarks/planners.py ../shared/data/train --lora ADAPTER.gguf

The questions are those that no training sees: of Break's HotpotQA and 2WikiMultihopQA every tenth,
of StrategyQA every fiftieth, of the composed ones of each language every thirtieth. Right means
what it means in benchmarks/planning.py, of the plan that is walked first: the best one that `check`
lets through, else the whole question. A composed question's plan is right where its steps ask what
those it is composed of ask, in like words, and compute the same. Of StrategyQA, whose plans cannot
be told right by rule, only valid plans of more steps are counted. The planners:

- shipped: grammar and learned splits;
- examples: the model, with the examples of its prompt;
- lora: the model with the adapter;
- shipped, lora: the adapter asked only where the shipped planner finds no plan, as a run does.

Models are bound to the JSON schema of plans. Seconds are of wall time, one plan after another; the
last planner remembers the plans of the one before, so its time is not told.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from agent.llama import LlamaCppChat
from agent.metrics import segment_chinese
from benchmarks.planning import HELD_OUT, agrees, break_kind, is_training_folder, read, right
from graph.nodes.planning import PLAN_TOKENS
from graph.planning import by_language, whole
from graph.planning.check import check, rank
from graph.planning.masking import Masked
from graph.planning.model import propose_by_model, step_of
from graph.planning.substitute import needs
from graph.types import Plan
from retrievers.analysis import language_of
from training.planner.adapter_config import load_config
from training.planner.plans import composed_plans
from training.planner.qdmr import content, overlap

Planner = Callable[[str], list[Plan]]
FALLBACK = "shipped, lora"


class Case(NamedTuple):
    """A held-out question, and what tells whether a plan for it is right."""

    source: str
    kind: str
    question: str
    row: dict[str, Any]

    def judged(self, plan: Plan) -> bool:
        """Tell whether the plan is right; of StrategyQA, whether there is one."""
        if self.source == "break":
            return agrees(self.row, self.kind, plan)
        if self.source == "2wiki":
            return all(right(self.row, plan))
        if self.source.startswith("composed"):
            return alike(plan, self.row["steps"], self.question)
        return len(plan.steps) > 1


# What a Chinese question says besides what it asks about.
_EMPTY = re.compile(r"什么时候|什么|哪[一]?[年天个座部所]?|[谁里是的了过吗呢在于有人]|多少")


def alike(plan: Plan, steps: Sequence[str], question: str) -> bool:
    """Tell whether a plan asks and computes what these written steps do, one by one."""
    if len(plan.steps) != len(steps):
        return False
    for step, written in zip(plan.steps, steps, strict=True):
        gold = step_of(written, question)
        told = (step.operator, step.arguments, step.labels, needs(step))
        if told != (gold.operator, gold.arguments, gold.labels, needs(gold)):
            return False
        if gold.kind == "operator":
            continue
        words, asked = _words(gold.text), _words(step.text)
        if not all(name in step.text for name in Masked(gold.text).titles()):
            return False
        if words and overlap(words, asked) < 0.5:
            return False
    return True


def _words(text: str) -> Counter[str]:
    asked = re.sub(r"#\d+", "", text)
    if language_of(text) == "zh":
        return Counter(segment_chinese(_EMPTY.sub("", asked)))
    return content(asked)


def cases(train: Path) -> list[Case]:
    """Return the held-out questions."""
    hotpot = [r for r in read(train / "plans-break.jsonl") if r["id"].startswith("HOTPOT")]
    hops = list(read(train / "hops-2wikimultihopqa.jsonl"))
    strategy = list(read(train / "plans-strategyqa.jsonl"))
    config = load_config()
    composed = composed_plans(train, HELD_OUT, config.most, config.seed)
    broken = [Case("break", break_kind(r), " ".join(r["question"].split()), r) for r in hotpot]
    return [
        *(case for case in broken[::HELD_OUT] if case.kind != "other"),
        *(Case("2wiki", r["type"], r["question"], r) for r in hops[::HELD_OUT]),
        *(Case("strategyqa", "", r["question"], r) for r in strategy[:: 5 * HELD_OUT]),
        *(
            Case(made.source, made.kind, made.question, {"steps": made.plan.steps})
            for number, made in composed
            if number % (3 * HELD_OUT) == 0
        ),
    ]


def asked(model: LlamaCppChat, trained: bool) -> Planner:
    """Return the planner that asks a model."""

    async def complete(prompt: str, schema: dict[str, Any]) -> str:
        message = await model.ainvoke(
            prompt, max_tokens=PLAN_TOKENS, json_schema=schema, planner_lora=trained
        )
        return str(message.text)

    def propose(question: str) -> list[Plan]:
        plan = asyncio.run(propose_by_model(question, complete, trained=trained))
        return [plan] if plan is not None else []

    return propose


def either(first: Planner, second: Planner) -> Planner:
    """Return the planner that asks the second where the first has no valid plan."""
    return lambda question: rank(question, first(question)) or second(question)


def measured(
    planner: Planner, of: Sequence[Case], show: bool
) -> tuple[dict[tuple[str, str], Counter[str]], list[float]]:
    """Count plans proposed, valid, of more steps and right by source and kind; time each."""
    found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    seconds = []
    for case in of:
        begin = time.perf_counter()
        proposed = planner(case.question)
        seconds.append(time.perf_counter() - begin)
        plans = [*rank(case.question, proposed), whole(case.question)]
        walked = max(plans, key=lambda plan: plan.score)
        good = found[case.source, case.kind]
        good["n"] += 1
        good["proposed"] += len(proposed)
        good["valid"] += sum(not check(case.question, plan) for plan in proposed)
        good["split"] += len(walked.steps) > 1
        good["right"] += case.judged(walked)
        if sum(count["n"] for count in found.values()) % 20 == 0:
            print(f"  {dict(sum(found.values(), Counter()))}", file=sys.stderr, flush=True)
        if show and not case.judged(walked):
            print(f"\n{case.kind}: {case.question}")
            for plan in proposed:
                for number, step in enumerate(plan.steps, 1):
                    print(f"   #{number} {step.operator or ''} {step.text} {step.labels or ''}")
                print(f"   {check(case.question, plan)}")
    return found, seconds


def main() -> int:
    """Print a table of each planner."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("train", type=Path, help="folder with the training sets")
    parser.add_argument("--lora", type=Path, help="adapter of training.planner.adapter")
    parser.add_argument("--model", type=Path, help="a GGUF file instead of the packaged one")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--every", type=int, default=1, help="take every n-th held-out question")
    parser.add_argument("--only", help="the planners to measure, by name, with semicolons")
    parser.add_argument("--wrong", action="store_true", help="print the plans that are not right")
    options = parser.parse_args()
    if not is_training_folder(options.train):
        return 2
    model = LlamaCppChat(
        model_path=str(options.model) if options.model else None,
        planner_lora=str(options.lora or "none"),
        n_ctx=1024,
        n_threads=options.threads,
    )
    planners: dict[str, Planner] = {"shipped": by_language, "examples": asked(model, False)}
    if options.lora:
        planners["lora"] = functools.cache(asked(model, True))
        planners[FALLBACK] = either(by_language, planners["lora"])
    of = cases(options.train)[:: options.every]
    for name, planner in planners.items():
        if options.only and name not in options.only.split(";"):
            continue
        print(f"\n{name}")
        found, seconds = measured(planner, of, options.wrong)
        if name != FALLBACK:
            print(f"  seconds a plan: median {median(seconds):.3f}, most {max(seconds):.3f}")
        print(f"  {'':28}{'n':>5}{'split':>7}{'right':>7}{'plans valid':>14}")
        for source in dict.fromkeys(s for s, _ in found):
            rows = {k: good for (s, k), good in sorted(found.items()) if s == source}
            if len(rows) > 1:
                rows["all"] = sum(rows.values(), Counter())
            for kind, good in rows.items():
                valid = f"{good['valid']} of {good['proposed']}"
                label = f"{source} {kind}".strip()
                print(f"  {label:28}{good['n']:5}{good['split']:7}{good['right']:7}{valid:>14}")
    model.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
