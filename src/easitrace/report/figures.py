"""The figures of the chapters: each one function of tidy data, in one style, readable in grey."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np
import pandas as pd

from easitrace.report.style import Style
from easitrace.report.words import COVARIANCE_NAMES, SHORT_SCALES

P = ParamSpec("P")

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1a1a1a"
SOFT = "#6b6b6b"
PALE = "#b9bec4"
BLUE = "#0072b2"
ORANGE = "#d55e00"
STATE_COLOURS = {"seen": "#0072b2", "stopped": "#d55e00", "in follow-up": "#e0e0e0", "missed": "#8c8c8c"}
STATE_HATCHES = {"seen": "", "stopped": "///", "in follow-up": "", "missed": "xx"}
HOUSE_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "white",
    "hatch.linewidth": 0.6,
}
WIDTH = 6.6
MANY_PATIENTS = 300
BOX_HEIGHT = 0.74


def in_house_style(draw: Callable[P, "Figure"]) -> Callable[P, "Figure"]:
    """Draw without a screen and with the report's fonts and lines, whatever the caller's own settings are."""

    @wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> "Figure":
        import matplotlib as mpl

        mpl.use("agg")
        with mpl.rc_context(HOUSE_STYLE):
            return draw(*args, **kwargs)

    return styled


def canvas(height: float, columns: int = 1, **options: Any) -> tuple["Figure", Any]:
    """A figure of the report's width (inches) with one row of axes."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, columns, figsize=(WIDTH, height), layout="constrained", **options)
    return figure, axes


def panel_grid(panels: int, height: float) -> tuple["Figure", Any]:
    """Panels of one size, at most three to a row, `height` inches each, sharing their axes; empty places stay blank."""
    columns = min(3, panels)
    rows = -(-panels // columns)
    figure, axes = canvas(0.3 + height * rows)
    axes.remove()
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for ax in grid:
        ax.tick_params(labelbottom=True)
    for ax in grid[panels:]:
        ax.axis("off")
    return figure, grid


@in_house_style
def flow_diagram(counts: pd.DataFrame, excluded: int = 0) -> "Figure":
    """Patients at each planned visit and why the others were not seen; every row of boxes adds up to the cohort.

    `counts` has columns `visit`, `state`, `reason`, `n`; `excluded` patients had no baseline score.
    """
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
    """How many patients were seen, stopped, are still in follow-up or missed each visit, as stacked bars with n."""
    visits = list(dict.fromkeys(counts["visit"]))
    states = [state for state in STATE_COLOURS if (counts["state"] == state).any()]
    table = counts.pivot_table(index="visit", columns="state", values="n", aggfunc="sum", observed=True).fillna(0)
    figure, ax = canvas(0.75 + 0.42 * len(visits))
    left = np.zeros(len(visits))
    for state in states:
        width = table[state].reindex(visits).to_numpy()
        colour, hatch = STATE_COLOURS[state], STATE_HATCHES[state]
        ax.barh(range(len(visits)), width, left=left, color=colour, hatch=hatch, edgecolor="white", height=0.62)
        _bar_numbers(ax, width, left, dark=state in ("seen", "missed"))
        left += width
    ax.set(yticks=range(len(visits)), yticklabels=[str(visit) for visit in visits], xlabel="Patients, n")
    ax.invert_yaxis()
    handles = [_swatch(state) for state in states]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(states), frameon=False, fontsize=8)
    return figure


@in_house_style
def spaghetti(
    visits: pd.DataFrame, course: pd.DataFrame, outcome: str, label: str, bands: Sequence[Any], style: Style
) -> "Figure":
    """Individual courses behind the median and quartiles at each visit, over the severity bands of the instrument.

    `visits` has `patient`, `week` and the outcome; `course` has `week`, `n`, `median`, `q1`, `q3`;
    `bands` are (label, lower, upper) in points of the outcome.
    """
    figure, ax = canvas(3.7)
    _courses(ax, visits, outcome)
    weeks, medians = course["week"].to_numpy(float), course["median"].to_numpy(float)
    spread = np.abs(course[["q1", "q3"]].to_numpy(float).T - medians)
    ax.errorbar(weeks, medians, yerr=spread, color=BLUE, lw=2.2, marker="o", ms=6, capsize=4, zorder=5)
    for week, median in zip(weeks, medians, strict=True):
        _value(ax, week, median, style.number(median))
    _bands(ax, bands)
    _week_axis(ax, course, label)
    return figure


@in_house_style
def change_forest(changes: pd.DataFrame, label: str, style: Style) -> "Figure":
    """Changes between visits with their intervals, estimate and interval printed at the right, zero as reference.

    `changes` has `name`, `n`, `estimate`, `lower`, `upper`.
    """
    figure, ax = canvas(0.9 + 0.34 * len(changes))
    rows = range(len(changes))
    centre = changes["estimate"].to_numpy(float)
    spread = np.abs(changes[["lower", "upper"]].to_numpy(float).T - centre)
    ax.axvline(0, color=SOFT, lw=0.8, ls=(0, (4, 3)))
    ax.errorbar(centre, rows, xerr=spread, fmt="s", color=BLUE, ms=5, lw=1.6, capsize=3)
    names = [f"{name}  (n = {n})" for name, n in zip(changes["name"], changes["n"], strict=True)]
    ax.set(yticks=list(rows), yticklabels=names, xlabel=label, ylim=(len(changes) - 0.4, -0.6))
    for row, (estimate, lower, upper) in enumerate(changes[["estimate", "lower", "upper"]].to_numpy(float)):
        text = f"{style.number(estimate)} ({style.interval(lower, upper)})"
        ax.text(1.02, row, text, transform=ax.get_yaxis_transform(), va="center", fontsize=8)
    return figure


@in_house_style
def estimated_means(means: pd.DataFrame, visits: pd.DataFrame, outcome: str, label: str, style: Style) -> "Figure":
    """Model-based means with intervals on the outcome's own scale, observed courses behind them.

    `means` has `week`, `n`, `mean`, `lower`, `upper` on the outcome's scale.
    """
    figure, ax = canvas(3.4)
    _courses(ax, visits, outcome)
    weeks, centre = means["week"].to_numpy(float), means["mean"].to_numpy(float)
    ax.fill_between(weeks, means["lower"], means["upper"], color=ORANGE, alpha=0.18, lw=0)
    spread = np.abs(means[["lower", "upper"]].to_numpy(float).T - centre)
    ax.errorbar(weeks, centre, yerr=spread, color=ORANGE, lw=2.2, marker="D", ms=5.5, capsize=4, zorder=5)
    for week, mean in zip(weeks, centre, strict=True):
        _value(ax, week, mean, style.number(mean))
    _week_axis(ax, means, label)
    return figure


@in_house_style
def sensitivity_forest(table: pd.DataFrame, label: str) -> "Figure":
    """The same estimate under every model, one row per structure, one marker and colour per scale.

    `table` has `covariance`, `scale`, `mean`, `lower`, `upper`; models that could not be fitted leave a gap.
    """
    structures = list(dict.fromkeys(table["covariance"]))
    scales = list(dict.fromkeys(table["scale"]))
    figure, ax = canvas(0.9 + 0.42 * len(structures))
    for place, (scale, colour, marker) in enumerate(zip(scales, (SOFT, ORANGE, BLUE), "sDo", strict=True)):
        own = table[table["scale"] == scale].set_index("covariance").loc[structures]
        rows = np.arange(len(structures)) + 0.24 * (place - 1)
        centre = own["mean"].to_numpy(float)
        spread = np.abs(own[["lower", "upper"]].to_numpy(float).T - centre)
        name = SHORT_SCALES[scale]
        ax.errorbar(centre, rows, xerr=spread, fmt=marker, color=colour, ms=4.5, lw=1.4, capsize=2.5, label=name)
    names = [COVARIANCE_NAMES[structure].replace("heterogeneous", "het.") for structure in structures]
    ax.set(yticks=range(len(structures)), yticklabels=names, xlabel=label, ylim=(len(structures) - 0.5, -0.5))
    ax.set_xlim(left=min(0.0, float(np.nanmin(table["lower"]))) if table["lower"].notna().any() else 0.0)
    figure.legend(loc="outside upper left", ncols=len(scales), frameon=False, fontsize=8, title="Scale of the model")
    return figure


@in_house_style
def residual_panel(residuals: pd.DataFrame) -> "Figure":
    """Whitened residuals by fitted value, against normal quantiles, and by visit: what the model leaves unexplained.

    `residuals` has `visit`, `fitted`, `standardised`.
    """
    import seaborn as sns
    from scipy.stats import norm

    figure, axes = canvas(2.5, columns=3)
    values = np.sort(residuals["standardised"].to_numpy(float))
    expected = norm.ppf((np.arange(len(values)) + 0.5) / len(values))
    axes[0].scatter(residuals["fitted"], residuals["standardised"], s=10, color=BLUE, alpha=0.6, lw=0)
    axes[0].set(xlabel="Fitted value", ylabel="Standardised residual", title="Against the fit")
    axes[1].axline((0, 0), slope=1, color=SOFT, lw=0.8)
    axes[1].scatter(expected, values, s=10, color=BLUE, alpha=0.6, lw=0)
    axes[1].set(xlabel="Normal quantile", title="Normal plot")
    names = list(dict.fromkeys(residuals["visit"].astype(str)))
    by_visit = {"data": residuals.assign(visit=residuals["visit"].astype(str)), "x": "visit", "y": "standardised"}
    groups = [residuals.loc[residuals["visit"].astype(str) == name, "standardised"] for name in names]
    axes[2].boxplot(groups, positions=range(len(names)), widths=0.5, showfliers=False, medianprops={"color": ORANGE})
    sns.swarmplot(**by_visit, order=names, ax=axes[2], color=BLUE, size=2.5, warn_thresh=1)
    axes[2].set(title="By visit", xlabel="", ylabel="", xticks=range(len(names)), xticklabels=names)
    axes[2].tick_params(axis="x", rotation=30 if len(names) > 3 else 0)
    for ax in (axes[0], axes[2]):
        ax.axhline(0, color=SOFT, lw=0.8, ls=(0, (4, 3)))
    return figure


@in_house_style
def responder_shares(endpoints: pd.DataFrame) -> "Figure":
    """Responder proportions with intervals by visit, one panel per criterion, responders/n printed at each point.

    `endpoints` has `criterion`, `week`, `responders`, `n`, `proportion`, `lower`, `upper`.
    """
    criteria = list(dict.fromkeys(endpoints["criterion"]))
    figure, panels = panel_grid(len(criteria), 2.2)
    for ax, criterion in zip(panels, criteria, strict=False):
        rows = endpoints[endpoints["criterion"] == criterion]
        place, share = np.arange(len(rows)), 100 * rows["proportion"].to_numpy(float)
        spread = np.abs(100 * rows[["lower", "upper"]].to_numpy(float).T - share)
        ax.errorbar(place, share, yerr=spread, fmt="o", color=BLUE, ms=5.5, lw=1.6, capsize=4, clip_on=False)
        for x, y, k, n in zip(place, share, rows["responders"], rows["n"], strict=True):
            ax.annotate(f"{k}/{n}", (x, y), xytext=(7, 0), textcoords="offset points", va="center", fontsize=7.5)
        weeks = [f"{week:g}" for week in rows["week"]]
        ax.set(xticks=place, xticklabels=weeks, ylim=(0, 100), xlim=(-0.4, len(rows) - 0.3))
        ax.set_title(criterion, fontsize=8)
    figure.supxlabel("Week", fontsize=8.5)
    figure.supylabel("Responders, % of n", fontsize=8.5)
    return figure


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
        _courses(ax, own, outcome)
        middle = own.groupby("week")[outcome].median()
        ax.plot(middle.index, middle, color=BLUE, lw=2.2, marker="o", ms=4)
        ax.set_title(f"{name.capitalize()}, n = {own['patient'].nunique()}", fontsize=8)
        ax.set_xticks(sorted(visits["week"].unique()))
    panels[0].set_ylim(0, 1.05 * joined[outcome].max())
    figure.supxlabel("Week", fontsize=8.5)
    figure.supylabel(label, fontsize=8.5)
    return figure


def _courses(ax: "Axes", visits: pd.DataFrame, outcome: str) -> None:
    from matplotlib.collections import LineCollection

    seen = visits.dropna(subset=[outcome]).sort_values(["patient", "week"])
    lines = [rows[["week", outcome]].to_numpy(float) for _, rows in seen.groupby("patient", sort=True)]
    many = len(lines) > MANY_PATIENTS
    alpha = 0.75 if not many else max(0.05, 75 / len(lines))
    ax.add_collection(LineCollection(lines, colors=PALE, linewidths=0.9, alpha=alpha, rasterized=many, zorder=1))
    ax.scatter(seen["week"], seen[outcome], s=7, color=PALE, alpha=alpha, lw=0, rasterized=many, zorder=1)
    ax.autoscale_view()
    ax.set_ylim(bottom=0)


def _bands(ax: "Axes", bands: Sequence[Any]) -> None:
    top = ax.get_ylim()[1]
    for place, (name, lower, upper) in enumerate(bands):
        if lower >= top:
            break
        if place % 2:
            ax.axhspan(lower, min(upper, top), color="#f2f4f6", zorder=0, lw=0)
        if min(upper, top) - lower > 0.04 * top:
            middle = (lower + min(upper, top)) / 2
            ax.text(1.01, middle, name, transform=ax.get_yaxis_transform(), va="center", fontsize=7.5, color=SOFT)
    ax.set_ylim(0, top)


def _week_axis(ax: "Axes", table: pd.DataFrame, label: str) -> None:
    names = [f"{week:g}\nn = {n}" for week, n in zip(table["week"], table["n"], strict=True)]
    ax.set(xticks=table["week"], xticklabels=names, xlabel="Week", ylabel=label)


def _value(ax: "Axes", x: float, y: float, text: str) -> None:
    halo = {"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 1}
    ax.annotate(
        text, (x, y), xytext=(9, 7), textcoords="offset points", fontsize=8.5, weight="bold", bbox=halo, zorder=6
    )


def _box(ax: "Axes", x: float, y: float, text: str, *, wide: float = 3.6, bold: bool = False) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner = (x - wide / 2, y - BOX_HEIGHT / 2)
    shape = FancyBboxPatch(
        corner, wide, BOX_HEIGHT, boxstyle="round,pad=0,rounding_size=.06", fc="white", ec=SOFT, lw=0.9
    )
    ax.add_patch(shape)
    ax.text(x, y, text, ha="center", va="center", fontsize=8.5, weight="bold" if bold else "normal", color=INK)


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


def _bar_numbers(ax: "Axes", widths: np.ndarray, left: np.ndarray, *, dark: bool) -> None:
    for row, (width, start) in enumerate(zip(widths, left, strict=True)):
        if width:
            colour = "white" if dark else INK
            box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8} if not dark else None
            ax.text(start + width / 2, row, f"{width:.0f}", ha="center", va="center", color=colour, bbox=box)


def _swatch(state: str) -> Any:
    from matplotlib.patches import Patch

    return Patch(
        facecolor=STATE_COLOURS[state], hatch=STATE_HATCHES[state], edgecolor="white", label=state.capitalize()
    )
