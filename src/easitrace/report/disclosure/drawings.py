"""Figures of a report for others, drawn from told tables alone."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from easitrace.report.disclosure.derive import MASKED
from easitrace.report.disclosure.entry import ARM
from easitrace.report.figures.arms import arm_courses, looks
from easitrace.report.figures.canvas import BLUE, ORANGE, PALE, SOFT, canvas, in_house_style, value_label, week_axis
from easitrace.report.style import Style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHADES = ("#0072b2", "#56b4e9", "#d55e00", "#e69f00", "#cc79a7", "#999999", "#595959")


def told_rows(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The rows in which all of these columns are told, as numbers."""
    numbers = pd.DataFrame({name: pd.to_numeric(table[name], errors="coerce") for name in columns})
    return table.assign(**numbers)[numbers.notna().all(axis=1)]


@in_house_style
def medians(course: pd.DataFrame, label: str, style: Style) -> "Figure":
    """Observed medians by visit with quartiles where they are told; `course` has `week`, `n`, `median`, `q1`, `q3`."""
    rows = told_rows(course, ["week", "n", "median"]).astype({"n": int})
    limits = rows[["q1", "q3"]].apply(pd.to_numeric, errors="coerce")
    return _points(rows.assign(centre=rows["median"], lower=limits["q1"], upper=limits["q3"]), BLUE, label, style)


@in_house_style
def means(estimated: pd.DataFrame, label: str, style: Style) -> "Figure":
    """Estimated means by visit with intervals; `estimated` has `week`, `n`, `mean`, `lower`, `upper`."""
    rows = told_rows(estimated, ["week", "n", "mean", "lower", "upper"]).astype({"n": int})
    return _points(rows.assign(centre=rows["mean"]), ORANGE, label, style)


def _points(rows: pd.DataFrame, colour: str, label: str, style: Style) -> "Figure":
    if ARM in rows:
        return arm_courses(rows, None, "", label, style)
    figure, ax = canvas(3.2)
    weeks, centre = rows["week"].to_numpy(float), rows["centre"].to_numpy(float)
    spread = np.nan_to_num(np.abs(rows[["lower", "upper"]].to_numpy(float).T - centre))
    ax.errorbar(weeks, centre, yerr=spread, lw=2.2, marker="o", ms=6, capsize=4, color=colour)
    for week, number in zip(weeks, centre, strict=True):
        value_label(ax, week, number, style.number(number))
    ax.set_ylim(bottom=0)
    week_axis(ax, rows, label)
    return figure


@in_house_style
def classes_by_rule(rules: pd.DataFrame) -> "Figure":
    """Told counts of each class, one bar per rule; masked classes leave their part of the bar open."""
    names, classes = list(dict.fromkeys(rules["rule"])), list(dict.fromkeys(rules["class"]))
    figure, ax = canvas(0.9 + 0.34 * len(names))
    wide = rules.assign(count=pd.to_numeric(rules["count"], errors="coerce").fillna(0))
    counts = wide.pivot(index="rule", columns="class", values="count").loc[names, classes]
    shown = [name for name in classes if counts[name].any()]
    left = np.zeros(len(names))
    for place, name in enumerate(shown):
        width = counts[name].to_numpy(float)
        ax.barh(range(len(names)), width, left=left, color=SHADES[place % len(SHADES)], label=name, height=0.7)
        left += width
    ax.set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5), xlabel="Patients, rounded")
    figure.legend(loc="outside upper left", ncols=3, frameon=False, fontsize=8)
    return figure


@in_house_style
def still_on_treatment(groups: pd.DataFrame) -> "Figure":
    """Proportion still on treatment at the ends of the groups of weeks; `groups` has `to_week`, `survival`."""
    told = groups[groups["survival"].ne(MASKED)]
    arms = told[ARM] if ARM in told else pd.Series("", index=told.index)
    figure, ax = canvas(2.8)
    for (arm, rows), look in zip(
        told.groupby(arms, sort=False), looks(list(dict.fromkeys(arms))).values(), strict=True
    ):
        weeks = [0.0, *rows["to_week"].astype(float)]
        shares = [100.0, *(100 * rows["survival"].astype(float))]
        ax.plot(weeks, shares, color=PALE, lw=1, ls=(0, (2, 2)))
        ax.plot(
            weeks, shares, color=look["color"] if arm else BLUE, lw=0, marker=look["marker"], ms=5.5, label=arm or None
        )
    ax.axhline(50, color=SOFT, lw=0.8, ls=(0, (4, 3)))
    ax.set(ylim=(0, 102), xlabel="Week", ylabel="Still on treatment, %", xticks=[0.0, *sorted({*told["to_week"]})])
    if ARM in told:
        ax.legend(frameon=False, fontsize=8)
    return figure
