"""Questions on the two dates in brackets behind a name, which the Chinese rows hardly ask for."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

from training.reader.examples import Example, Source

_BIRTH = ("出生", "出生", "诞生", "生")
_DEATH = ("去世", "逝世", "死亡", "过世", "辞世", "病逝", "死")
_YEAR = ("{name}{verb}于哪一年？", "{name}是哪一年{verb}的？", "{name}哪年{verb}？")
_DAY = (
    "{name}什么时候{verb}？",
    "{name}是什么时候{verb}的？",
    "{name}何时{verb}？",
    "{name}的{verb}日期是什么？",
    "{name}于何时{verb}？",
    "{name}{verb}于哪一天？",
)
_BRACKETS = (
    "（{birth}－{death}）",
    "（{birth}—{death}）",
    "（{birth}－{death}）",
    "（{birth}-{death}）",
    "（{birth} – {death}）",
    "（{birth}至{death}）",
    "（{birth}出生，{death}逝世）",
    "（生于{birth}，卒于{death}）",
)


def lives(passages: Iterable[Source], chance: random.Random) -> Iterator[Example]:
    """Yield a question on the birth and one on the death that are put before a passage's text.

    The dates are made up. The passage itself, without them, is the one that does not answer.
    """
    for passage in passages:
        name = passage.title.split("_")[0].split("（")[0].strip()
        if not 2 <= len(name) <= 12:
            continue
        born = chance.randint(900, 1960)
        dates = [born, born + chance.randint(20, 90)]
        form = chance.choice(("{y}年{m}月{d}日", "{y}年{m}月{d}日", "{y}年", "{y}年{m}月", "{y}"))
        birth, death = (
            form.format(y=year, m=chance.randint(1, 12), d=chance.randint(1, 28)) for year in dates
        )
        bracket = chance.choice(_BRACKETS).format(birth=birth, death=death)
        lead = f"{name}{bracket}，"
        source = Source(id=f"{passage.id}-life", title=passage.title, text=lead + passage.text)
        for verbs, date, start in (
            (_BIRTH, birth, lead.index(birth)),
            (_DEATH, death, lead.rindex(death)),
        ):
            whole = chance.random() < 0.5
            # A year is asked for: "1881年9月25日" holds more than the answer.
            answer = date if whole else date[: date.index("年") + 1] if "年" in date else date
            question = chance.choice(_DAY if whole else _YEAR)
            yield Example(
                kind="lives",
                question=question.format(name=name, verb=chance.choice(verbs)),
                passage=source,
                start=start,
                answer=answer,
                negatives=(passage,),
            )
