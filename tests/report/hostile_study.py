"""The built-in cohort as a trial whose every free text wants to run, to be fetched, to be counted or to be read."""

import json
from pathlib import Path

from easitrace.cohort.builtin import load_builtin

HOSTILE = (
    "<script>window.ran = 1; alert('ran')</script>",
    "<img src=https://fetched.example/a.png onerror=\"alert('ran')\">",
    "<svg onload=alert('ran')><image href=https://fetched.example/b.svg>",
    "</td></table></main><iframe src=https://fetched.example></iframe>",
    "<style>@import url(https://fetched.example/c.css); body { display: none }</style>",
    "<a href=\"javascript:alert('ran')\">read on</a>",
    "![picture](https://fetched.example/d.png)",
    "[link](javascript:alert('ran'))",
    "[page](data:text/html,<script>alert('ran')</script>)",
    "[Table](#nowhere)",
    'x" onmouseover="alert(\'ran\')" y="',
    "width: 100%; background: url(https://fetched.example/e.png)",
    "$\\frac{1}{$ and \\input{/etc/passwd}",
    "$$\\href{javascript:alert('ran')}{x}$$",
    "{{ 7*7 }} {% for x in y %} {0.__class__} {n!r}",
    '=HYPERLINK("https://fetched.example", "read")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1+cmd",
    "-1+cmd",
    "turned \u202e round",
    "\U0001f4a9 \u7537\u6027 \u0639\u0631\u0628\u064a",
    "&lt;b&gt; &#8238; &amp; <!-- --> ]]>",
    "# heading",
    "`code` **bold** _slant_ | cell |",
    "50% % \\ ~ ^ _ # &",
)
VISITS = {"baseline": "0 <b>first</b>", "week 4": "4 [Table](#x) {n}", "week 12": "12 $\\frac{$ =1"}
ARMS = ("<img src=x onerror=alert('ran')> {arm} $\\frac{$", "=B [Table](#x) \u202e\u7537 **b**")
COLUMN = "=<script>alert('ran')</script> {x}"


def write_study(folder: Path, **changes: object) -> Path:
    """Write `visits.csv`, `people.csv`, `events.csv` and the parameter file, which is returned."""
    cohort = load_builtin("baricitinib")
    names = {name: HOSTILE[n % len(HOSTILE)] + f" {n}" for n, name in enumerate(cohort.patients["patient"])}
    visits = cohort.visits[["patient", "visit", "easi", "dlqi"]].replace({"patient": names})
    visits["visit"] = visits["visit"].astype("str").map(VISITS)
    people = cohort.patients[["patient", "age", "stop_day", "stop_reason"]].replace({"patient": names})
    people["group"] = [ARMS[n % 2] for n in range(len(people))]
    people["remark"] = [HOSTILE[n % len(HOSTILE)] for n in range(len(people))]
    events = cohort.events[["patient", "event", "day"]].replace({"patient": names})
    events["event"] = [HOSTILE[n % len(HOSTILE)] for n in range(len(events))]
    for name, table in {
        "visits": visits,
        "people": people.rename(columns={"remark": COLUMN}),
        "events": events,
    }.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    parameters = {
        "study": "hostile",
        "title": f"{HOSTILE[0]} {HOSTILE[4]} {{{{ 7*7 }}}}",
        "drug": HOSTILE[2],
        "data": "visits.csv",
        "patient_data": "people.csv",
        "event_data": "events.csv",
        "columns": {"arm": "group", "remark": COLUMN, "event_day": "events.csv:day"},
        "visits": dict(zip(VISITS.values(), (0, 4, 12), strict=True)),
        "arm": "arm",
        "reference_arm": ARMS[0],
        "decision_week": 12,
        "estimand": "treatment-policy",
        "covariance": "cs",
        "starts": 5,
        "imputations": 5,
        "seed": 1,
        "show_code": True,
    }
    path = folder / "hostile.yml"
    path.write_text(json.dumps(parameters | changes, ensure_ascii=False), encoding="utf-8")
    return path
