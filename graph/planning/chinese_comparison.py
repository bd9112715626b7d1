"""Chinese questions about two things: which is earlier or larger, are they the same."""

from __future__ import annotations

import re

from graph.planning.language import lookup
from graph.types import AnswerType, Operator, SubQuestion
from graph.values import parse_country

_THING = r"《[^》]+》|[^和与跟及，,：:]+?"
_PAIR = rf"(?P<a>{_THING})(?:和|与|跟|及|还是)(?P<b>{_THING})"
_WHICH = r"(?P<which>谁|哪一?[个部位座本首所家条支款])"
# "A和B哪个更早上映", "哪部电影更早上映，A还是B", "A和B的导演是同一个国家的人吗"
_CHOICES = (
    rf"^{_PAIR}(?:的(?P<role>[^，,谁哪]+?))?(?:这?两[个部位座本首所家条人者]+)?"
    rf"(?:相比|之中|中)?[，,]?{_WHICH}(?P<what>.*)$",
    rf"^{_WHICH}(?P<what>.+?)[，,：:](?:是)?(?P<a>{_THING})(?:还是|或者?|和|与)(?P<b>{_THING})$",
)
_AGREES = re.compile(
    rf"^{_PAIR}(?:的(?P<role>[^是都同相一]+?))?(?P<rest>(?:是|都|来自|出生|有|拥有|具有|属于|毕业)"
    r"[^，,]*?(?:同一|相同|一样)[^，,]*?|(?:相同|一样|同名)吗)$"
)
# "A和B都是亚美尼亚裔吗", "A和B都出生在巴黎吗"
_BOTH = re.compile(
    rf"^{_PAIR}(?:[两二](?:者|人|个|部|座))?(?P<all>都|均|全都|皆)"
    r"(?P<rest>是|为|(?P<verb>出生|位于|坐落|毕业|来自|属于|拍摄|成立|创立|发行|上映)(?P<to>[于在自]?))"
    r"(?P<label>[^，,？?谁什哪何几不]+?)吗$"
)
# "A和B都是什么类型的电影", "A和B都属于哪个科", "A和B有什么共同点"
_COMMON = re.compile(
    rf"^{_PAIR}(?:(?:都|均|皆|同)(?P<verb>是|为|属于|来自|位于|出生[在于]?|获得过?|出演过?|参演过?)"
    r"(?P<what>(?:什么|哪一?[个些种类部位座国]?).*)|(?:之间)?有(?:什么|哪些)共同(?:点|之处)"
    r"|的共同(?:点|之处)是什么)$"
)
_COUNTED = re.compile(
    r"(?P<verb>(?:有|拥有|发行过?|出版过?|发表过?|获得过?|赢得过?|导演过?|执导过?|主演过?|创作过?|写过?)?的?)"
    r"(?P<what>[^更最较，,的谁哪]{1,8})(?:的)?(?:数量)?(?:更|较|最|比较)(?P<how>多|少)"
    r"|(?P<verb2>有|拥有|发行|出版|发表|获得|赢得|导演|执导|主演|创作|写)(?:过|了|的)*(?:更|较|最)"
    r"(?P<how2>多|少)(?:的)?(?P<what2>[^，,的谁哪]{1,8})"
)
# What stands in a clause and in no name.
_NO_NAME = re.compile(r"[的在是]|之间|以及|属于")
# "A和B支持哪个政党" asks for a party: of two things something is said at once.
_SAID_OF_ONE = re.compile(
    r"[更较最是有曾在被先早晚获属位出不]|[\u4e00-\u9fff]{1,4}(?:[更较最]|比较)"
)
_HAVING = {"有", "拥有"}
_EARLIER = re.compile(r"[更较最]?(?:早|先|年长|老)|年[纪龄][更较最]?大")
_LATER = re.compile(r"[更较最]?(?:晚|后|年轻)|年[纪龄][更较最]?小")
_SMALLER = re.compile(r"[更较最](?:小|少|短|低|矮)")
_TIMES = (
    (r"出生|年长|年轻|年[纪龄]|老", "{x}是什么时候出生的？"),
    (r"去世|逝世|死", "{x}是什么时候去世的？"),
    (r"上映|发行|发布|播出", "{x}是什么时候上映的？"),
    (r"出版|发表", "{x}是什么时候出版的？"),
    (r"成立|创立|创办|建立|建成|建校", "{x}是什么时候成立的？"),
)
_MEASURES = (
    (r"[更较最][高矮]|海拔", "{x}的高度是多少？"),
    (r"[更较最][长短]", "{x}的长度是多少？"),
    (r"人口", "{x}的人口是多少？"),
    (r"[更较最][大小]|面积", "{x}的面积是多少？"),
)
_SHARED = (
    (r"国籍|国家|国", "{x}是哪国人？"),
    (r"城市|地方|省", "{x}出生在哪里？"),
    (r"年", "{x}是什么时候出生的？"),
    (r"人", "{x}是谁？"),
)


def decompose_pair(text: str, people: str) -> list[SubQuestion] | None:
    """Return the steps of a comparing question; None where it does not compare two things.

    `people` is the alternation of nouns that name a person by a role (导演|作者|…).
    """
    return _choice(text, people) or _agreement(text, people) or _both(text) or _common(text)


def named_pair(question: str) -> tuple[str, str, str] | None:
    """Return what is asked of two things, without them, and the two; None where none are offered.

    "A和B哪个是县级市？" asks "哪个是县级市？" of A and B.
    """
    text = re.sub(r"[？?。\s]*$", "", question.strip())
    match = next((m for m in (re.match(form, text) for form in _CHOICES) if m), None)
    if match is None or match.groupdict().get("role"):
        return None
    a, b = match["a"], match["b"].removesuffix("相比")
    if match.re.pattern == _CHOICES[0] and not _SAID_OF_ONE.match(match["what"]):
        return None
    if any(_NO_NAME.search(name) for name in (a, b)):
        return None
    return f"{match['which']}{match['what']}？", a.strip("《》"), b.strip("《》")


def _both(text: str) -> list[SubQuestion] | None:
    """Return the steps of "A和B都是律师吗": what each is, and whether both answers say so."""
    match = _BOTH.match(text)
    if match is None:
        return None
    label = match["label"]
    if match["verb"] is None:
        form = "{x}是什么？"
        if parse_country(label):
            form = "{x}是哪国人？"
        elif label.endswith(("裔", "族")):
            form = "{x}的族裔是什么？"
    elif match["verb"] in {"成立", "创立", "发行", "上映"}:
        bound = re.fullmatch(r"(?P<when>.*\d.*年)(?P<side>之?前|以前|之?后|以后)?", label)
        if bound is None:
            return None
        side = bound["side"] or ""
        label = ("早于" if "前" in side else "晚于" if "后" in side else "") + bound["when"]
        form = f"{{x}}是什么时候{match['verb']}的？"
    elif match["verb"] == "属于":
        form = "{x}属于什么？"
    else:
        form = f"{{x}}{match['verb']}{match['to'] or ''}哪里？"
        form = (
            {"{x}来自哪里？": "{x}来自哪个国家？"}.get(form, form) if parse_country(label) else form
        )
    steps = _compared(text, (match["a"], match["b"]), None, form, Operator.BOTH, (label,))
    return [*steps[:-1], steps[-1].model_copy(update={"expects": AnswerType.YES_NO})]


def _common(text: str) -> list[SubQuestion] | None:
    """Return the steps of "A和B都是什么": what each is, and what the answers share."""
    match = _COMMON.match(text)
    if match is None:
        return None
    form = f"{{x}}{match['verb']}{match['what']}？" if match["what"] else "{x}是什么？"
    steps = _compared(text, (match["a"], match["b"]), None, form, Operator.INTERSECTION, ())
    return [*steps[:-1], steps[-1].model_copy(update={"expects": steps[0].expects})]


def _choice(text: str, people: str) -> list[SubQuestion] | None:
    match = next((m for m in (re.match(form, text) for form in _CHOICES) if m), None)
    if match is None:
        return None
    what = (match.groupdict().get("role") or "") + match["what"]
    role = re.search(people, what)
    earlier, later = _EARLIER.search(what), _LATER.search(what)
    if earlier or later:
        person = match["which"] == "谁" or role is not None
        form = next((form for words, form in _TIMES if re.search(words, what)), None)
        form = form or ("{x}是什么时候出生的？" if person else "{x}是什么时候成立的？")
        operator = Operator.EARLIER if earlier else Operator.LATER
    elif counted := _COUNTED.search(what):
        verb, counts = counted["verb2"] or counted["verb"], counted["what2"] or counted["what"]
        verb = re.sub("[过的]", "", verb or "") or "有"
        form = f"{{x}}{verb}{'' if verb in _HAVING else '了'}多少{counts}？"
        if counts == "人口":
            form = "{x}的人口是多少？"
        more = (counted["how"] or counted["how2"]) == "多"
        operator = Operator.LARGER if more else Operator.SMALLER
        role = None
    else:
        form = next((form for words, form in _MEASURES if re.search(words, what)), None)
        if form is None or not re.search(r"[更较最]", what):
            return None
        operator = Operator.SMALLER if _SMALLER.search(what) else Operator.LARGER
    options = (match["a"], match["b"])
    return _compared(text, options, role[0] if role else None, form, operator, options)


def _agreement(text: str, people: str) -> list[SubQuestion] | None:
    match = _AGREES.match(text)
    if match is None:
        return None
    role = match["role"] if match["role"] and re.fullmatch(people, match["role"]) else None
    asked = (match["role"] or "") + match["rest"] if role is None else match["rest"]
    form = next((form for words, form in _SHARED if re.search(words, asked)), None)
    if form is None:
        return None
    options = (match["a"], match["b"])
    if form == "{x}是谁？":
        # "A和B的导演是同一个人吗": the role itself is what may be shared.
        if role is None:
            return None
        form, role = f"{{x}}的{role}是谁？", None
    return _compared(text, options, role, form, Operator.SAME, ())


def _compared(
    text: str,
    options: tuple[str, str],
    role: str | None,
    form: str,
    operator: Operator,
    labels: tuple[str, ...],
) -> list[SubQuestion]:
    texts = []
    things = list(options)
    if role is not None:
        texts = [f"{option}的{role}是谁？" for option in options]
        things = ["#1", "#2"]
    first = len(texts) + 1
    texts += [form.replace("{x}", thing) for thing in things]
    lookups = [lookup(asked) for asked in texts]
    return [
        *lookups,
        SubQuestion(
            text=text + "？",
            kind="operator",
            expects=AnswerType.ANY if labels else AnswerType.YES_NO,
            operator=operator,
            arguments=(first, first + 1),
            labels=labels,
        ),
    ]
