"""The tables that may be shared, and which of their columns are what; whatever is not listed here is not shared.

Only tables of groups are listed: no table with a row per patient, no smallest or largest value, no statistic that gives
its number of patients away (degrees of freedom, achieved levels, exact test statistics, odds ratios of two by two
counts).
"""

from easitrace.report.disclosure.entry import Entry

TREATMENT_COURSE = "07_treatment_by_week"
CONTRASTS = "03_trajectory_contrasts"
DIFFERENCES = "03_trajectory_differences"
RULES = "04_response_rules"
MEANS = "03_trajectory_mean_estimates"
RESPONDERS_BY_RULE = "04_response_endpoints_by_rule"
RESPONDERS_BY_ARM = "04_response_endpoints_by_arm"
TARGETS = "06_patient_reported_targets"
ESTIMANDS = "08_sensitivity_estimands"
ARM_ESTIMANDS = "08_sensitivity_arms"
READ = "01_cohort_read"
FLOW = "01_cohort_flow"

LIMITS = ("lower", "upper")
AT_VISIT = ("visit", "week")
QUARTILES = ("median", "q1", "q3")
BOTH_ARMS = ("n", "n_reference")

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
        READ,
        "Patients read and analysed.",
        (),
        {"read": ("read",), "excluded": ("excluded",), "analysed": ("cohort",)},
        of={"excluded": "read", "analysed": "read"},
    ),
    Entry(
        FLOW,
        "Patients by visit: seen, stopped before, still in follow-up, or missed.",
        ("visit",),
        {
            "seen": ("analysed", "visit"),
            "stopped": ("stopped by", "visit"),
            "in_follow_up": ("in follow-up", "visit"),
            "missed": ("missed", "visit"),
        },
        of={"seen": "", "stopped": "", "in_follow_up": "", "missed": ""},
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
        n_of=("n_pairs",),
    ),
    Entry(
        "02_course_arms",
        "Observed scores of each arm against the reference (Hodges-Lehmann shift).",
        AT_VISIT,
        {"n": ("analysed", "visit"), "n_reference": ("analysed", "visit")},
        within=("n", "n_reference"),
        reference=("n_reference",),
        estimates=("shift", *LIMITS),
        p="p",
        n_of=BOTH_ARMS,
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
        n_of=(f"{MEANS}.n",),
        finest=0.0,
    ),
    Entry(
        DIFFERENCES,
        "Estimated differences between the arms by visit.",
        ("quantity", *AT_VISIT),
        {"n": ("analysed", "visit"), "n_reference": ("analysed", "visit")},
        within=("n", "n_reference"),
        reference=("n_reference",),
        estimates=("estimate", *LIMITS),
        p="p",
        n_of=BOTH_ARMS,
        finest=0.0,
    ),
    Entry(
        "03_trajectory_sensitivity",
        "Estimated mean at the decision week under other models.",
        ("covariance", "scale", "status"),
        estimates=("mean", *LIMITS),
        n_of=(f"{MEANS}.n",),
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
        RESPONDERS_BY_RULE,
        "Responders by criterion and visit under the missing-data rule, and from recorded scores alone.",
        ("criterion", "missing", *AT_VISIT),
        {
            "responders": ("responders", "criterion", "visit"),
            "n": ("analysed", "visit"),
            "recorded_responders": ("responders", "criterion", "visit"),
            "recorded_n": ("analysed", "visit"),
        },
        of={"responders": "n", "recorded_responders": "recorded_n"},
        within=("n", "recorded_n"),
        share=("responders", "n"),
    ),
    Entry(
        RESPONDERS_BY_ARM,
        "Responders of each arm and of the reference by criterion and visit.",
        ("criterion", *AT_VISIT),
        {
            "responders": ("responders", "criterion", "visit"),
            "n": ("analysed", "visit"),
            "reference_responders": ("responders", "criterion", "visit"),
            "reference_n": ("analysed", "visit"),
        },
        of={"responders": "n", "reference_responders": "reference_n"},
        within=("n", "reference_n"),
        reference=("reference_responders", "reference_n"),
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
        "04_response_classes_by_arm",
        "Response classes by arm.",
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
        n_of=("n_pairs",),
    ),
    Entry(
        "06_patient_reported_arms",
        "Instruments: each arm against the reference (Hodges-Lehmann shift).",
        ("instrument", *AT_VISIT),
        {"n": ("analysed", "instrument", "visit"), "n_reference": ("analysed", "instrument", "visit")},
        within=("n", "n_reference"),
        reference=("n_reference",),
        estimates=("shift", *LIMITS),
        p="p",
        n_of=BOTH_ARMS,
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
        TARGETS,
        "Treat-to-target: patients who met each target and its parts.",
        ("target", "kind", "criterion", *AT_VISIT),
        {
            "met": ("responders", "criterion", "visit"),
            "not_met": ("not met", "criterion", "visit"),
            "n": ("analysed", "visit"),
            "undefined": ("undefined", "criterion", "visit"),
            "not_known": ("not known", "criterion", "visit"),
        },
        of={"met": "n", "not_met": "n", "n": "", "undefined": "", "not_known": ""},
        share=("met", "n"),
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
    Entry(
        ESTIMANDS,
        "Mean at the decision week and change from baseline under each estimand and missing-data rule.",
        ("estimand", "missing"),
        estimates=("mean", "mean_lower", "mean_upper", "change", "change_lower", "change_upper"),
        n_of=(f"{MEANS}.n",),
    ),
    Entry(
        ARM_ESTIMANDS,
        "Estimated difference between the arms at the decision week under each estimand and missing-data rule.",
        ("estimand", "missing"),
        estimates=("estimate", *LIMITS),
        p="p",
        n_of=tuple(f"{DIFFERENCES}.{name}" for name in BOTH_ARMS),
        finest=0.0,
    ),
)
