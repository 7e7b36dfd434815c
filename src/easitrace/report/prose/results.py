"""The results of a manuscript: sentences whose numbers are those the chapters recorded, by their names.

Every sentence stands for itself and falls away when its chapter, or its number, is not there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from easitrace.cohort.cohort import Cohort, Visit
from easitrace.report.prose.words_of_numbers import joined, slug
from easitrace.report.words import MISSING_NAMES
from easitrace.response.classify import CLASSES, CLASSIFIED

Numbers = Mapping[str, Any]
Results = Mapping[str, Numbers]
Sentence = tuple[str, dict[str, Any]]
STATES = {
    "seen": ("was seen", "were seen"),
    "stopped": ("had stopped treatment", "had stopped treatment"),
    "in_follow_up": ("was still in follow-up", "were still in follow-up"),
    "missed": ("had missed the visit", "had missed the visit"),
}
MODELLED = {"raw": ("{}", " points"), "log1p": ("1 + {}", "%"), "sqrt": ("the square root of {}", "")}


@dataclass(frozen=True)
class About:
    """What a report is about, as its sentences name it.

    Attributes
    ----------
    cohort : Cohort
        For the schedule and the names of the instruments.
    criterion, label : str
        The response criterion, as written and as printed.
    decision_week : float
        Planned week at which response is judged.
    missing : str
        Missing-data rule of the responder proportions.
    scale : str
        Scale of the trajectory model.
    drug : str
        Name of the drug, or "".
    """

    cohort: Cohort
    criterion: str
    label: str
    decision_week: float
    missing: str
    scale: str
    drug: str

    @property
    def decided(self) -> Visit:
        """The visit at which response is judged."""
        return next(visit for visit in self.cohort.schedule if visit.week == self.decision_week)

    @property
    def outcome(self) -> str:
        """The printed name of the outcome."""
        return self.cohort.instrument().label

    @property
    def pairs(self) -> list[tuple[Visit, Visit]]:
        """The comparisons a reader asks for: every visit against baseline, then the first after it against the deciding
        one, or that against the last when it is the first.
        """
        first, *later = self.cohort.schedule
        turns = list(dict.fromkeys([later[0], self.decided, later[-1]]))[:2]
        return [*((first, visit) for visit in later), *([(turns[0], turns[1])] if len(turns) > 1 else [])]

    @property
    def groups(self) -> list[tuple[str, str]]:
        """What ends the numbers of each arm, and how a sentence names the arm; one empty pair without arms."""
        return [(f" {arm}", f" in {arm_in_words(arm)}") for arm in self.cohort.arms] or [("", "")]


def arm_in_words(arm: str) -> str:
    """`the placebo arm`, or the name alone where it says that it is one."""
    return plain(arm) if {"arm", "group"} & set(arm.lower().split()) else f"the {plain(arm)} arm"


def followed(results: Results, about: About) -> Sentence:
    """How many patients, for how long, and who was seen at the visit of the decision."""
    own = results.get("01_cohort", {})
    if "n_patients" not in own:
        return "", {}
    treated = f" treated with {plain(about.drug)}" if about.drug else ""
    seen = attendance(own, about)
    attended = f" At {plain(about.decided.label)}, {seen}." if seen else ""
    return filled(
        f"The cohort had {{n_patients:d}} {_noun('patient', own['n_patients'])}{treated}, with a median follow-up of "
        f"{{follow_up_median}} weeks (range {{follow_up_min}} to {{follow_up_max}}).{attended}",
        own,
    )


def attendance(own: Numbers, about: About) -> str:
    """`18 were seen and 4 had stopped treatment` at the visit of the decision, as a template."""
    states = {f"n_{state}_{slug(about.decided.label)}": words for state, words in STATES.items()}
    return joined([f"{{{name}:d}} {words[own[name] != 1]}" for name, words in states.items() if own.get(name)])


def medians(results: Results, about: About) -> Sentence:
    """The median with quartiles at every visit, by arm when there are arms."""
    own, sentences = results.get("02_course", {}), []
    for arm, where in about.groups:
        keys = {slug(visit.label + arm): plain(visit.label) for visit in about.cohort.schedule}
        parts = [
            f"{{median_{key}}} (quartiles {{q1_{key}}}\u2013{{q3_{key}}}; n = {{n_{key}:d}}) at {label}"
            for key, label in keys.items()
            if own.get(f"median_{key}") is not None
        ]
        sentences.append(f"The median {plain(about.outcome)}{where} was {joined(parts)}." if parts else "")
    return filled(" ".join(filter(None, sentences)), own)


def paired(results: Results, about: About) -> Sentence:
    """The paired changes between visits, by arm when there are arms."""
    own, sentences = results.get("02_course", {}), []
    for arm, where in about.groups:
        parts = [f"by {change} {between}" for change, between in _changes(about, arm, own, "shift", "p", " points")]
        start = f"In the patients seen at both visits, {plain(about.outcome)}{where} changed "
        sentences.append(f"{start}{joined(parts)}." if parts else "")
    return filled(" ".join(filter(None, sentences)), own)


def modelled(results: Results, about: About) -> Sentence:
    """The changes and means that the trajectory model estimates, by arm when there are arms."""
    own = results.get("03_trajectory", {})
    what, unit = MODELLED[about.scale]
    outcome = what.format(plain(about.outcome))
    changed, estimated = [], []
    for arm, where in about.groups:
        changes = _changes(about, arm, own, "model_change", "model_p", unit)
        parts = [f"by {change} {between}" for change, between in changes]
        changed.append(f"{outcome}{where} changed {joined(parts)}" if parts else "")
        means = joined(_means(about, arm, own))
        estimated.append(f"Estimated mean scores{where} were {means}." if means else "")
    if not any(changed):
        return "", {}
    start = "In the mixed model of the {n_scores:d} scores of {n_modelled:d} patients, "
    template = " ".join([f"{start}{'; '.join(filter(None, changed))}.", *filter(None, estimated)])
    return filled(template, {**own, "n_modelled": own["n_patients"]})


def responders(results: Results, about: About) -> Sentence:
    """Responders at the visit of the decision, of those whose response is known."""
    own = results.get("04_response", {})
    key = slug(f"{about.criterion} {about.decided.label}")
    if not own.get(f"n_{key}"):
        return "", {}
    return filled(
        f"At {plain(about.decided.label)}, {{responders_{key}:d}} of the {{n_{key}:d}} patients whose response was "
        f"known met {plain(about.label)} ({share_in_brackets(own, key)}){by_rule(own, about, key)}.",
        own,
    )


def by_rule(own: Numbers, about: About, key: str) -> str:
    """The proportion of responders under the missing-data rule, as a template; nothing for recorded scores only."""
    if own.get(f"rule_share_{key}") is None:
        return ""
    share = f"{{rule_share_{key}:%}} of {{rule_n_{key}:d}} ({_limits('rule_share', key)})"
    return f"; with {MISSING_NAMES[about.missing]}, {share}"


def classes(results: Results, about: About) -> Sentence:
    """The patients in each response class that has any."""
    own = results.get("04_response", {})
    there = [(name, slug(name)) for name in CLASSES if own.get(f"n_{slug(name)}")]
    verbs = ["were classified as", *["as"] * len(there)]
    told = zip(there, verbs, strict=False)
    parts = [
        f"{{n_{key}:d}} ({share_in_brackets(own, key)}) {verb} "
        f"{_noun(name, own[f'n_{key}']) if name in CLASSIFIED else name}"
        for (name, key), verb in told
    ]
    return filled(f"Of all patients, {joined(parts)}." if parts else "", own)


def latent(results: Results, about: About) -> Sentence:
    """How many latent courses have the smallest BIC."""
    own = results.get("05_classes", {})
    noun = _noun("class", own.get("n_latent"))
    said = f"Of the latent class models, the one with {{n_latent:d}} {noun} had the smallest BIC."
    return filled(said if own.get("n_latent") else "", own)


def other_measures(results: Results, about: About) -> Sentence:
    """The paired change of every other measure up to the visit of the decision."""
    own = results.get("06_patient_reported", {})
    here, first = about.decided.label, about.cohort.baseline.label
    names = {slug(f"{name} {here}"): about.cohort.instrument(name).label for name in about.cohort.measured[1:]}
    there = [(key, label) for key, label in names.items() if own.get(f"shift_{key}") is not None]
    parts = [f"{plain(label)} by {change_in_brackets(own, 'shift', 'p', key, ' points')}" for key, label in there]
    start = f"Of the other measures, these changed from {plain(first)} to {plain(here)}: "
    return filled(f"{start}{joined(parts)}." if parts else "", own)


def treatment(results: Results, about: About) -> Sentence:
    """Who was still on treatment at the week of the decision, who stopped, and what adverse events there were."""
    own = results.get("07_treatment", {})
    key = slug(f"week {about.decision_week:g}")
    limits = f"{_limits('on_treatment', key)}; " if own.get(f"on_treatment_lower_{key}") is not None else ""
    still = (
        f"After {about.decision_week:g} weeks {{on_treatment_{key}:%}} of the patients were still on treatment by the "
        f"Kaplan-Meier estimate ({limits}{{at_risk_{key}:d}} at risk)."
    )
    counted = {
        "n_stopped": f"{{n_stopped:d}} {_noun('patient', own.get('n_stopped'))} stopped treatment",
        "n_events": f"{{n_events:d}} adverse {_noun('event', own.get('n_events'))} on treatment "
        f"{'was' if own.get('n_events') == 1 else 'were'} recorded",
    }
    counts = joined([part for name, part in counted.items() if own.get(name) is not None])
    parts = [still if own.get(f"on_treatment_{key}") is not None else "", f"In all, {counts}." if counts else ""]
    return filled(" ".join(filter(None, parts)), own)


def _changes(about: About, arm: str, own: Numbers, name: str, p: str, unit: str) -> Iterator[tuple[str, str]]:
    """Every told comparison that has its change: the change in brackets and all, and between which visits."""
    for earlier, later in about.pairs:
        origins = [earlier.label, *(["baseline"] if earlier == about.cohort.baseline else [])]  # models say baseline
        keys = [slug(f"{later.label} v {origin}{arm}") for origin in origins]
        key = next((key for key in keys if own.get(f"{name}_{key}") is not None), None)
        if key:
            yield change_in_brackets(own, name, p, key, unit), f"from {plain(earlier.label)} to {plain(later.label)}"


def _means(about: About, arm: str, own: Numbers) -> list[str]:
    keys = {slug(visit.label + arm): plain(visit.label) for visit in about.cohort.schedule}
    return [
        f"{{estimated_mean_{key}}} ({{level:%}} CI {{estimated_lower_{key}}} to {{estimated_upper_{key}}}) at {label}"
        for key, label in keys.items()
        if own.get(f"estimated_mean_{key}") is not None
    ]


def change_in_brackets(own: Numbers, name: str, p: str, key: str, unit: str) -> str:
    """`{shift_...} points ({level:%} CI ... to ...; {p_...:p}; n = ...)`, as far as its numbers are there."""
    sure = own.get(f"{name}_lower_{key}") is not None and own.get(f"{name}_upper_{key}") is not None
    tested, counted = own.get(f"{p}_{key}") is not None, f"pairs_{key}" in own
    inside = [
        f"{{level:%}} CI {{{name}_lower_{key}}} to {{{name}_upper_{key}}}" if sure else "",
        f"{{{p}_{key}:p}}" if tested else "",
        f"n = {{pairs_{key}:d}}" if counted else "",
    ]
    return f"{{{name}_{key}}}{unit} ({'; '.join(filter(None, inside))})"


def share_in_brackets(own: Numbers, key: str) -> str:
    """`{share_...:%}; {level:%} CI ... to ...`, as far as its numbers are there."""
    limits = f"; {_limits('share', key)}" if f"share_lower_{key}" in own else ""
    return f"{{share_{key}:%}}{limits}"


def _limits(name: str, key: str) -> str:
    return f"{{level:%}} CI {{{name}_lower_{key}:%}} to {{{name}_upper_{key}:%}}"


def filled(template: str, own: Numbers) -> Sentence:
    """The template with the numbers it names; the confidence level is the chapter's own."""
    names = [name for _, name, _, _ in Formatter().parse(template) if name and name != "level"]
    return template, {name: own[name] for name in names}


def plain(text: str) -> str:
    """Text of the study inside a template, where it is no field, no link and no citation."""
    return text.replace("{", "{{").replace("}", "}}").replace("[", r"\[")


def _noun(noun: str, number: Any) -> str:
    return noun if number == 1 else f"{noun}{'es' if noun.endswith('s') else 's'}"
