"""Figures that set our results beside published cohorts: ours filled, theirs open, each named where it is drawn."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from easitrace.report.figures.arms import LOOKS
from easitrace.report.figures.canvas import BLUE, SOFT, canvas, in_house_style, value_label
from easitrace.report.figures.treatment import apart
from easitrace.report.style import Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = "sD^vPX"
OURS: tuple[dict[str, Any], ...] = ({"color": BLUE, "marker": "o", "ls": "-"},)


@in_house_style
def course_in_context(ours: pd.DataFrame, context: pd.DataFrame, label: str, style: Style) -> "Figure":
    """Our means or medians with their limits, and those of published cohorts as open markers.

    `ours` has `week`, `n`, `value`, `lower`, `upper`, and `arm` where there are arms; `context` has `study`, `drug`,
    `n`, `week`, `value`, `lower`, `upper` (missing limits are not drawn).
    """
    figure, ax = canvas(3.3)
    ends: list[tuple[float, str, str]] = []
    by_study = context.sort_values("week", kind="stable").groupby("study", sort=False)
    for marker, (study, rows) in zip(MARKERS * len(context), by_study, strict=False):
        spread = np.abs(rows[["lower", "upper"]].to_numpy(float).T - rows["value"].to_numpy(float))
        look: Any = {"color": SOFT, "marker": marker, "markerfacecolor": "white", "ms": 6, "lw": 1.2, "capsize": 3}
        ax.errorbar(rows["week"], rows["value"], yerr=spread, ls=(0, (4, 2)), **look)
        ends.append((float(rows["value"].iloc[-1]), _named(str(study), rows.iloc[0]), SOFT))
    parts = (
        {str(arm): rows for arm, rows in ours.groupby("arm", sort=False)} if "arm" in ours else {"This cohort": ours}
    )
    for name, look in zip(parts, OURS if len(parts) == 1 else LOOKS, strict=False):
        _our_course(ax, parts[name], look)
        if "arm" in ours:
            last = float(parts[name]["value"].iloc[-1])
            ends.append((last, f"{name} {style.number(last)}", look["color"]))
        else:
            _label_course(ax, ours, name, style)
    ax.set_ylim(bottom=0)
    ends.sort()
    heights = apart([end[0] for end in ends], 0.075 * ax.get_ylim()[1])
    for (_, name, colour), height in zip(ends, heights, strict=True):
        ax.text(1.015, height, name, transform=ax.get_yaxis_transform(), va="center", fontsize=8, color=colour)
    counts = ours.groupby("week")["n"].sum().to_dict()
    ticks = sorted({*ours["week"], *context["week"]})
    names = [f"{week:g}\nn = {counts[week]}" if week in counts else f"{week:g}" for week in ticks]
    ax.set(xticks=ticks, xticklabels=names, xlabel="Week (n of this cohort)", ylabel=label)
    return figure


def _our_course(ax: "Axes", rows: pd.DataFrame, look: dict[str, Any]) -> None:
    values = rows["value"].to_numpy(float)
    spread = np.abs(rows[["lower", "upper"]].to_numpy(float).T - values)
    ax.errorbar(rows["week"], values, yerr=spread, lw=2.2, ms=6, capsize=4, zorder=5, **look)


def _label_course(ax: "Axes", rows: pd.DataFrame, name: str, style: Style) -> None:
    weeks, values = rows["week"].to_numpy(float), rows["value"].to_numpy(float)
    for week, value in zip(weeks, values, strict=True):
        value_label(ax, week, value, style.number(value))
    place: Any = {"xytext": (9, -11), "textcoords": "offset points", "fontsize": 8, "color": BLUE}
    ax.annotate(name, (weeks[-1], values[-1]), **place)


@in_house_style
def shares_in_context(ours: pd.DataFrame, context: pd.DataFrame, label: str, style: Style) -> "Figure":
    """Our responder proportions above, published ones below as open markers, a row each, percentages at the right.

    `ours` has `visit`, `n`, `value`, `lower`, `upper` in percent; `context` has `study`, `drug`, `n`, `week`, `value`,
    `lower`, `upper`.
    """
    rows = [
        (f"{row.get('arm', 'This cohort')}, {row['visit']}, n = {row['n']}", row, True)
        for row in ours.to_dict("records")
    ]
    published = context.sort_values(["drug", "study", "week"])
    rows += [
        (f"{_named(str(row['study']), row)}, week {row['week']:g}", row, False) for row in published.to_dict("records")
    ]
    figure, ax = canvas(0.8 + 0.27 * len(rows))
    for place, (_, row, own) in enumerate(rows):
        spread = np.abs(np.array([[row["lower"]], [row["upper"]]], dtype=float) - row["value"])
        face = BLUE if own else "white"
        look = {"color": BLUE if own else SOFT, "markerfacecolor": face, "marker": "o" if own else "D"}
        ax.errorbar([row["value"]], [place], xerr=spread, ms=5.5, lw=1.5, capsize=3, **look)
        text = style.percent(row["value"] / 100)
        if np.isfinite(row["lower"]):
            text += f" ({style.interval(row['lower'], row['upper'], 0)})"
        ax.text(1.02, place, text, transform=ax.get_yaxis_transform(), va="center", fontsize=8)
    ax.axhline(len(ours) - 0.5, color=SOFT, lw=0.6)
    ax.set(yticks=range(len(rows)), yticklabels=[name for name, _, _ in rows], xlabel=label, xlim=(0, 100))
    ax.set_ylim(len(rows) - 0.4, -0.6)
    return figure


def _named(study: str, row: Any) -> str:
    n = row["n"]
    size = [f"n = {n:.0f}"] if np.isfinite(n) else []
    return ", ".join([study, *filter(None, [str(row["drug"])]), *size])
