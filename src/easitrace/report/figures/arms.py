"""How arms are drawn: a colour, a marker and a dash each, named where their line ends, numbers below the axis."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from easitrace.report.figures.canvas import BLUE, INK, ORANGE, canvas, in_house_style, panel_grid
from easitrace.report.style import Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOOKS: tuple[dict[str, Any], ...] = (
    {"color": "#595959", "marker": "s", "ls": (0, (5, 2))},
    {"color": BLUE, "marker": "o", "ls": "-"},
    {"color": ORANGE, "marker": "D", "ls": (0, (1, 1.5))},
    {"color": "#009e73", "marker": "^", "ls": (0, (5, 1.5, 1, 1.5))},
    {"color": "#aa4499", "marker": "v", "ls": (0, (3, 1, 1, 1, 1, 1))},
    {"color": "#997700", "marker": "P", "ls": (0, (8, 3))},
)
CLOSE = 0.055  # of the axis: labels nearer than this are moved apart
LINE = 0.075  # of the axis: distance of the numbers below it


def looks(arms: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The look of each arm, the reference first."""
    return dict(zip(arms, LOOKS, strict=False))


@in_house_style
def arm_courses(table: pd.DataFrame, visits: pd.DataFrame | None, outcome: str, label: str, style: Style) -> "Figure":
    """The course of each arm with intervals or quartiles, over the patients' own courses in the arm's colour.

    `table` has `arm`, `week`, `n`, `centre`, `lower`, `upper`; `visits` has `patient`, `arm`, `week` and the outcome,
    and is None where no patient may be drawn.
    """
    arms = list(dict.fromkeys(table["arm"]))
    figure, ax = canvas(3.6 + 0.16 * len(arms))
    weeks = sorted(table["week"].unique())
    step = 0.012 * (weeks[-1] - weeks[0])
    for place, (arm, look) in enumerate(looks(arms).items()):
        if visits is not None:
            _patients(ax, visits[visits["arm"] == arm], outcome, look["color"])
        own = table[(table["arm"] == arm) & table["centre"].notna()]
        shifted = own["week"].to_numpy(float) + step * (place - (len(arms) - 1) / 2)
        centre = own["centre"].to_numpy(float)
        spread = np.abs(own[["lower", "upper"]].to_numpy(float).T - centre)
        ax.errorbar(shifted, centre, yerr=spread, lw=2, ms=5, capsize=3, zorder=5, **look)
    ax.set_ylim(bottom=0)
    name_ends(ax, table.rename(columns={"week": "x", "centre": "y"}), style)
    ax.set(xticks=weeks, xticklabels=[f"{week:g}" for week in weeks], ylabel=label)
    numbers_below(ax, table, "n")
    return figure


@in_house_style
def shares_by_arm(shares: pd.DataFrame) -> "Figure":
    """Responder proportions with intervals by visit and arm, one panel per criterion.

    `shares` has `arm`, `criterion`, `week`, `proportion`, `lower`, `upper`.
    """
    arms, criteria = (list(dict.fromkeys(shares[name])) for name in ("arm", "criterion"))
    figure, panels = panel_grid(len(criteria), 2.2)
    weeks = sorted(shares["week"].unique())
    for ax, criterion in zip(panels, criteria, strict=False):
        for place, (arm, look) in enumerate(looks(arms).items()):
            own = shares[(shares["criterion"] == criterion) & (shares["arm"] == arm)]
            x = np.arange(len(weeks)) + 0.14 * (place - (len(arms) - 1) / 2)
            share = 100 * own["proportion"].to_numpy(float)
            spread = np.abs(100 * own[["lower", "upper"]].to_numpy(float).T - share)
            ax.errorbar(x, share, yerr=spread, ms=4, lw=1.5, capsize=2.5, label=arm, clip_on=False, **look)
        ax.set(xticks=range(len(weeks)), xticklabels=[f"{week:g}" for week in weeks], ylim=(0, 100))
        ax.set_title(criterion, fontsize=8)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper left", ncols=len(arms), frameon=False, fontsize=8)
    figure.supxlabel("Week", fontsize=8.5)
    figure.supylabel("Responders, % of n", fontsize=8.5)
    return figure


def name_ends(ax: "Axes", table: pd.DataFrame, style: Style, unit: str = "") -> None:
    """The name of each arm and its last value at the right of its line; `table` has `arm`, `x`, `y`."""
    arms = list(dict.fromkeys(table["arm"]))
    last = table[table["y"].notna()].groupby("arm", sort=False, observed=True).last()
    low, high = ax.get_ylim()
    order = last["y"].sort_values()
    heights = _apart(order.tolist(), CLOSE * (high - low))
    for arm, height in zip(order.index, heights, strict=True):
        text = f"{arm} {style.number(last.loc[arm, 'y'])}{unit}"
        colour = looks(arms)[str(arm)]["color"]
        place: Any = {"transform": ax.get_yaxis_transform(), "va": "center", "clip_on": False}
        ax.text(1.015, height, text, fontsize=8.5, weight="bold", color=colour, **place)


def numbers_below(ax: "Axes", table: pd.DataFrame, column: str, title: str = "n") -> None:
    """Rows of numbers under the weeks, one per arm, named at the left; `table` has `arm`, `week` and the column."""
    arms = list(dict.fromkeys(table["arm"]))
    figure: Any = ax.figure
    line = LINE * 3.6 / figure.get_size_inches()[1]
    place: Any = {"transform": ax.get_xaxis_transform(), "va": "center", "fontsize": 8, "clip_on": False}
    left: Any = {**place, "transform": ax.transAxes}
    ax.text(0.5, -1.9 * line, "Week", ha="center", color=INK, **left)
    for row, (arm, look) in enumerate(looks(arms).items()):
        at = -(3.0 + row) * line
        ax.text(-0.035, at, f"{arm}, {title}", ha="right", color=look["color"], **left)
        for week, number in table.loc[table["arm"] == arm, ["week", column]].itertuples(index=False):
            ax.text(week, at, f"{number}", ha="center", color=INK, **place)


def _patients(ax: "Axes", visits: pd.DataFrame, outcome: str, colour: str) -> None:
    from matplotlib.collections import LineCollection

    seen = visits.dropna(subset=[outcome]).sort_values(["patient", "week"])
    lines = [rows[["week", outcome]].to_numpy(float) for _, rows in seen.groupby("patient", sort=True)]
    alpha = float(np.clip(12 / max(len(lines), 1), 0.05, 0.3))
    many = len(lines) > 300
    ax.add_collection(LineCollection(lines, colors=colour, linewidths=0.7, alpha=alpha, rasterized=many, zorder=1))
    ax.autoscale_view()


def _apart(values: Sequence[float], gap: float) -> list[float]:
    """Ascending heights spread about where they were until they lie `gap` apart."""
    heights = list(values)
    for _ in range(50):
        for low, high in zip(range(len(heights) - 1), range(1, len(heights)), strict=True):
            short = gap - (heights[high] - heights[low])
            if short > 0:
                heights[low] -= short / 2
                heights[high] += short / 2
    return heights
