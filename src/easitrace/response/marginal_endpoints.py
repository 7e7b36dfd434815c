"""The marginal probability of each response criterion by visit, from all answers that count under the estimand."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.models.marginal import marginal_probabilities
from easitrace.response.rules import Rule
from easitrace.response.states import response_answers


def marginal_endpoints(
    cohort: Cohort, criteria: Sequence[str], rule: Rule, *, working: str = "exchangeable", level: float = 0.95
) -> pd.DataFrame:
    """Each criterion in place of the rule's: its marginal probability at each visit.

    Returns
    -------
    DataFrame
        `criterion`, `visit` (label), `week`, then the columns of
        `easitrace.models.marginal.marginal_probabilities`. A visit at which nobody's answer is known has no row.
    """
    labels = {visit.week: visit.label for visit in cohort.schedule}
    tables = []
    for criterion in criteria:
        answers = response_answers(cohort, replace(rule, criterion=criterion))
        found = marginal_probabilities(
            answers, response="met", patient="patient", visit="week", working=working, level=level
        ).rename(columns={"visit": "week"})
        tables.append(found.assign(criterion=criterion, visit=found["week"].map(labels)))
    table = pd.concat(tables, ignore_index=True)
    first = ["criterion", "visit", "week"]
    return table[[*first, *(name for name in table.columns if name not in first)]]
