"""Figures of the course: observed, estimated, its changes, its residuals."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from easitrace.report.figures.arms import arm_courses
from easitrace.report.figures.canvas import BLUE, ORANGE, SOFT, canvas, courses, in_house_style, value_label, week_axis
from easitrace.report.style import Style
from easitrace.report.words import COVARIANCE_NAMES, SHORT_SCALES
from easitrace.response.arms import effects

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@in_house_style
def spaghetti(
    visits: pd.DataFrame, course: pd.DataFrame, outcome: str, label: str, bands: Sequence[Any], style: Style
) -> "Figure":
    """Individual courses behind the median and quartiles at each visit, over the severity bands of the instrument.

    `visits` has `patient`, `week` and the outcome; `course` has `week`, `n`, `median`, `q1`, `q3`;
    `bands` are (label, lower, upper) in points of the outcome. With `arm` in both tables a course for each arm.
    """
    if "arm" in course:
        named = course.rename(columns={"median": "centre", "q1": "lower", "q3": "upper"})
        return arm_courses(named, visits, outcome, label, style)
    figure, ax = canvas(3.7)
    courses(ax, visits, outcome)
    weeks, medians = course["week"].to_numpy(float), course["median"].to_numpy(float)
    spread = np.abs(course[["q1", "q3"]].to_numpy(float).T - medians)
    ax.errorbar(weeks, medians, yerr=spread, color=BLUE, lw=2.2, marker="o", ms=6, capsize=4, zorder=5)
    for week, median in zip(weeks, medians, strict=True):
        value_label(ax, week, median, style.number(median))
    _bands(ax, bands)
    week_axis(ax, course, label)
    return figure


@in_house_style
def change_forest(changes: pd.DataFrame, label: str, style: Style) -> "Figure":
    """Changes between visits with their intervals, estimate and interval printed at the right, zero as reference.

    `changes` has `name`, `n`, `estimate`, `lower`, `upper`; with `arm` the arm is named too.
    """
    figure, ax = canvas(0.9 + 0.34 * len(changes))
    rows = range(len(changes))
    centre = changes["estimate"].to_numpy(float)
    spread = np.abs(changes[["lower", "upper"]].to_numpy(float).T - centre)
    ax.axvline(0, color=SOFT, lw=0.8, ls=(0, (4, 3)))
    ax.errorbar(centre, rows, xerr=spread, fmt="s", color=BLUE, ms=5, lw=1.6, capsize=3)
    named = changes["arm"] + ", " + changes["name"] if "arm" in changes else changes["name"]
    names = [f"{name}  (n = {n})" for name, n in zip(named, changes["n"], strict=True)]
    ax.set(yticks=list(rows), yticklabels=names, xlabel=label, ylim=(len(changes) - 0.4, -0.6))
    for row, (estimate, lower, upper) in enumerate(changes[["estimate", "lower", "upper"]].to_numpy(float)):
        text = f"{style.number(estimate)} ({style.interval(lower, upper)})"
        ax.text(1.02, row, text, transform=ax.get_yaxis_transform(), va="center", fontsize=8)
    return figure


def differences_forest(differences: pd.DataFrame, label: str, style: Style) -> "Figure":
    """Each arm against the reference at each visit; `differences` is `trajectory.arm_differences`."""
    compared = effects(differences)
    names = compared["visit"].astype(str) + ", " + compared["name"]
    n = compared["n"].astype(str) + " v " + compared["n_reference"].astype(str)
    return change_forest(compared.assign(name=names, n=n).drop(columns="arm"), label, style)


@in_house_style
def estimated_means(means: pd.DataFrame, visits: pd.DataFrame, outcome: str, label: str, style: Style) -> "Figure":
    """Model-based means with intervals on the outcome's own scale, observed courses behind them.

    `means` has `week`, `n`, `mean`, `lower`, `upper` on the outcome's scale; with `arm` a course for each, and `visits`
    has `arm` too.
    """
    if "arm" in means:
        return arm_courses(means.rename(columns={"mean": "centre"}), visits, outcome, label, style)
    figure, ax = canvas(3.4)
    courses(ax, visits, outcome)
    weeks, centre = means["week"].to_numpy(float), means["mean"].to_numpy(float)
    ax.fill_between(weeks, means["lower"], means["upper"], color=ORANGE, alpha=0.18, lw=0)
    spread = np.abs(means[["lower", "upper"]].to_numpy(float).T - centre)
    ax.errorbar(weeks, centre, yerr=spread, color=ORANGE, lw=2.2, marker="D", ms=5.5, capsize=4, zorder=5)
    for week, mean in zip(weeks, centre, strict=True):
        value_label(ax, week, mean, style.number(mean))
    week_axis(ax, means, label)
    return figure


@in_house_style
def sensitivity_forest(table: pd.DataFrame, label: str) -> "Figure":
    """The same estimate under every model, one row per structure, one marker and colour per scale.

    `table` has `covariance`, `scale`, `mean`, `lower`, `upper`; models that could not be fitted leave a gap. With `arm`
    a panel for each.
    """
    if "arm" in table:
        return _sensitivity_of_arms(table, label)
    figure, ax = canvas(0.9 + 0.42 * table["covariance"].nunique())
    _by_structure(ax, table, label)
    ax.set_xlim(left=_axis_start(table))
    _scale_legend(figure, ax)
    return figure


def _sensitivity_of_arms(table: pd.DataFrame, label: str) -> "Figure":
    arms = list(dict.fromkeys(table["arm"]))
    figure, axes = canvas(1.1 + 0.42 * table["covariance"].nunique(), columns=len(arms), sharex=True, sharey=True)
    for ax, arm in zip(axes, arms, strict=True):
        _by_structure(ax, table[table["arm"] == arm], "")
        ax.set_title(arm)
    axes[0].set_xlim(left=_axis_start(table))
    figure.supxlabel(label, fontsize=8.5)
    _scale_legend(figure, axes[0])
    return figure


def _by_structure(ax: "Axes", table: pd.DataFrame, label: str) -> None:
    structures = list(dict.fromkeys(table["covariance"]))
    scales = list(dict.fromkeys(table["scale"]))
    for place, (scale, colour, marker) in enumerate(zip(scales, (SOFT, ORANGE, BLUE), "sDo", strict=True)):
        own = table[table["scale"] == scale].set_index("covariance").loc[structures]
        rows = np.arange(len(structures)) + 0.24 * (place - 1)
        centre = own["mean"].to_numpy(float)
        spread = np.abs(own[["lower", "upper"]].to_numpy(float).T - centre)
        name = SHORT_SCALES[scale]
        ax.errorbar(centre, rows, xerr=spread, fmt=marker, color=colour, ms=4.5, lw=1.4, capsize=2.5, label=name)
    names = [COVARIANCE_NAMES[structure].replace("heterogeneous", "het.") for structure in structures]
    ax.set(yticks=range(len(structures)), yticklabels=names, xlabel=label, ylim=(len(structures) - 0.5, -0.5))


def _axis_start(table: pd.DataFrame) -> float:
    return min(0.0, float(np.nanmin(table["lower"]))) if table["lower"].notna().any() else 0.0


def _scale_legend(figure: "Figure", ax: "Axes") -> None:
    handles, names = ax.get_legend_handles_labels()
    look: Any = {"ncols": len(names), "frameon": False, "fontsize": 8, "title": "Scale of the model"}
    figure.legend(handles, names, loc="outside upper left", **look)


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
