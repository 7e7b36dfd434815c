"""Sufficient statistics to a file and back: NumPy arrays and one JSON text in an .npz archive, no pickle."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from easitrace.errors import DataError, Problem
from easitrace.models.design import Recipe, specification
from easitrace.models.moments import Moments
from easitrace.models.patterns import Patterns
from easitrace.models.wide import Layout

VERSION = 1
_RECIPE = ("formula", "outcome", "patient", "visit", "by", "numeric", "columns")


def save_moments(moments: Moments, path: str | Path) -> None:
    """Write to `path` (.npz).

    Raises
    ------
    DataError : the formula has a term that learns from the data (centre, scale, splines) and so cannot be rebuilt.
    """
    if moments.recipe.stateful:
        what = "a term learns from the data (centre, scale, splines) and cannot be rebuilt from a file"
        raise DataError(
            Problem("E310", f"formula {moments.recipe.formula}", what, "write the numbers into the formula")
        )
    patterns = moments.patterns
    with Path(path).open("wb") as file:
        np.savez_compressed(
            file,
            description=np.array(json.dumps(_description(moments))),
            seen=patterns.seen,
            group=patterns.group,
            counts=patterns.counts,
            factor=patterns.factor,
            owner=patterns.owner,
            sums=patterns.sums,
            cells=patterns.cells,
            S=moments.layout.S,
        )


def load_moments(path: str | Path) -> Moments:
    """Read what `save_moments` wrote; DataError when the file is something else or of another version."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        found: dict[str, Any] = json.loads(str(arrays.pop("description")))
    except (ValueError, KeyError, OSError) as error:
        raise DataError(Problem("E313", str(path), f"does not hold sufficient statistics ({error})")) from error
    if found.get("version") != VERSION:
        what = f"is of version {found.get('version')}, this is version {VERSION}"
        raise DataError(Problem("E313", str(path), what, "collect it again"))
    levels = {name: tuple(values) for name, values in found["levels"].items()}
    own = {name: found[name] for name in _RECIPE} | {"levels": levels}
    own |= {name: tuple(own[name]) for name in ("numeric", "columns")}
    recipe = Recipe(**own, spec=specification(own["formula"], levels, own["numeric"], None))
    pieces = tuple(tuple((factor, column) for factor, column in product) for product in found["pieces"])
    layout = Layout(found["storage"], pieces, arrays.pop("S"))
    return Moments(recipe, layout, Patterns(**arrays), found["dropped"], found["left_out"], found["center"])


def _description(moments: Moments) -> dict[str, Any]:
    recipe, layout = moments.recipe, moments.layout
    return {
        "version": VERSION,
        **{name: getattr(recipe, name) for name in _RECIPE},
        "levels": recipe.levels,
        "storage": layout.storage,
        "pieces": layout.pieces,
        "dropped": moments.dropped,
        "left_out": moments.left_out,
        "center": moments.center,
    }
