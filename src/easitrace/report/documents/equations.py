"""Equations as documents need them: what stands in brackets is one group, a power belongs to the group.

MathML from LaTeX puts brackets side by side with what they hold, and `(a + b)^2` as a power of the closing bracket.
Browsers draw that alike; Word and its like want to know what belongs together.
"""

from typing import Any

OPENING, CLOSING = "(", ")"
LONE = ("*", "+", "-", "\u2212", "\u2217")
SCRIPTS = {"msup", "msub", "msubsup"}


def arrange(equation: Any) -> None:
    """Put every pair of round brackets of a `<math>` element, with what it holds, into a row of its own.

    A sign that is a script by itself, as in `v^*`, becomes text: it joins nothing.
    """
    for script in equation.iter(*SCRIPTS):
        for sign in script[1:]:
            sign.tag = "mtext" if sign.tag == "mo" and sign.text in LONE else sign.tag
    for row in [element for element in equation.iter() if element.tag in {"mrow", "math", "mtd"}]:
        row[:] = _grouped(row)


def _grouped(row: Any) -> list[Any]:
    made: list[Any] = []
    opened: list[int] = []
    for child in list(row):
        scripted = child.tag in SCRIPTS
        sign = child[0] if scripted else child
        if sign.tag == "mo" and sign.text == CLOSING and opened:
            start = opened.pop()
            group = row.makeelement("mrow", {})
            group.extend([*made[start:], sign])
            del made[start:]
            if scripted:
                child.insert(0, group)
            made.append(child if scripted else group)
            continue
        if sign.tag == "mo" and sign.text == OPENING and not scripted:
            opened.append(len(made))
        made.append(child)
    return made
