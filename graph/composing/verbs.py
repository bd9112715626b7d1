"""English verbs as a statement needs them: "Where did he die?" is answered by "He died in …"."""

from __future__ import annotations

import functools
import re

from graph.planning.language import parser

_IRREGULAR = dict(
    pair.split(":")
    for pair in (
        "arise:arose awake:awoke be:was bear:bore beat:beat become:became begin:began bend:bent "
        "bet:bet bind:bound bite:bit bleed:bled blow:blew break:broke breed:bred bring:brought "
        "broadcast:broadcast build:built burst:burst buy:bought cast:cast catch:caught "
        "choose:chose cling:clung come:came cost:cost creep:crept cut:cut deal:dealt dig:dug "
        "do:did "
        "draw:drew drink:drank drive:drove eat:ate fall:fell feed:fed feel:felt fight:fought "
        "find:found flee:fled fling:flung fly:flew forbid:forbade forecast:forecast "
        "foresee:foresaw forget:forgot forgive:forgave freeze:froze get:got give:gave go:went "
        "grind:ground grow:grew hang:hung have:had hear:heard hide:hid hit:hit hold:held hurt:hurt "
        "keep:kept know:knew lay:laid lead:led leave:left lend:lent let:let lie:lay light:lit "
        "lose:lost make:made mean:meant meet:met mistake:mistook offset:offset outdo:outdid "
        "overcome:overcame override:overrode oversee:oversaw overtake:overtook "
        "overthrow:overthrew partake:partook pay:paid put:put quit:quit read:read rebuild:rebuilt "
        "remake:remade repay:repaid rid:rid ride:rode ring:rang rise:rose run:ran say:said see:saw "
        "seek:sought sell:sold send:sent set:set shake:shook shed:shed shine:shone shoot:shot "
        "show:showed shrink:shrank shut:shut sing:sang sink:sank sit:sat slay:slew sleep:slept "
        "slide:slid speak:spoke spend:spent spin:spun split:split spread:spread spring:sprang "
        "stand:stood steal:stole stick:stuck sting:stung strike:struck strive:strove swear:swore "
        "sweep:swept swim:swam swing:swung take:took teach:taught tear:tore tell:told "
        "think:thought "
        "throw:threw undergo:underwent understand:understood undertake:undertook undo:undid "
        "upset:upset wake:woke wear:wore weave:wove weep:wept win:won wind:wound "
        "withdraw:withdrew withstand:withstood write:wrote rewrite:rewrote"
    ).split()
)
_CONSONANT_Y = re.compile(r"[^aeiou]y$")
_HISSING = re.compile(r"(?:s|x|z|ch|sh|o)$")


@functools.cache
def _doubled() -> dict[str, str]:
    """Return the verbs whose last letter doubles, with their past: "stop" is "stopped"."""
    known = parser().get_pipe("lemmatizer").lookups.get_table("lemma_exc")["verb"]
    return {
        verb: past
        for past, verbs in known.items()
        for verb in verbs
        if past in {f"{verb}{verb[-1]}ed", f"{verb}ked"}
    }


def past(verb: str) -> str:
    """Return the simple past of a verb in its base form.

    Examples
    --------
    >>> past("write"), past("die"), past("marry"), past("stop")
    ('wrote', 'died', 'married', 'stopped')
    """
    if verb in _IRREGULAR:
        return _IRREGULAR[verb]
    if verb in _doubled():
        return _doubled()[verb]
    if verb.endswith("e"):
        return f"{verb}d"
    return f"{verb[:-1]}ied" if _CONSONANT_Y.search(verb) else f"{verb}ed"


def third_person(verb: str) -> str:
    """Return the form of a verb that goes with he, she and it.

    Examples
    --------
    >>> third_person("write"), third_person("have"), third_person("carry"), third_person("teach")
    ('writes', 'has', 'carries', 'teaches')
    """
    if verb in {"be", "have"}:
        return {"be": "is", "have": "has"}[verb]
    if _CONSONANT_Y.search(verb):
        return f"{verb[:-1]}ies"
    return f"{verb}es" if _HISSING.search(verb) else f"{verb}s"
