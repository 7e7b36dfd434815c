"""Figures of the cohort: who was seen when, and why not."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from easitrace.report.figures.canvas import INK, SOFT, canvas, in_house_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STATE_COLOURS = {"seen": "#0072b2", "stopped": "#d55e00", "in follow-up": "#e0e0e0", "missed": "#8c8c8c"}
STATE_HATCHES = {"seen": "", "stopped": "///", "in follow-up": "", "missed": "xx"}
BOX_HEIGHT = 0.74


@in_house_style
def flow_diagram(counts: pd.DataFrame, excluded: int = 0) -> "Figure":
    """Patients at each planned visit and why the others were not seen; every row of boxes adds up to the cohort.

    `counts` has columns `visit`, `state`, `reason`, `n`, and `arm` where there are arms; `excluded` patients had no
    baseline score.
    """
    if "arm" in counts:
        return _flow_of_arms(counts, excluded)
    visits = list(dict.fromkeys(counts["visit"]))
    figure, ax = canvas(0.4 + 0.95 * (len(visits) + 1))
    ax.set(xlim=(0, 10), ylim=(-len(visits) - 0.45, 0.45))
    ax.axis("off")
    analysed = int(counts.loc[counts["visit"] == visits[0], "n"].sum())
    _box(ax, 2.6, 0, f"Patients in the data\nn = {analysed + excluded}", bold=True)
    if excluded:
        _side_box(ax, 0, f"Left out, no baseline score: n = {excluded}")
    for row, visit in enumerate(visits, start=1):
        at_visit = counts[counts["visit"] == visit]
        seen = int(at_visit.loc[at_visit["state"] == "seen", "n"].sum())
        _arrow(ax, (2.6, 1 - row - BOX_HEIGHT / 2), (2.6, BOX_HEIGHT / 2 - row))
        _box(ax, 2.6, -row, f"Seen at {visit}\nn = {seen}", bold=True)
        if seen < analysed:
            _side_box(ax, -row, _absent(at_visit, analysed - seen))
    return figure


@in_house_style
def attendance_bars(counts: pd.DataFrame) -> "Figure":
    """How many patients were seen, stopped, are still in follow-up or missed each visit, as stacked bars with n.

    With `arm` a bar for each at every visit.
    """
    if "arm" in counts:
        ordered = counts.sort_values("week", kind="stable")
        counts = ordered.assign(visit=ordered["visit"].astype(str) + ", " + ordered["arm"])
    visits = list(dict.fromkeys(counts["visit"]))
    states = [state for state in STATE_COLOURS if (counts["state"] == state).any()]
    table = counts.pivot_table(index="visit", columns="state", values="n", aggfunc="sum", observed=True).fillna(0)
    figure, ax = canvas(0.75 + 0.42 * len(visits))
    left = np.zeros(len(visits))
    for state in states:
        width = table[state].reindex(visits).to_numpy()
        colour, hatch = STATE_COLOURS[state], STATE_HATCHES[state]
        ax.barh(range(len(visits)), width, left=left, color=colour, hatch=hatch, edgecolor="white", height=0.62)
        _bar_numbers(ax, width, left, colour=colour if hatch else "", dark=state in ("seen", "missed"))
        left += width
    ax.set(yticks=range(len(visits)), yticklabels=[str(visit) for visit in visits], xlabel="Patients, n")
    ax.invert_yaxis()
    handles = [_swatch(state) for state in states]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(states), frameon=False, fontsize=8)
    return figure


def _flow_of_arms(counts: pd.DataFrame, excluded: int) -> "Figure":
    """A column for each arm under the box of all patients."""
    arms, visits = (list(dict.fromkeys(counts[name])) for name in ("arm", "visit"))
    figure, ax = canvas(0.4 + 0.85 * (len(visits) + 1))
    ax.set(xlim=(0, 10), ylim=(-len(visits) - 0.45, 0.45))
    ax.axis("off")
    first = counts[counts["visit"] == visits[0]]
    left_out = f"\nleft out, no baseline score: n = {excluded}" if excluded else ""
    _box(ax, 5, 0, f"Patients in the data\nn = {int(first['n'].sum()) + excluded}{left_out}", bold=True, wide=4.6)
    width = 10 / len(arms)
    for column, arm in enumerate(arms):
        middle, own = (column + 0.5) * width, counts[counts["arm"] == arm]
        _arrow(ax, (5, -BOX_HEIGHT / 2), (middle, BOX_HEIGHT / 2 - 1))
        for row, visit in enumerate(visits, start=1):
            if row > 1:
                _arrow(ax, (middle, 1 - row - BOX_HEIGHT / 2), (middle, BOX_HEIGHT / 2 - row))
            text = _at_visit(own[own["visit"] == visit], f"{arm}, {visit}" if row == 1 else str(visit))
            _box(ax, middle, -row, text, wide=0.92 * width, size=min(8.0, 22 / len(arms)))
    return figure


def _at_visit(counts: pd.DataFrame, title: str) -> str:
    """Seen out of all, and each reason why not, a line each."""
    seen = int(counts.loc[counts["state"] == "seen", "n"].sum())
    away = counts[counts["state"] != "seen"].groupby("state", observed=True, sort=False)["n"].sum()
    others = ", ".join(f"{state} {n}" for state, n in away.items())
    return f"{title}\nseen {seen} of {int(counts['n'].sum())}" + (f"\n{others}" if others else "")


def _box(
    ax: "Axes", x: float, y: float, text: str, *, wide: float = 3.6, bold: bool = False, size: float = 8.5
) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner = (x - wide / 2, y - BOX_HEIGHT / 2)
    shape = FancyBboxPatch(
        corner, wide, BOX_HEIGHT, boxstyle="round,pad=0,rounding_size=.06", fc="white", ec=SOFT, lw=0.9
    )
    ax.add_patch(shape)
    ax.text(x, y, text, ha="center", va="center", fontsize=size, weight="bold" if bold else "normal", color=INK)


def _side_box(ax: "Axes", y: float, text: str) -> None:
    _arrow(ax, (4.45, y), (5.25, y))
    _box(ax, 7.6, y, text, wide=4.6)


def _arrow(ax: "Axes", start: tuple[float, float], end: tuple[float, float]) -> None:
    ax.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "-|>", "color": SOFT, "lw": 0.9})


def _absent(at_visit: pd.DataFrame, n: int) -> str:
    parts = []
    away = at_visit[at_visit["state"] != "seen"].sort_values(["state", "reason"], ascending=[False, True])
    for state, reason, count in away[["state", "reason", "n"]].to_numpy():
        parts.append(f"{state}{', ' + reason if reason else ''}: n = {count}")
    return f"Not seen: n = {n}\n" + "\n".join(parts)


def _bar_numbers(ax: "Axes", widths: np.ndarray, left: np.ndarray, *, colour: str, dark: bool) -> None:
    """The number of each bar; on a hatch, whose colour is given, on ground of its own."""
    ground = {"facecolor": colour if dark else "white", "edgecolor": "none", "pad": 0.8} if colour else None
    for row, (width, start) in enumerate(zip(widths, left, strict=True)):
        if width:
            ink = "white" if dark else INK
            ax.text(start + width / 2, row, f"{width:.0f}", ha="center", va="center", color=ink, bbox=ground)


def _swatch(state: str) -> Any:
    from matplotlib.patches import Patch

    return Patch(
        facecolor=STATE_COLOURS[state], hatch=STATE_HATCHES[state], edgecolor="white", label=state.capitalize()
    )
