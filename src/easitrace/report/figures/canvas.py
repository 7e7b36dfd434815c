"""The canvas of every figure: one style, one width, colours that are safe for colour-blind readers and in grey."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

import pandas as pd

from easitrace.report.markup import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")

INK = "#1a1a1a"
SOFT = "#6b6b6b"
PALE = "#b9bec4"
BLUE = "#0072b2"
ORANGE = "#d55e00"
LETTERS = "DejaVu Sans"
OTHER_LETTERS = (  # for what it lacks, and only when installed; the last draws a box
    *("Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans CJK KR", "Hiragino Sans", "Yu Gothic", "Microsoft YaHei"),
    *("Malgun Gothic", "Droid Sans Fallback", "Noto Sans", "Noto Emoji", "Last Resort High-Efficiency"),
)
HOUSE_STYLE: Any = {
    "text.parse_math": False,
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
HEAD, TAIL = 40, 19  # letters kept of a line that is too long for a figure


def in_house_style(draw: Callable[P, "Figure"]) -> Callable[P, "Figure"]:
    """Draw without a screen and with the report's fonts and lines, whatever the caller's own settings are."""

    @wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> "Figure":
        import matplotlib as mpl

        mpl.use("agg")
        logging.getLogger("matplotlib.font_manager").addFilter(_not_of_weight)
        with mpl.rc_context({**HOUSE_STYLE, "font.family": _families()}):
            figure = draw(*args, **kwargs)
            _make_legible(figure)
            return figure

    return styled


def legible(text: str) -> str:
    """Text for a figure: long lines lose their middle, what would turn the order of letters becomes a visible mark."""
    lines = printable(text).split("\n")
    return "\n".join(f"{line[:HEAD]}\u2026{line[-TAIL:]}" if len(line) > HEAD + TAIL + 1 else line for line in lines)


def _make_legible(figure: "Figure") -> None:
    from matplotlib.text import Text
    from matplotlib.ticker import FuncFormatter

    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            given = axis.get_major_formatter()
            if isinstance(given, FuncFormatter):  # names of ticks
                axis.set_major_formatter(FuncFormatter(lambda value, place, given=given: legible(given(value, place))))
    for text in figure.findobj(Text):
        text.set_text(legible(text.get_text()))


def _families() -> list[str]:
    """The font of all figures, and those that stand in for letters it does not have."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return [LETTERS, *(name for name in OTHER_LETTERS if name in installed)]


def _not_of_weight(record: logging.LogRecord) -> bool:
    """Fonts that stand in need not be bold: matplotlib says so of each of them, also where no letter needs it."""
    return not record.getMessage().startswith("findfont: Failed to find font weight")


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


def courses(ax: "Axes", visits: pd.DataFrame, outcome: str) -> None:
    from matplotlib.collections import LineCollection

    seen = visits.dropna(subset=[outcome]).sort_values(["patient", "week"])
    lines = [rows[["week", outcome]].to_numpy(float) for _, rows in seen.groupby("patient", sort=True)]
    many = len(lines) > MANY_PATIENTS
    alpha = 0.75 if not many else max(0.05, 75 / len(lines))
    ax.add_collection(LineCollection(lines, colors=PALE, linewidths=0.9, alpha=alpha, rasterized=many, zorder=1))
    ax.scatter(seen["week"], seen[outcome], s=7, color=PALE, alpha=alpha, lw=0, rasterized=many, zorder=1)
    ax.autoscale_view()
    ax.set_ylim(bottom=0)


def week_axis(ax: "Axes", table: pd.DataFrame, label: str) -> None:
    names = [f"{week:g}\nn = {n}" for week, n in zip(table["week"], table["n"], strict=True)]
    ax.set(xticks=table["week"], xticklabels=names, xlabel="Week", ylabel=label)


def value_label(ax: "Axes", x: float, y: float, text: str) -> None:
    halo = {"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 1}
    ax.annotate(
        text, (x, y), xytext=(9, 7), textcoords="offset points", fontsize=8.5, weight="bold", bbox=halo, zorder=6
    )
