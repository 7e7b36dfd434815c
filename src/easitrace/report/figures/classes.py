"""The figure of latent classes: individual courses behind the mean course of each class."""

from typing import TYPE_CHECKING

import pandas as pd

from easitrace.report.figures.canvas import ORANGE, courses, in_house_style, panel_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@in_house_style
def latent_courses(
    visits: pd.DataFrame, posterior: pd.DataFrame, means: pd.DataFrame, outcome: str, label: str
) -> "Figure":
    """One panel per latent class: the patients most likely in it, and its estimated mean course with interval.

    `posterior` has `patient`, `class`; `means` has `class`, `week`, `mean`, `lower`, `upper`, `patients`.
    """
    names = sorted(means["class"].unique())
    figure, panels = panel_grid(len(names), 2.4)
    joined = visits.merge(posterior[["patient", "class"]], on="patient")
    for ax, name in zip(panels, names, strict=False):
        own = means[means["class"] == name]
        courses(ax, joined[joined["class"] == name], outcome)
        ax.fill_between(own["week"], own["lower"], own["upper"], color=ORANGE, alpha=0.18, lw=0)
        ax.plot(own["week"], own["mean"], color=ORANGE, lw=2.2, marker="D", ms=4.5)
        ax.set_title(f"Latent class {name}, n = {int(own['patients'].iloc[0])}", fontsize=8)
        ax.set_xticks(sorted(own["week"]))
    panels[0].set_ylim(0, 1.05 * joined[outcome].max())
    figure.supxlabel("Week", fontsize=8.5)
    figure.supylabel(label, fontsize=8.5)
    return figure
