"""The text of a response criterion: `easi75`, `easi<=7`, `drop>=6.6`, `easi50 and (itch_nrs<=4 or dlqi drop>=4)`.

expression = term {("and" term) | ("or" term)}      one kind of word per level; brackets to mix them
term       = "(" expression ")" | atom
atom       = name percent                            relative improvement from baseline, in percent
           | name ("<=" | ">=") score                score reached
           | [name] ("drop" | "rise") ">=" points    absolute improvement; without a name: of the outcome
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from easitrace.errors import ParameterError, Problem

FORMS = "easi75, easi<=7, drop>=6.6, or several of them joined by and/or"
NAME = r"[a-z](?:[a-z0-9_]*[a-z_])?"
SCORE = r"[0-9]{1,6}(?:\.[0-9]{1,6})?"
LONGEST = 200
_PERCENT = re.compile(rf"({NAME})([0-9]{{1,3}})")
_REACHED = re.compile(rf"([a-z][a-z0-9_]*)\s*(<=|>=)\s*({SCORE})")
_CHANGED = re.compile(rf"(?:([a-z][a-z0-9_]*)\s+)?(drop|rise)\s*>=\s*({SCORE})")
_TOKEN = re.compile(r"\(|\)|\band\b|\bor\b")


@dataclass(frozen=True)
class Percent:
    """At least `percent` percent better than baseline."""

    instrument: str
    percent: int

    def __str__(self) -> str:
        return f"{self.instrument}{self.percent}"


@dataclass(frozen=True)
class Reached:
    """A score of at most (`<=`) or at least (`>=`) `score`."""

    instrument: str
    relation: Literal["<=", ">="]
    score: Decimal

    def __str__(self) -> str:
        return f"{self.instrument}{self.relation}{self.score}"


@dataclass(frozen=True)
class Changed:
    """A drop or a rise from baseline of at least `points`."""

    instrument: str
    direction: Literal["drop", "rise"]
    points: Decimal

    def __str__(self) -> str:
        return f"{self.instrument} {self.direction}>={self.points}"


@dataclass(frozen=True)
class Combined:
    """Several expressions, all of which ("and") or one of which ("or") must hold."""

    word: Literal["and", "or"]
    parts: tuple["Expression", ...]

    def __str__(self) -> str:
        return f" {self.word} ".join(f"({p})" if isinstance(p, Combined) else str(p) for p in self.parts)


Atom = Percent | Reached | Changed
Expression = Atom | Combined


def parse_criterion(text: str, outcome: str = "easi") -> Expression:
    """Read a criterion; `drop>=6.6` without a name is about `outcome`.

    Raises
    ------
    ParameterError
        When the text is no criterion; the message shows the forms that are.
    """
    if not isinstance(text, str) or len(text) > LONGEST:
        raise _refused(str(text)[:LONGEST], f"write it as text of at most {LONGEST} characters")
    tokens = list(_tokens(text))
    expression, rest = _expression(tokens, text, outcome)
    if rest:
        raise _refused(text, "a bracket is closed that was not opened")
    return expression


def atoms(expression: Expression) -> tuple[Atom, ...]:
    """The single conditions of an expression, from left to right."""
    if isinstance(expression, Combined):
        return tuple(atom for part in expression.parts for atom in atoms(part))
    return (expression,)


def _tokens(text: str) -> Iterator[str]:
    position = 0
    for match in _TOKEN.finditer(text):
        yield from filter(None, [text[position : match.start()].strip(), match[0]])
        position = match.end()
    yield from filter(None, [text[position:].strip()])


def _expression(tokens: list[str], text: str, outcome: str) -> tuple[Expression, list[str]]:
    part, rest = _term(tokens, text, outcome)
    parts, words = [part], []
    while rest and rest[0] in ("and", "or"):
        words.append(rest[0])
        part, rest = _term(rest[1:], text, outcome)
        parts.append(part)
    if len(set(words)) > 1:
        raise _refused(text, "and/or are mixed; say with brackets which belong together")
    if rest and rest[0] != ")":
        raise _refused(text, "join conditions with and/or")
    if not words:
        return part, rest
    return Combined("and" if words[0] == "and" else "or", tuple(parts)), rest


def _term(tokens: list[str], text: str, outcome: str) -> tuple[Expression, list[str]]:
    if not tokens or tokens[0] in ("and", "or", ")"):
        raise _refused(text, f"a condition is missing; write {FORMS}")
    if tokens[0] != "(":
        return _atom(tokens[0], text, outcome), tokens[1:]
    inner, rest = _expression(tokens[1:], text, outcome)
    if not rest:
        raise _refused(text, "a bracket is not closed")
    return inner, rest[1:]


def _atom(token: str, text: str, outcome: str) -> Atom:
    if match := _CHANGED.fullmatch(token):
        return Changed(match[1] or outcome, "drop" if match[2] == "drop" else "rise", Decimal(match[3]))
    if match := _REACHED.fullmatch(token):
        return Reached(match[1], "<=" if match[2] == "<=" else ">=", Decimal(match[3]))
    if (match := _PERCENT.fullmatch(token)) and 0 < int(match[2]) <= 100:
        return Percent(match[1], int(match[2]))
    raise _refused(text, f"cannot read {token!r}; {_hint(token)}")


def _hint(token: str) -> str:
    """What the writer probably meant, or the forms there are."""
    fraction = re.fullmatch(r"([A-Za-z_]+)\s*0?\.(\d{1,2})", token)
    if fraction:
        return f"did you mean {fraction[1].lower()}{fraction[2]:0<2}? percentages are whole numbers"
    plain = re.sub(r"(?<=[a-z])[\s-]+(?=[0-9])|\s*%", "", token.lower()).replace("=<", "<=").replace("=>", ">=")
    plain = re.sub(r"([<>])(?!=)", r"\1=", plain)
    readable = _PERCENT.fullmatch(plain) or _REACHED.fullmatch(plain) or _CHANGED.fullmatch(plain)
    return f"did you mean {plain}?" if readable and plain != token else f"write {FORMS}"


def _refused(text: object, remedy: str) -> ParameterError:
    return ParameterError(Problem("E105", "criterion", f"{text!r} is not a response criterion", remedy))
