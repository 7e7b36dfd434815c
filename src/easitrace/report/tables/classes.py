"""Tables of latent classes: how many, how sure, and the rule-based classes in them."""

from typing import TYPE_CHECKING

import pandas as pd

from easitrace.report.style import MISSING, Style
from easitrace.report.tables.journal import capital, journal_table

if TYPE_CHECKING:
    from great_tables import GT


def latent_table(data: pd.DataFrame, style: Style) -> "GT":
    """The items of the GRoLTS checklist by number of classes; a model that was not fitted says why."""
    rows = [
        {
            "Classes": str(row["classes"]),
            "Log-likelihood": style.number(row["log_likelihood"], 2),
            "AIC": style.number(row["aic"], 1),
            "BIC": style.number(row["bic"], 1),
            "Entropy": style.number(row["entropy"], 2) if row["classes"] > 1 else MISSING,
            "Smallest class, n": style.number(row["smallest_class"], 0),
            "Lowest mean posterior": style.number(row["lowest_mean_posterior"], 2),
            "Starts at the best": style.number(row["starts_at_best"], 0),
            "Status": row["status"],
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, text=["Status"])


def agreement_table(data: pd.DataFrame) -> "GT":
    """Patients by rule-based class and most likely latent class."""
    latent = [name for name in data.columns if name != "class"]
    rows = [
        {
            "Class by the rule": capital(row["class"]),
            **{name.replace("latent_", "Latent class "): str(row[name]) for name in latent},
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows)
