"""Figures of response: proportions and classes."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from easitrace.report.figures.canvas import BLUE, ORANGE, SOFT, courses, in_house_style, panel_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@in_house_style
def responder_shares(
    endpoints: pd.DataFrame,
    marginal: pd.DataFrame | None = None,
    recorded: pd.DataFrame | None = None,
    name: str = "Observed",
) -> "Figure":
    """Responder proportions with intervals by visit, one panel per criterion; responders/n at few points.

    `endpoints` has `criterion`, `week`, `responders`, `n`, `proportion`, `lower`, `upper`, and `missing` where they
    follow a missing-data rule, which `name` is printed for; `recorded`, those of recorded scores, and `marginal`, with
    `criterion`, `week`, `probability`, `lower`, `upper`, are drawn beside them when given.
    """
    criteria = list(dict.fromkeys(endpoints["criterion"]))
    figure, panels = panel_grid(len(criteria), 2.2)
    for ax, criterion in zip(panels, criteria, strict=False):
        rows = endpoints[endpoints["criterion"] == criterion]
        weeks = list(rows["week"])
        _shares(ax, rows.assign(share=rows["proportion"]), weeks, OWN)
        if len(weeks) <= MOST_LABELLED:
            _labels(ax, rows)
        if recorded is not None:
            known = recorded[recorded["criterion"] == criterion]
            _shares(ax, known.assign(share=known["proportion"]), weeks, RECORDED)
        if marginal is not None:
            fitted = marginal[marginal["criterion"] == criterion]
            _shares(ax, fitted.assign(share=fitted["probability"]), weeks, MARGINAL)
        names = [f"{week:g}" for week in weeks]
        ax.set(xticks=range(len(weeks)), xticklabels=names, ylim=(0, 100), xlim=(-0.45, len(weeks) - 0.3))
        ax.set_title(criterion, fontsize=8)
    drawn = [name, *["Recorded only"] * (recorded is not None), *["Marginal model"] * (marginal is not None)]
    if len(drawn) > 1:
        handles = max((ax.containers for ax in panels), key=len)
        figure.legend(handles, drawn[: len(handles)], loc="outside upper left", ncols=3, frameon=False, fontsize=8)
    figure.supxlabel("Week", fontsize=8.5)
    figure.supylabel("Responders, % of n", fontsize=8.5)
    return figure


MOST_LABELLED = 3  # visits; labels of more would lie on the next point
LOWEST_LABEL = 2.0  # percent; below, a label would lie on the axis
OWN: dict[str, Any] = {"fmt": "o", "color": BLUE, "ms": 5.5, "lw": 1.6, "capsize": 4, "aside": 0.0}
RECORDED: dict[str, Any] = {"fmt": "s", "color": SOFT, "mfc": "white", "ms": 4, "lw": 1, "capsize": 2.5, "aside": 0.28}
MARGINAL: dict[str, Any] = {
    "fmt": "D",
    "color": ORANGE,
    "mfc": "white",
    "ms": 4.5,
    "lw": 1.2,
    "capsize": 2.5,
    "aside": 0.16,
}


def _shares(ax: "Axes", rows: pd.DataFrame, weeks: list[float], look: dict[str, Any]) -> None:
    """`share` with its limits at each week, a little to the left of it where others are drawn there."""
    known = rows[rows["share"].notna()]
    if known.empty:
        return
    place = np.array([weeks.index(week) for week in known["week"]]) - look["aside"]
    share = 100 * known["share"].to_numpy(float)
    spread = np.abs(100 * known[["lower", "upper"]].to_numpy(float).T - share)
    style = {key: value for key, value in look.items() if key != "aside"}
    ax.errorbar(place, share, yerr=spread, clip_on=False, **style)


def _labels(ax: "Axes", rows: pd.DataFrame) -> None:
    """Responders/n at each point, or n alone where responders were imputed and are no whole number."""
    for place, row in enumerate(rows.to_dict("records")):
        if not row["n"]:
            continue
        imputed = row.get("missing") == "mi"
        text = f"n = {row['n']}" if imputed else f"{row['responders']:g}/{row['n']}"
        height = 100 * row["proportion"]
        lift = 0 if height > LOWEST_LABEL else 4
        ax.annotate(text, (place, height), xytext=(7, lift), textcoords="offset points", va="center", fontsize=7.5)


@in_house_style
def class_courses(visits: pd.DataFrame, classes: pd.DataFrame, outcome: str, label: str) -> "Figure":
    """Individual courses, one panel per response class, the panel's median in bold.

    `classes` has `patient` and `class`; classes without a patient are left out.
    """
    names = list(dict.fromkeys(classes.sort_values("class")["class"].astype(str)))
    figure, panels = panel_grid(len(names), 1.95)
    joined = visits.merge(classes[["patient", "class"]], on="patient")
    for ax, name in zip(panels, names, strict=False):
        own = joined[joined["class"].astype(str) == name]
        courses(ax, own, outcome)
        middle = own.groupby("week")[outcome].median()
        ax.plot(middle.index, middle, color=BLUE, lw=2.2, marker="o", ms=4)
        ax.set_title(f"{name.capitalize()}, n = {own['patient'].nunique()}", fontsize=8)
        ax.set_xticks(sorted(visits["week"].unique()))
    panels[0].set_ylim(0, 1.05 * joined[outcome].max())
    figure.supxlabel("Week", fontsize=8.5)
    figure.supylabel(label, fontsize=8.5)
    return figure
