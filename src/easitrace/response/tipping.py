"""How much worse the scores after stopping would have to be to change the conclusion: delta adjustment.

Every score that was imputed because treatment had been stopped is made worse by delta points, from 0 up to half of the
instrument's range, and the imputed data are analysed again. The tipping point is the smallest delta at which the
interval of the change from baseline no longer lies on the side of zero on which it lay at delta 0 (Yan, Lee & Li 2009,
J Biopharm Stat 19:1085; ICH E9(R1)). The same imputations serve every delta.
"""

import math

import numpy as np
import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.instruments import Instrument
from easitrace.response.sensitivity import Case, Plan, pooled_change, pooled_share

STEPS = 36  # at most, from 0 to half of the range


def grid(instrument: Instrument) -> list[float]:
    """Values of delta in points, from 0 to half of the range, a whole number of grid steps apart."""
    half = (instrument.maximum - instrument.minimum) / 2
    step = instrument.grid * max(1, math.ceil(half / (STEPS * instrument.grid) - 1e-9))
    return [round(step * place, 6) for place in range(int(half / step + 1e-9) + 1)]


def tipping(cohort: Cohort, estimand: str, plan: Plan) -> pd.DataFrame:
    """The analysis of the imputed data under an estimand for every delta.

    Returns
    -------
    DataFrame
        `delta` (points), `worsened` (patients whose score at the decision week was imputed after stopping), `mean`,
        `change`, `share` with limits as in `sensitivity.compare`, `n` of the share, `conclusion`: the sign of the
        change if its interval excludes 0, else 0.

    Raises
    ------
    NotEstimableError
        When nothing can be imputed.
    """
    case = Case(cohort, estimand, plan)
    worsened = int(case.imputed.stopped[:, case.imputed.visits.index(case.visit.label)].sum())
    rows = []
    for delta in grid(cohort.instrument()):
        moved = case.imputed.worsened(delta)
        change, (share, n) = pooled_change(case, moved), pooled_share(case, moved)
        lower, upper = change["change_lower"], change["change_upper"]
        conclusion = int(np.sign(lower)) if lower * upper > 0 else 0
        rows.append({"delta": delta, "worsened": worsened, **change, "n": n, **share, "conclusion": conclusion})
    return pd.DataFrame(rows)


def tipping_point(table: pd.DataFrame) -> float | None:
    """The smallest delta whose conclusion is another than at delta 0; None when there is none on the grid."""
    other = table.loc[table["conclusion"] != table["conclusion"].iloc[0], "delta"]
    return None if other.empty else float(other.iloc[0])


def floor_of_share(table: pd.DataFrame) -> float:
    """The smallest delta from which on the proportion of responders no longer changes."""
    last = table["share"].iloc[-1]
    return float(table.loc[table["share"] == last, "delta"].iloc[0])
