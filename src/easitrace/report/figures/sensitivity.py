"""Figures of sensitivity: all estimands and missing-data rules, and the tipping point."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from easitrace.report.figures.canvas import BLUE, INK, ORANGE, SOFT, canvas, in_house_style
from easitrace.report.style import Style
from easitrace.report.words import SHORT_MISSING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = {"observed": "o", "nri": "s", "locf": "^", "mi": "D"}
HALO: Any = {"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 1}
LINE = 0.2  # inches to a row of the forest


@in_house_style
def estimands_forest(table: pd.DataFrame, chosen: Mapping[str, str], unit: str, style: Style) -> "Figure":
    """Change from baseline and proportion of responders with intervals, one row per estimand and rule.

    Estimate, interval and n are printed beside each row; the row of the report's own choice is marked, and a thin line
    carries its estimate through the others. `table` is `sensitivity.distinct(...)`, `chosen` has `estimand` and
    `missing`, `unit` is the axis of the change.
    """
    rows, headings, names = _places(table)
    figure, (left, right) = canvas(0.75 + LINE * (len(rows) + 1.4 * len(headings)), columns=2, sharey=True)
    own = _is_chosen(table, chosen)
    _panel(left, table, rows, own, ("change", "patients", 1.0), _digits(unit, style), style)
    _panel(right, table, rows, own, ("share", "n", 100.0), 0, style)
    left.axvline(0, color=SOFT, lw=0.8, ls=(0, (4, 3)))
    left.set(xlabel=unit, ylim=(rows[-1] + 0.7, -0.7), yticks=rows, yticklabels=names)
    right.set(xlabel="Responders, % of n", xlim=(0, 100))
    for label, mine in zip(left.get_yticklabels(), own, strict=True):
        label.set_fontweight("bold" if mine else "normal")
    for place, heading in headings:
        across: Any = {"transform": left.get_yaxis_transform(), "va": "center", "bbox": HALO | {"alpha": 1}}
        left.text(0, place, heading, fontsize=8, style="italic", **across)
    for ax in (left, right):
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
    return figure


@in_house_style
def tipping_curve(table: pd.DataFrame, point: float | None, unit: str, instrument: str, style: Style) -> "Figure":
    """Change from baseline and proportion of responders over the points added to scores imputed after stopping.

    `table` comes from `tipping.tipping`, `point` is its tipping point, None when there is none.
    """
    figure, (left, right) = canvas(2.9, columns=2)
    sides = ((left, "change", 1.0, ORANGE, _digits(unit, style)), (right, "share", 100.0, BLUE, 0))
    for ax, name, factor, colour, digits in sides:
        values = factor * table[[name, f"{name}_lower", f"{name}_upper"]].to_numpy(float)
        ax.fill_between(table["delta"], values[:, 1], values[:, 2], color=colour, alpha=0.18, lw=0)
        ax.plot(table["delta"], values[:, 0], color=colour, lw=2)
        _end_labels(ax, table["delta"].to_numpy(float), values[:, 0], digits, style)
        ax.set(xlabel=f"{instrument} points worse, \u03b4", xlim=(table["delta"].iloc[0], table["delta"].iloc[-1]))
    left.axhline(0, color=SOFT, lw=0.8, ls=(0, (4, 3)))
    left.set_title(unit)
    right.set_title("Responders, % of n")
    right.set_ylim(0, 100)
    if point is not None:
        left.axvline(point, color=INK, lw=1, ls=":")
        where: Any = {"xycoords": left.get_xaxis_transform(), "textcoords": "offset points", "xytext": (5, 0)}
        left.annotate(f"\u03b4 = {point:g}: other conclusion", (point, 0.03), bbox=HALO, **where)
    return figure


def _places(table: pd.DataFrame) -> tuple[list[float], list[tuple[float, str]], list[str]]:
    """Height of every row, headings with theirs, names of the rows."""
    rows: list[float] = []
    headings: list[tuple[float, str]] = []
    height = 0.0
    for estimand, block in table.groupby("estimand", sort=False):
        headings.append((height, str(estimand).replace("-", " ").capitalize()))
        rows += [height + 1 + place for place in range(len(block))]
        height = rows[-1] + 1.4
    return rows, headings, [SHORT_MISSING[rule] for rule in table["missing"]]


def _is_chosen(table: pd.DataFrame, chosen: Mapping[str, str]) -> list[bool]:
    pairs = zip(table["estimand"], table["missing"], strict=True)
    return [chosen["estimand"] in names.split("; ") and rule == chosen["missing"] for names, rule in pairs]


def _panel(
    ax: "Axes",
    table: pd.DataFrame,
    rows: list[float],
    own: list[bool],
    what: tuple[str, str, float],
    digits: int,
    style: Style,
) -> None:
    name, counted, factor = what
    across: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "va": "center", "fontsize": 7.5}
    for place, mine, row in zip(rows, own, table.to_dict("records"), strict=True):
        centre, lower, upper = (factor * row[key] for key in (name, f"{name}_lower", f"{name}_upper"))
        if np.isnan(centre):
            absent = "no rule for scores" if row["missing"] == "nri" and name == "change" else "not estimable"
            ax.text(1.03, place, absent, color=SOFT, **across)
            continue
        colour = ORANGE if mine else BLUE
        marker = MARKERS[row["missing"]]
        ax.errorbar(
            centre, place, xerr=[[centre - lower], [upper - centre]], fmt=marker, color=colour, ms=4.5, capsize=2
        )
        if mine:
            ax.axvline(centre, color=ORANGE, lw=0.7, zorder=0)
        text = f"{style.number(centre, digits)} ({style.interval(lower, upper, digits)})  n = {row[counted]}"
        ax.text(1.03, place, text, color=INK, **across)


def _end_labels(ax: "Axes", deltas: Any, values: Any, digits: int, style: Style) -> None:
    below = values[-1] > values[0]
    for place, shift, side in ((0, 4, "left"), (-1, -4, "right")):
        text, where = style.number(float(values[place]), digits), (deltas[place], values[place])
        offset: Any = {"xytext": (shift, -13 if below else 6), "textcoords": "offset points"}
        ax.annotate(text, where, ha=side, weight="bold", **offset)


def _digits(unit: str, style: Style) -> int:
    return 0 if unit.endswith("%") else style.digits + 1
