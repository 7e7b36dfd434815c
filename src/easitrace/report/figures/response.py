"""Figures of response: proportions and classes."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from easitrace.report.figures.canvas import BLUE, ORANGE, courses, in_house_style, panel_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@in_house_style
def responder_shares(endpoints: pd.DataFrame, marginal: pd.DataFrame | None = None) -> "Figure":
    """Responder proportions with intervals by visit, one panel per criterion, responders/n printed at each point.

    `endpoints` has `criterion`, `week`, `responders`, `n`, `proportion`, `lower`, `upper`; `marginal`, when given,
    `criterion`, `week`, `probability`, `lower`, `upper`, drawn beside them as diamonds.
    """
    criteria = list(dict.fromkeys(endpoints["criterion"]))
    figure, panels = panel_grid(len(criteria), 2.2)
    for ax, criterion in zip(panels, criteria, strict=False):
        rows = endpoints[endpoints["criterion"] == criterion]
        place, share = np.arange(len(rows)), 100 * rows["proportion"].to_numpy(float)
        spread = np.abs(100 * rows[["lower", "upper"]].to_numpy(float).T - share)
        ax.errorbar(place, share, yerr=spread, fmt="o", color=BLUE, ms=5.5, lw=1.6, capsize=4, clip_on=False)
        for x, y, k, n in zip(place, share, rows["responders"], rows["n"], strict=True):
            lift = 0 if k else 4
            ax.annotate(f"{k}/{n}", (x, y), xytext=(7, lift), textcoords="offset points", va="center", fontsize=7.5)
        weeks = [f"{week:g}" for week in rows["week"]]
        ax.set(xticks=place, xticklabels=weeks, ylim=(0, 100), xlim=(-0.4, len(rows) - 0.3))
        ax.set_title(criterion, fontsize=8)
        if marginal is not None:
            _marginal(ax, marginal[marginal["criterion"] == criterion], list(rows["week"]))
    if marginal is not None:
        handles = max((ax.containers for ax in panels), key=len)
        names = ["Observed, responders/n", "Marginal model"][: len(handles)]
        figure.legend(handles, names, loc="outside upper left", ncols=2, frameon=False, fontsize=8)
    figure.supxlabel("Week", fontsize=8.5)
    figure.supylabel("Responders, % of n", fontsize=8.5)
    return figure


def _marginal(ax: "Axes", rows: pd.DataFrame, weeks: list[float]) -> None:
    """Marginal probabilities, to the left of the observed proportions."""
    known = rows[rows["probability"].notna()]
    if known.empty:
        return
    place = np.array([weeks.index(week) for week in known["week"]]) - 0.16
    share = 100 * known["probability"].to_numpy(float)
    spread = np.abs(100 * known[["lower", "upper"]].to_numpy(float).T - share)
    look: Any = {"color": ORANGE, "mfc": "white", "ms": 4.5, "lw": 1.2, "capsize": 2.5}
    ax.errorbar(place, share, yerr=spread, fmt="D", clip_on=False, **look)


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
