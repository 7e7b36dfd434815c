"""The tables that may be shared, and which of their columns are what; whatever is not listed here is not shared.

Only tables of groups are listed: no table with a row per patient, no smallest or largest value, no statistic that gives
its number of patients away (degrees of freedom, achieved levels, exact test statistics).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

ARM = "arm"
TREATMENT_COURSE = "07_treatment_by_week"
CONTRASTS = "03_trajectory_contrasts"
RULES = "04_response_rules"
MEANS = "03_trajectory_mean_estimates"


@dataclass(frozen=True)
class Entry:
    """A shareable table.

    Attributes
    ----------
    table : str
        The file's name under `tables/` without its ending.
    caption : str
        What it shows.
    labels : tuple of str
        Columns that say what a row is about, words of parameters and of the package.
    written : str
        The label column whose words come from cells of the data: a row is shown only when its count is told.
    pooled : bool
        Whether rows with a masked count are joined into one row "other"; else they are left out.
    counts : mapping
        Column of patients to what is counted and the label columns that tell of whom; counts of one kind, labels and
        size are one count, in whichever table they stand. "cohort" is the cohort where it has its size.
    of : mapping
        Column of patients to the column they are part of; "" is the cohort.
    down : mapping
        Column of patients to the label columns within which its rows are parts of the column it is `of`.
    total_row : (str, str) or None
        Label column and word of the row that is the total of the other rows' counts.
    share : (str, str) or None
        Part and whole of `proportion`, `lower`, `upper`, which are computed anew from told counts.
    quantiles, estimates : tuple of str
        Columns told only when `n_of` is large enough; estimates only when it is told at all.
    n_of : str
        Column of patients that the quantiles or estimates are from; of another table as "table.column", all its rows.
    optional : tuple of str
        Columns that a table lacks when it has nothing of their kind.
    finest : float
        Quantiles and estimates are told to two significant digits and no finer than this.
    """

    table: str
    caption: str
    labels: tuple[str, ...]
    counts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    of: Mapping[str, str] = field(default_factory=dict)
    down: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    written: str = ""
    pooled: bool = False
    total_row: tuple[str, str] | None = None
    share: tuple[str, str] | None = None
    quantiles: tuple[str, ...] = ()
    estimates: tuple[str, ...] = ()
    p: str = ""
    n_of: str = "n"
    optional: tuple[str, ...] = ()
    finest: float = 0.5

    def labels_of(self, table: "pd.DataFrame") -> list[str]:
        """The label columns of a table, which may be by arm."""
        return [*([ARM] if ARM in table else []), *self.labels]

    @property
    def columns(self) -> list[str]:
        """The columns of the table that are used."""
        return [*self.labels, *self.counts, *self.quantiles, *self.estimates, *([self.p] if self.p else [])]


LIMITS = ("lower", "upper")
AT_VISIT = ("visit", "week")
QUARTILES = ("median", "q1", "q3")

SHAREABLE: tuple[Entry, ...] = (
    Entry(
        "01_cohort_baseline",
        "Baseline characteristics.",
        ("variable", "level"),
        {"n": ("known", "variable"), "missing": ("unknown", "variable"), "count": ("level", "variable", "level")},
        of={"n": "", "missing": "", "count": "n"},
        down={"count": ("variable",)},
        written="level",
        pooled=True,
        share=("count", "n"),
        quantiles=QUARTILES,
        optional=("count", *QUARTILES),
    ),
    Entry(
        "01_cohort_missing",
        "Recorded scores out of the patients seen at the visit.",
        ("instrument", *AT_VISIT),
        {
            "seen": ("seen", "visit"),
            "recorded": ("recorded", "instrument", "visit"),
            "missing": ("unrecorded", "instrument", "visit"),
        },
        of={"seen": "", "recorded": "seen", "missing": "seen"},
    ),
    Entry(
        "02_course_course",
        "Observed scores by visit.",
        AT_VISIT,
        {"n": ("analysed", "visit"), "missing": ("not analysed", "visit")},
        of={"n": "", "missing": ""},
        quantiles=QUARTILES,
    ),
    Entry(
        "02_course_paired",
        "Paired changes between visits (Hodges-Lehmann shift).",
        ("name",),
        {"n_pairs": ("pairs", "name")},
        of={"n_pairs": ""},
        estimates=("shift", *LIMITS),
        p="p",
        n_of="n_pairs",
    ),
    Entry(
        MEANS,
        "Estimated means by visit.",
        AT_VISIT,
        {"n": ("analysed", "visit")},
        {"n": ""},
        estimates=("mean", *LIMITS),
    ),
    Entry(
        CONTRASTS,
        "Estimated changes between visits.",
        ("name",),
        estimates=("estimate", *LIMITS),
        p="p",
        n_of=f"{MEANS}.n",
        finest=0.0,
    ),
    Entry(
        "03_trajectory_sensitivity",
        "Estimated mean at the decision week under other models.",
        ("covariance", "scale", "status"),
        estimates=("mean", *LIMITS),
        n_of=f"{MEANS}.n",
    ),
    Entry(
        "04_response_endpoints",
        "Responders by criterion and visit.",
        ("criterion", *AT_VISIT),
        {"responders": ("responders", "criterion", "visit"), "n": ("analysed", "visit")},
        of={"responders": "n", "n": ""},
        share=("responders", "n"),
    ),
    Entry(
        "04_response_classes",
        "Response classes.",
        ("denominator", "class"),
        {"count": ("class", "class"), "n": ("cohort",)},
        of={"count": "n", "n": ""},
        down={"count": ("denominator",)},
        share=("count", "n"),
    ),
    Entry(
        RULES,
        "Response classes by rule.",
        ("rule", "class"),
        {"count": ("class", "class")},
        of={"count": ""},
        down={"count": ("rule",)},
    ),
    Entry(
        "06_patient_reported_by_visit",
        "Instruments by visit.",
        ("instrument", *AT_VISIT),
        {"n": ("analysed", "instrument", "visit"), "missing": ("not analysed", "instrument", "visit")},
        of={"n": "", "missing": ""},
        quantiles=QUARTILES,
    ),
    Entry(
        "06_patient_reported_changes",
        "Paired changes of the instruments (Hodges-Lehmann shift).",
        ("instrument", "name"),
        {"n_pairs": ("pairs", "instrument", "name")},
        of={"n_pairs": ""},
        estimates=("shift", *LIMITS),
        p="p",
        n_of="n_pairs",
    ),
    Entry(
        "06_patient_reported_responders",
        "Patients with an important change or a target, by instrument and visit.",
        ("instrument", "meaning", "criterion", *AT_VISIT),
        {"responders": ("responders", "criterion", "visit"), "n": ("analysed", "instrument", "visit")},
        of={"responders": "n", "n": ""},
        share=("responders", "n"),
    ),
    Entry(
        TREATMENT_COURSE,
        "Patients still on treatment, over groups of weeks in which enough of them stopped.",
        ("from_week", "to_week"),
        {
            "at_risk": ("at risk", "from_week"),
            "stopped": ("stopped from", "from_week"),
            "censored": ("censored from", "from_week"),
            "left": ("at risk", "to_week"),
        },
        of={"at_risk": "", "stopped": "at_risk", "censored": "at_risk", "left": "at_risk"},
    ),
    Entry(
        "07_treatment_reasons",
        "Reasons for stopping treatment.",
        ("reason",),
        {"stopped": ("stopped", "reason"), "n": ("cohort",)},
        of={"stopped": "n", "n": ""},
        total_row=("reason", "any reason"),
        share=("stopped", "n"),
    ),
    Entry(
        "07_treatment_events",
        "Patients with adverse events on treatment.",
        ("event",),
        {"patients": ("event", "event"), "n": ("cohort",)},
        of={"patients": "n", "n": ""},
        written="event",
        share=("patients", "n"),
    ),
)
