"""Figures of further outcome measures: their courses, changes against what matters, components met together."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from easitrace.report.figures.canvas import BLUE, INK, PALE, SOFT, canvas, courses, in_house_style, value_label
from easitrace.report.style import Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_COMBINATIONS = 16


@in_house_style
def instrument_courses(visits: pd.DataFrame, table: pd.DataFrame, labels: Mapping[str, str], style: Style) -> "Figure":
    """Every instrument in a panel of its own: courses of the patients, medians with quartiles, n under each visit.

    `visits` has `patient`, `week` and the scores; `table` has `instrument`, `week`, `n`, `median`, `q1`, `q3`;
    `labels` names the instruments with their range.
    """
    from matplotlib.ticker import MaxNLocator

    names = list(dict.fromkeys(table["instrument"]))
    columns = min(2, len(names))
    rows = -(-len(names) // columns)
    figure, frame = canvas(2.35 * rows)
    frame.remove()
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, name in zip(panels, names, strict=False):
        own = table[table["instrument"] == name]
        courses(ax, visits, name)
        weeks, medians = own["week"].to_numpy(float), own["median"].to_numpy(float)
        spread = np.abs(own[["q1", "q3"]].to_numpy(float).T - medians)
        ax.errorbar(weeks, medians, yerr=spread, color=BLUE, lw=2.2, marker="o", ms=5.5, capsize=4, zorder=5)
        for week, median in zip(weeks, medians, strict=True):
            value_label(ax, week, median, style.number(median))
        ticks = [f"{week:g}\nn = {n}" for week, n in zip(own["week"], own["n"], strict=True)]
        ax.set(xticks=weeks, xticklabels=ticks, title=labels[name])
        ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        ax.set_xlim(weeks.min() - 0.06 * np.ptp(weeks), weeks.max() + 0.14 * np.ptp(weeks))
    for ax in panels[len(names) :]:
        ax.axis("off")
    figure.supxlabel("Week", fontsize=8.5)
    figure.supylabel("Score, points", fontsize=8.5)
    return figure


@in_house_style
def important_changes(table: pd.DataFrame, labels: Mapping[str, str], style: Style) -> "Figure":
    """Improvements with intervals in multiples of each instrument's important change, points printed at the right.

    `table` has `instrument`, `to`, `n_pairs`, `gain`, `gain_lower`, `gain_upper` (points, above zero is better) and
    `important`.
    """
    figure, ax = canvas(1.0 + 0.34 * len(table))
    unit = table["important"].to_numpy(float)
    centre = table["gain"].to_numpy(float) / unit
    spread = np.abs(table[["gain_lower", "gain_upper"]].to_numpy(float).T / unit - centre)
    ax.axvline(0, color=SOFT, lw=0.8)
    ax.axvline(1, color=INK, lw=1.0, ls=(0, (4, 3)))
    ax.errorbar(centre, range(len(table)), xerr=spread, fmt="s", color=BLUE, ms=5, lw=1.6, capsize=3)
    names = [
        f"{labels[row['instrument']]} ({row['important']:g} {'point' if row['important'] == 1 else 'points'}), "
        f"{row['to']}, n = {row['n_pairs']}"
        for row in table.to_dict("records")
    ]
    ax.set(yticks=range(len(table)), yticklabels=names, ylim=(len(table) - 0.4, -0.6))
    ax.set_xlabel("Improvement, in multiples of the important change")
    ax.set_xlim(left=min(-0.1, ax.get_xlim()[0]), right=max(1.15, ax.get_xlim()[1]))
    ax.text(1, 1.01, "important\nchange", transform=ax.get_xaxis_transform(), ha="center", va="bottom", fontsize=7.5)
    for place, row in enumerate(table.to_dict("records")):
        text = f"{style.number(row['gain'])} ({style.interval(row['gain_lower'], row['gain_upper'])})"
        ax.text(1.02, place, text, transform=ax.get_yaxis_transform(), va="center", fontsize=8)
    return figure


@in_house_style
def components_together(table: pd.DataFrame, names: Mapping[str, str]) -> "Figure":
    """Which components are met together: a column per combination, its number of patients on top.

    `table` is from `easitrace.response.targets.together`, `names` labels its components; at most
    `MOST_COMBINATIONS` combinations are drawn, the frequent ones.
    """
    criteria = [name for name in table.columns if name != "patients"]
    shown = table.head(MOST_COMBINATIONS)
    figure, frame = canvas(1.5 + 0.3 * len(criteria))
    frame.remove()
    ratio = {"height_ratios": [1.3, 0.3 * len(criteria) + 0.2]}
    bars, dots = figure.subplots(2, 1, sharex=True, gridspec_kw=ratio)
    bars.bar(range(len(shown)), shown["patients"], color=BLUE, width=0.6)
    for place, patients in enumerate(shown["patients"]):
        bars.text(place, patients, f" {patients}", ha="center", va="bottom", fontsize=8)
    bars.set(ylabel="Patients, n", ylim=(0, 1.18 * shown["patients"].max()))
    bars.tick_params(bottom=False, labelbottom=False)
    for place, combination in enumerate(shown[criteria].to_numpy()):
        _combination(dots, place, combination)
    met = [int(table.loc[table[name] == "met", "patients"].sum()) for name in criteria]
    known = [int(table.loc[table[name] != "not known", "patients"].sum()) for name in criteria]
    labels = [f"{names[name]}  ({k}/{n})" for name, k, n in zip(criteria, met, known, strict=True)]
    dots.set(yticks=range(len(criteria)), yticklabels=labels, ylim=(len(criteria) - 0.5, -0.5))
    dots.set_xlim(-0.6, max(len(shown), 4) - 0.4)
    dots.spines[["left", "bottom"]].set_visible(False)
    dots.tick_params(length=0, labelbottom=False)
    figure.legend(handles=_dot_legend(), loc="outside lower right", ncols=3, frameon=False, fontsize=8)
    return figure


def _combination(ax: "Axes", place: int, states: "np.ndarray") -> None:
    rows = np.arange(len(states))
    met, open_, unknown = (rows[states == state] for state in ("met", "not met", "not known"))
    if len(met) > 1:
        ax.plot([place, place], [met.min(), met.max()], color=BLUE, lw=2, zorder=1)
    ax.scatter(np.full(len(met), place), met, s=52, color=BLUE, zorder=3)
    ax.scatter(np.full(len(open_), place), open_, s=52, facecolor="white", edgecolor=PALE, lw=1.3, zorder=3)
    ax.scatter(np.full(len(unknown), place), unknown, s=34, marker="x", color=SOFT, lw=1.3, zorder=3)


def _dot_legend() -> list[object]:
    from matplotlib.lines import Line2D

    plain: Any = {"ls": "none", "ms": 7}
    return [
        Line2D([], [], marker="o", color=BLUE, label="Met", **plain),
        Line2D([], [], marker="o", markerfacecolor="white", color=PALE, label="Not met", **plain),
        Line2D([], [], marker="x", color=SOFT, label="Not known", **plain),
    ]
