"""Figures of response states, class probabilities and early prediction."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from easitrace.report.figures.canvas import BLUE, INK, MANY_PATIENTS, ORANGE, PALE, SOFT, canvas, in_house_style
from easitrace.report.words import SHORT_CLASSES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

DARKEST = "#333333"
LOOKS: Mapping[str, tuple[str, str]] = {  # colour and hatch
    "response": (BLUE, ""),
    "response lost": (ORANGE, "///"),
    "no response": (PALE, ""),
    "seen, response not known": ("#e8e8e8", "xx"),
    "stopped": (DARKEST, ""),
    "in follow-up": ("white", ""),
    "missed": ("white", "xx"),
}
CLASS_LOOKS: Mapping[str, tuple[str, str]] = {
    "responder": (BLUE, ""),
    "temporary responder": (ORANGE, "///"),
    "non-responder": (PALE, ""),
    "stopped for side effects": (DARKEST, ""),
    "stopped, other reason": (DARKEST, ".."),
    "not classifiable yet": ("white", ""),
    "not classifiable, visit missing": ("white", "xx"),
}
DARK = (BLUE, DARKEST)
BAR = 0.34
SMALLEST_LABELLED = 0.03
NARROW = 0.15
FEW_GROUPS = 5
LABEL_ROOM = 0.11
LINES_BELOW = 3
LEVELS = np.arange(10, 100, 10)


@in_house_style
def state_flow(states: pd.DataFrame) -> "Figure":
    """Patients by state at each visit after baseline, joined by bands as wide as the patients who went that way.

    `states` has `patient`, `visit` (ordered categorical) and `state` (ordered categorical).
    """
    table = states.pivot(index="patient", columns="visit", values="state").astype(str)
    order = [state for state in LOOKS if (table == state).to_numpy().any()]
    figure, ax = canvas(3.5)
    n = len(table)
    _block(ax, 0, 0, n, ("#e8e8e8", ""), f"n = {n}")
    tops = [_stack(ax, place, table[visit], order) for place, visit in enumerate(table.columns, start=1)]
    everyone = pd.Series("", index=table.index)
    _bands(ax, 0, everyone, table[table.columns[0]], {"": 0.0}, tops[0])
    for place, (before, after) in enumerate(zip(table.columns, table.columns[1:], strict=False), start=1):
        _bands(ax, place, table[before], table[after], tops[place - 1], tops[place])
    ax.set(xticks=range(len(tops) + 1), xticklabels=["baseline", *table.columns], ylabel="Patients")
    ax.set(xlim=(-0.25, len(tops) + 0.25), ylim=(1.01 * n, -0.01 * n), yticks=[])
    ax.spines[["left", "bottom"]].set_visible(False)
    _legend(figure, {state: LOOKS[state] for state in order}, {})
    return figure


@in_house_style
def class_bars(table: pd.DataFrame) -> "Figure":
    """Each patient's probabilities of the classes as one stacked bar, grouped by the class observed.

    `table` has `observed` and a column of probabilities per class; patients are ordered within their group by the
    probability of the group's class, or of response where the group has no class yet.
    """
    groups = [name for name in CLASS_LOOKS if (table["observed"] == name).any()]
    drawn = [name for name in CLASS_LOOKS if (table[name] > 0).any()]
    figure, ax = canvas(3.1)
    left, ticks = 0.0, []
    gap = 0.03 * len(table) + 0.6
    for name in groups:
        own = table[table["observed"] == name]
        key = "responder" if own[name].sum() == 0 else name
        own = own.sort_values([key, "responder"], ascending=False, kind="stable")
        _bars(ax, left + np.arange(len(own)), own, drawn, one_by_one=len(table) <= MANY_PATIENTS)
        ticks.append((left + (len(own) - 1) / 2, f"{_broken(name, len(own) < NARROW * len(table))}\nn = {len(own)}"))
        left += len(own) + gap
    ax.set(ylim=(0, 100), ylabel="Probability, %", xlim=(-0.7, left - gap - 0.3))
    ticks = _staggered(ticks, LABEL_ROOM * left)
    ax.set_xticks([place for place, _ in ticks], [text for _, text in ticks], fontsize=7.5)
    ax.tick_params(axis="x", length=0)
    ax.set_xlabel("Class by the recorded scores; one bar per patient")
    _legend(figure, {name: CLASS_LOOKS[name] for name in drawn}, SHORT_CLASSES)
    return figure


@in_house_style
def prediction_chart(
    chart: pd.DataFrame, patients: pd.DataFrame, axes: tuple[str, str], criterion: str, visits: tuple[str, str]
) -> "Figure":
    """Contours of the probability of response over baseline and first follow-up score, the patients seen on top.

    `chart` is a full grid, `baseline` slowest: `baseline`, `early`, `probability`, `limit`, `beyond` (above 0 where no
    patient supports it: greyed); `patients` has `baseline`, `early`, `response` (missing where not known); `axes` are
    the axis labels, `visits` the names of the first follow-up visit and of the visit predicted.
    """
    from scipy.ndimage import binary_dilation

    figure, ax = canvas(4.3)
    size = chart["baseline"].nunique()
    x, y, p, beyond = (
        chart[name].to_numpy(float).reshape(size, -1) for name in ("baseline", "early", "probability", "beyond")
    )
    inside = binary_dilation(beyond <= 0, iterations=2)
    ax.contourf(x, y, 100 * p, levels=[0, *LEVELS, 100], cmap="Blues", alpha=0.55, zorder=0)
    lines = ax.contour(x, y, np.where(inside, 100 * p, np.nan), levels=LEVELS, colors=INK, linewidths=0.9, zorder=1)
    corners = np.array([(x.min(), y.min()), (x.max(), y.max())])
    free = _free_of_marks(lines.allsegs, patients[["baseline", "early"]].to_numpy(float), corners)
    ax.clabel(lines, fmt=lambda value: f"{value:.0f}%", fontsize=8, manual=free)
    ax.contourf(x, y, beyond, levels=[0, np.inf], colors=["#e3e5e8"], zorder=2)
    limit = chart.drop_duplicates("baseline").dropna(subset=["limit"])
    top = chart["early"].max()
    here = limit[limit["limit"] <= top]
    if len(here):
        text = f"Limit of {criterion} at {visits[0]}"
        ax.plot(here["baseline"], here["limit"], color=SOFT, lw=1, ls=(0, (5, 3)), label=text, zorder=3)
    _patients(ax, patients, visits[1])
    ax.set(xlabel=axes[0], ylabel=axes[1], xlim=(x.min(), x.max()), ylim=(y.min(), y.max()))
    figure.legend(loc="outside upper left", ncols=2, frameon=False, fontsize=8)
    return figure


@in_house_style
def calibration_panel(groups: pd.DataFrame, validated: pd.DataFrame, method: str) -> "Figure":
    """Predicted against observed response in groups, and the predictions of responders and of the others.

    `groups` has `n`, `predicted`, `responders`, `proportion`, `lower`, `upper`; `validated` has `response` and a column
    of probabilities called `method`, of patients that the model had not seen.
    """
    figure, (left, right) = canvas(2.9, columns=2)
    x, share = 100 * groups["predicted"].to_numpy(float), 100 * groups["proportion"].to_numpy(float)
    spread = np.abs(100 * groups[["lower", "upper"]].to_numpy(float).T - share)
    left.plot([0, 100], [0, 100], color=SOFT, lw=0.8, ls=(0, (4, 3)))
    left.errorbar(x, share, yerr=spread, fmt="o", color=BLUE, ms=5.5, lw=1.6, capsize=4, clip_on=False)
    beside: Any = {"xytext": (7, -3), "fontsize": 7.5}
    tops = share
    if len(groups) > FEW_GROUPS:  # above the intervals, upright, where they would lie on each other
        beside, tops = {"xytext": (0, 4), "fontsize": 6.5, "rotation": 90, "ha": "center"}, share + spread[1]
    for place, height, k, n in zip(x, tops, groups["responders"], groups["n"], strict=True):
        left.annotate(f"{k}/{n}", (place, height), textcoords="offset points", **beside)
    left.set(xlim=(0, 100), ylim=(0, 100), xlabel="Predicted, mean of the group, %", ylabel="Responders, % of n")
    left.set_title("Groups of like predictions")
    _strips(right, validated.dropna(subset=[method]), method)
    return figure


def _stack(ax: "Axes", place: int, states: "pd.Series[str]", order: list[str]) -> dict[str, float]:
    """The blocks of one visit; where each begins."""
    tops, top = {}, 0.0
    for state in order:
        count = int((states == state).sum())
        tops[state] = top
        if count:
            share = count / len(states)
            text = str(count) if share > SMALLEST_LABELLED else ""
            _block(ax, place, top, count, LOOKS[state], text, size=8.5 if share > 2 * SMALLEST_LABELLED else 7)
        top += count
    return tops


def _block(
    ax: "Axes", place: float, top: float, count: float, look: tuple[str, str], text: str, size: float = 8.5
) -> None:
    colour, hatch = look
    edge = SOFT if colour == "white" else "white"
    ax.bar(place, count, bottom=top, width=BAR, color=colour, hatch=hatch, edgecolor=edge, lw=0.8, zorder=3)
    box = {"facecolor": colour, "edgecolor": "none", "pad": 2.5} if hatch else None
    ink = "white" if colour in (*DARK, ORANGE) else INK
    ax.text(
        place,
        top + count / 2,
        text,
        ha="center",
        va="center_baseline",
        color=ink,
        weight="bold",
        size=size,
        bbox=box,
        zorder=4,
    )


def _bands(
    ax: "Axes",
    place: int,
    before: "pd.Series[str]",
    after: "pd.Series[str]",
    start: Mapping[str, float],
    end: Mapping[str, float],
) -> None:
    """From each block to the next visit's; bands leave and arrive in the order of the states."""
    x = np.linspace(0, 1, 41)
    bend = x * x * (3 - 2 * x)
    across = place + BAR / 2 + (1 - BAR) * x
    out, into = dict(start), dict(end)
    for source in start:
        for target in end:
            count = int(((before == source) & (after == target)).sum())
            if count:
                edge = out[source] + (into[target] - out[source]) * bend
                colour = LOOKS[target][0]
                ax.fill_between(
                    across, edge, edge + count, color=PALE if colour == "white" else colour, alpha=0.3, lw=0, zorder=1
                )
                out[source] += count
                into[target] += count


def _bars(ax: "Axes", places: Any, own: pd.DataFrame, names: list[str], one_by_one: bool) -> None:
    """Stacked bars, or one stepped area per class where the bars would be too thin to see."""
    bottom = np.zeros(len(own))
    for name in names:
        top = bottom + 100 * own[name].to_numpy(float)
        colour, hatch = CLASS_LOOKS[name]
        look: Any = {"color": colour, "hatch": hatch, "edgecolor": SOFT if colour == "white" else "white"}
        if one_by_one:
            ax.bar(places, top - bottom, bottom=bottom, width=0.86, lw=0.4, **look)
        else:
            ax.fill_between(places, bottom, top, step="mid", lw=0, **look)
        bottom = top


def _free_of_marks(contours: Any, marks: Floats, corners: Floats) -> list[tuple[float, float]]:
    """The point of each contour that is farthest from all marks and from the frame, for its label."""
    lowest, size, places = corners[0], corners[1] - corners[0], []
    for points in (np.vstack(pieces) for pieces in contours if sum(map(len, pieces))):
        share = (points - lowest) / size
        to_marks = np.linalg.norm(share[:, None] - (marks - lowest) / size, axis=2).min(axis=1)
        to_frame = np.minimum(share, 1 - share).min(axis=1)
        x, y = points[np.minimum(to_marks, to_frame).argmax()]
        places.append((float(x), float(y)))
    return places


def _patients(ax: "Axes", patients: pd.DataFrame, visit: str) -> None:
    known = patients["response"].notna()
    yes = known & patients["response"].fillna(False).astype(bool)
    looks: list[tuple[Any, str, dict[str, Any]]] = [
        (yes, f"Responder at {visit}", {"marker": "o", "color": INK, "s": 30}),
        (known & ~yes, f"No response at {visit}", {"marker": "x", "color": ORANGE, "s": 34, "linewidths": 1.8}),
        (~known, f"Not known at {visit}", {"marker": "o", "facecolors": "white", "edgecolors": SOFT, "s": 22}),
    ]
    for chosen, name, look in looks:
        if chosen.any():
            own = patients[chosen]
            ax.scatter(own["baseline"], own["early"], label=f"{name}, n = {len(own)}", zorder=5, **look)


def _strips(ax: "Axes", validated: pd.DataFrame, method: str) -> None:
    """Predictions of the two outcomes, one dot per patient, their means as bars."""
    names = []
    for row, (answer, name) in enumerate(((False, "No response"), (True, "Response"))):
        values = np.sort(100 * validated.loc[validated["response"] == answer, method].to_numpy(float))
        stagger = row + 0.24 * (np.arange(len(values)) % 3 - 1) / 2
        look = {"marker": "o", "color": INK} if answer else {"marker": "x", "color": ORANGE}
        ax.scatter(values, stagger, s=24, **look)  # type: ignore[arg-type]
        if len(values):
            ax.plot([values.mean()] * 2, [row - 0.32, row + 0.32], color=SOFT, lw=2.2)
            ax.text(values.mean(), row + 0.36, f"mean {values.mean():.0f}%", ha="center", fontsize=7.5)
        names.append(f"{name}\nn = {len(values)}")
    ax.set(yticks=range(2), yticklabels=names, xlim=(0, 100), ylim=(-0.5, 1.6), xlabel="Predicted, %")
    ax.set_title("By outcome, one mark per patient")


def _staggered(ticks: list[tuple[float, str]], least: float) -> list[tuple[float, str]]:
    """A label closer than `least` to the one before it on its line goes below that one."""
    placed, free = [], -np.inf
    for place, text in ticks:
        near = place < free
        placed.append((place, "\n" * LINES_BELOW + text if near else text))
        free = -np.inf if near else place + least
    return placed


def _broken(name: str, narrow: bool) -> str:
    """The short name of a class, on two lines where it is long for its place."""
    text = SHORT_CLASSES[name].replace(", ", ",\n")
    return text.replace("-r", "-\nr") if narrow else text


def _legend(figure: "Figure", looks: Mapping[str, tuple[str, str]], names: Mapping[str, str]) -> None:
    from matplotlib.patches import Patch

    patches = [
        Patch(
            facecolor=colour,
            hatch=hatch,
            edgecolor=SOFT if colour == "white" else "white",
            label=names.get(name, name.capitalize()),
        )
        for name, (colour, hatch) in looks.items()
    ]
    figure.legend(handles=patches, loc="outside upper left", ncols=min(5, len(patches)), frameon=False, fontsize=8)
