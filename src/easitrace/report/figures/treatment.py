"""Figures of the treatment course: drug survival, reasons for stopping, a swimmer plot."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from easitrace.report.figures.arms import looks, name_ends, numbers_below
from easitrace.report.figures.canvas import BLUE, INK, ORANGE, PALE, SOFT, canvas, in_house_style
from easitrace.report.style import Style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DAYS_PER_WEEK = 7
REASON_LINES = {
    "inefficacy": (ORANGE, "-"),
    "side effects": (BLUE, (0, (5, 2))),
    "inefficacy and side effects": ("#009e73", (0, (1, 1.5))),
    "other": (SOFT, (0, (5, 1.5, 1, 1.5))),
    "reason not recorded": (INK, (0, (2, 4))),
}
END_MARKS = {
    "stopped: inefficacy": ("X", ORANGE, "Stopped: inefficacy"),
    "stopped: side effects": ("P", ORANGE, "Stopped: side effects"),
    "stopped: inefficacy and side effects": ("*", ORANGE, "Stopped: both"),
    "stopped: other": ("D", SOFT, "Stopped: other"),
    "stopped: reason not recorded": ("d", SOFT, "Stopped: reason not recorded"),
    "in follow-up": (">", INK, "Still in follow-up"),
    "completed": ("|", INK, "Last visit"),
}


@in_house_style
def drug_survival(
    curve: pd.DataFrame, times: pd.DataFrame, weeks: pd.DataFrame, style: Style, level: float
) -> "Figure":
    """Kaplan-Meier curve of staying on treatment with its band, censoring marks, and the numbers at risk below.

    `curve` has `day`, `survival`, `lower`, `upper`; `times` has `days`, `stopped`; `weeks` has `week`, `at_risk`,
    `stopped`, and sets the ticks. With `arm` in all three a curve for each arm.
    """
    if "arm" in curve:
        return _survival_of_arms(curve, times, weeks, style)
    figure, ax = canvas(3.1)
    end = float(times["days"].max())
    drawn = pd.concat([curve, curve.tail(1).assign(day=end)]) if end > curve["day"].iloc[-1] else curve
    x, share = drawn["day"].to_numpy(float) / DAYS_PER_WEEK, 100 * drawn["survival"].to_numpy(float)
    lower, upper = (100 * drawn[side].to_numpy(float) for side in ("lower", "upper"))
    ax.fill_between(x, lower, upper, step="post", color=BLUE, alpha=0.15, lw=0)
    ax.step(x, share, where="post", color=BLUE, lw=2.2)
    censored = np.sort(times.loc[~times["stopped"], "days"].dropna().to_numpy(float))
    level_at = share[np.searchsorted(drawn["day"].to_numpy(float), censored, side="right") - 1]
    ax.plot(censored / DAYS_PER_WEEK, level_at, ls="none", marker="|", ms=8, mew=1.1, color=INK)
    last = curve.iloc[-1]
    limits = style.interval(100 * last["lower"], 100 * last["upper"], 0)
    text = f"{style.percent(last['survival'])}\n({level:.0%} CI {limits})"
    ax.annotate(text, (x[-1], share[-1]), xytext=(6, 0), textcoords="offset points", va="center", fontsize=8.5)
    ticks = [f"{row['week']:g}\n{row['at_risk']} at risk\n{row['stopped']} stopped" for row in weeks.to_dict("records")]
    ax.set(ylim=(0, 103), xticks=weeks["week"], xticklabels=ticks, xlabel="Week", ylabel="On treatment, %")
    ax.set_xlim(left=0)
    return figure


def _survival_of_arms(curve: pd.DataFrame, times: pd.DataFrame, weeks: pd.DataFrame, style: Style) -> "Figure":
    arms = list(dict.fromkeys(curve["arm"]))
    figure, ax = canvas(3.0 + 0.32 * len(arms))
    ends = []
    for arm, look in looks(arms).items():
        own = times[times["arm"] == arm]
        drawn = curve[curve["arm"] == arm]
        drawn = pd.concat([drawn, drawn.tail(1).assign(day=max(own["days"].max(), drawn["day"].iloc[-1]))])
        x, share = drawn["day"].to_numpy(float) / DAYS_PER_WEEK, 100 * drawn["survival"].to_numpy(float)
        band = [100 * drawn[side].to_numpy(float) for side in ("lower", "upper")]
        ax.fill_between(x, *band, step="post", color=look["color"], alpha=0.1, lw=0)
        ax.step(x, share, where="post", color=look["color"], ls=look["ls"], lw=2.2)
        censored = np.sort(own.loc[~own["stopped"], "days"].dropna().to_numpy(float))
        level_at = share[np.searchsorted(drawn["day"].to_numpy(float), censored, side="right") - 1]
        ax.plot(censored / DAYS_PER_WEEK, level_at, ls="none", marker="|", ms=7, mew=1, color=look["color"])
        ends.append({"arm": arm, "x": x[-1], "y": share[-1]})
    ax.set(ylim=(0, 103), xticks=weeks["week"].unique(), ylabel="On treatment, %")
    ax.set_xticks(weeks["week"].unique(), [f"{week:g}" for week in weeks["week"].unique()])
    ax.set_xlim(left=0)
    name_ends(ax, pd.DataFrame(ends), replace(style, digits=0), "%")
    numbers_below(ax, weeks, "at_risk", "at risk")
    return figure


def _incidence_of_arms(incidence: pd.DataFrame, last_day: float, weeks: Sequence[float]) -> "Figure":
    arms = list(dict.fromkeys(incidence["arm"]))
    figure, axes = canvas(2.9, columns=len(arms), sharex=True, sharey=True, squeeze=False)
    for ax, arm in zip(axes.ravel(), arms, strict=True):
        for reason, rows in incidence[incidence["arm"] == arm].groupby("reason", sort=False):
            colour, dashes = REASON_LINES[str(reason)]
            x = np.append(rows["day"], max(last_day, rows["day"].iloc[-1])) / DAYS_PER_WEEK
            y = 100 * np.append(rows["incidence"], rows["incidence"].iloc[-1])
            ax.step(x, y, where="post", color=colour, ls=dashes, lw=2.2, label=str(reason))
        ax.set(xticks=weeks, xlabel="Week", title=arm)
    axes[0, 0].set(ylabel="Stopped, %", xlim=(0, last_day / DAYS_PER_WEEK), ylim=(0, None))
    named = {name: handle for ax in axes.ravel() for handle, name in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.legend(named.values(), named.keys(), loc="outside upper left", ncols=len(named), frameon=False, fontsize=8)
    return figure


@in_house_style
def stopping_incidence(incidence: pd.DataFrame, last_day: float, weeks: Sequence[float], style: Style) -> "Figure":
    """Cumulative incidence of stopping for each reason, named at the end of its line.

    `incidence` has `reason`, `day`, `incidence`; lines are drawn to `last_day`. With `arm` a panel for each arm.
    """
    if "arm" in incidence:
        return _incidence_of_arms(incidence, last_day, weeks)
    figure, ax = canvas(2.6)
    ends = []
    for reason, rows in incidence.groupby("reason", sort=False):
        colour, dashes = REASON_LINES[str(reason)]
        x = np.append(rows["day"], max(last_day, rows["day"].iloc[-1])) / DAYS_PER_WEEK
        y = 100 * np.append(rows["incidence"], rows["incidence"].iloc[-1])
        ax.step(x, y, where="post", color=colour, ls=dashes, lw=2.2)
        ends.append((str(reason), colour, y[-1], style.percent(y[-1] / 100)))
    top = 1.25 * max(end[2] for end in ends)
    ax.set(xlim=(0, last_day / DAYS_PER_WEEK), ylim=(0, top), xticks=weeks, xlabel="Week", ylabel="Stopped, %")
    ends.sort(key=lambda end: end[2])
    heights = apart([end[2] for end in ends], 0.09 * top)
    for (reason, colour, _, share), height in zip(ends, heights, strict=True):
        text = f"{reason[:1].upper()}{reason[1:]}, {share}"
        ax.text(1.015, height, text, transform=ax.get_yaxis_transform(), va="center", fontsize=8.5, color=colour)
    return figure


@in_house_style
def swimmer_plot(bars: pd.DataFrame, visits: pd.DataFrame, criterion: str, weeks: Sequence[float]) -> "Figure":
    """A bar per patient as long as treatment lasted, response at each visit, and a mark for how it ended.

    `bars` has `rank`, `days`, `end`; `visits` has `rank`, `day`, `state`; `criterion` in words.
    """
    figure, ax = canvas(1.1 + 0.15 * len(bars))
    ax.barh(bars["rank"], bars["days"] / DAYS_PER_WEEK, height=0.5, color="#dfe3e8", lw=0, zorder=1)
    for end, (marker, colour, _) in END_MARKS.items():
        own = bars[bars["end"] == end]
        beyond = 0.025 * bars["days"].max() if marker == ">" else 0.0
        look: Any = {"marker": marker, "color": colour, "zorder": 4, "clip_on": False}
        ax.scatter((own["days"] + beyond) / DAYS_PER_WEEK, own["rank"], s=26 if marker in "XPdD" else 42, **look)
    looks = {"met": {"color": BLUE}, "not met": {"facecolor": "white", "edgecolor": INK}, "not known": {"color": PALE}}
    for state, look in looks.items():
        own = visits[visits["state"] == state]
        ax.scatter(own["day"] / DAYS_PER_WEEK, own["rank"], s=24, lw=0.9, zorder=3, **look)
    ax.set(xticks=weeks, xlabel="Week", yticks=[], ylim=(len(bars) - 0.3, -0.7))
    ax.set_xlim(left=0)
    ax.set_ylabel(f"Patients, n = {len(bars)}, longest on treatment first")
    handles = _swimmer_legend(bars, visits, looks, criterion)
    figure.legend(handles=handles, loc="outside upper left", ncols=3, frameon=False, fontsize=8)
    return figure


def apart(values: Sequence[float], gap: float) -> list[float]:
    """Ascending heights moved up as little as it takes to lie `gap` apart."""
    heights: list[float] = []
    for value in values:
        heights.append(max(value, heights[-1] + gap) if heights else value)
    return heights


def _swimmer_legend(bars: pd.DataFrame, visits: pd.DataFrame, looks: Any, criterion: str) -> list[object]:
    from matplotlib.lines import Line2D

    handles: list[object] = []
    for state, look in looks.items():
        if (visits["state"] == state).any():
            face, edge = look.get("facecolor", look.get("color")), look.get("edgecolor", look.get("color"))
            shape = {"marker": "o", "ls": "none", "ms": 5, "markerfacecolor": face, "markeredgecolor": edge}
            handles.append(Line2D([], [], label=f"{criterion} {state}", **shape))
    for end, (marker, colour, label) in END_MARKS.items():
        if (bars["end"] == end).any():
            handles.append(Line2D([], [], marker=marker, ls="none", ms=6, color=colour, label=label))
    return handles
