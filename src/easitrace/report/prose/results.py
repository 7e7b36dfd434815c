"""The results paragraph of a manuscript: sentences whose numbers are those the chapters recorded, by their names.

Every sentence stands for itself and falls away when its chapter, or its number, is not there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from easitrace.cohort.cohort import Cohort, Visit
from easitrace.report.prose.words_of_numbers import joined, slug
from easitrace.report.words import MISSING_NAMES
from easitrace.response.classify import CLASSES

Numbers = Mapping[str, Any]
Results = Mapping[str, Numbers]
Sentence = tuple[str, dict[str, Any]]
STATES = {
    "seen": "patients seen",
    "stopped": "who had stopped treatment",
    "in_follow_up": "still in follow-up",
    "missed": "who had missed the visit",
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
        """The comparisons a reader asks for: every visit against baseline, the deciding one against the first after."""
        first, *later = self.cohort.schedule
        pairs = [(first, visit) for visit in later]
        return pairs if not later or self.decided == later[0] else [*pairs, (later[0], self.decided)]


def results_paragraph(results: Results, about: About) -> Sentence:
    """The paragraph as a template for `Chapter.say`, and the numbers it names; `level` is given by the chapter."""
    parts = (followed, medians, paired, modelled, responders, classes, latent, other_measures, treatment)
    sentences = [part(results, about) for part in parts]
    numbers = {name: value for _, own in sentences for name, value in own.items()}
    return " ".join(template for template, _ in sentences if template), numbers


def followed(results: Results, about: About) -> Sentence:
    """How many patients, for how long, and who was seen at the visit of the decision."""
    own = results.get("01_cohort", {})
    if "n_patients" not in own:
        return "", {}
    here, label = slug(about.decided.label), plain(about.decided.label)
    treated = f" treated with {plain(about.drug)}" if about.drug else ""
    seen = [f"{{n_{state}_{here}:d}} {words}" for state, words in STATES.items() if own.get(f"n_{state}_{here}")]
    attended = f" At {label} these were {joined(seen)}." if seen else ""
    return filled(
        f"The cohort had {{n_patients:d}} {_noun('patient', own['n_patients'])}{treated}, with a median follow-up of "
        f"{{follow_up_median}} weeks (range {{follow_up_min}} to {{follow_up_max}}).{attended}",
        own,
    )


def medians(results: Results, about: About) -> Sentence:
    """The median with quartiles at every visit."""
    own = results.get("02_course", {})
    parts = [
        f"{{median_{key}}} (quartiles {{q1_{key}}}\u2013{{q3_{key}}}; n = {{n_{key}:d}}) at {plain(visit.label)}"
        for visit in about.cohort.schedule
        if own.get(f"median_{(key := slug(visit.label))}") is not None
    ]
    return filled(f"The median {plain(about.outcome)} was {joined(parts)}." if parts else "", own)


def paired(results: Results, about: About) -> Sentence:
    """The paired changes between visits."""
    own = results.get("02_course", {})
    parts = [f"by {change} {between}" for change, between in _changes(about, own, "shift", "p", " points")]
    start = f"In the patients seen at both visits, {plain(about.outcome)} changed "
    return filled(f"{start}{joined(parts)}." if parts else "", own)


def modelled(results: Results, about: About) -> Sentence:
    """The changes and means that the trajectory model estimates."""
    own = results.get("03_trajectory", {})
    what, unit = MODELLED[about.scale]
    parts = [f"by {change} {between}" for change, between in _changes(about, own, "model_change", "model_p", unit)]
    means = [
        f"{{estimated_mean_{key}}} ({{level:%}} CI {{estimated_lower_{key}}} to {{estimated_upper_{key}}}) at "
        f"{plain(visit.label)}"
        for visit in about.cohort.schedule
        if own.get(f"estimated_mean_{(key := slug(visit.label))}") is not None
    ]
    if not parts:
        return "", {}
    start = "In the mixed model of the {n_scores:d} scores of {n_modelled:d} patients, "
    changed = f"{start}{what.format(plain(about.outcome))} changed {joined(parts)}."
    template = f"{changed} Estimated mean scores were {joined(means)}."
    return filled(template, {**own, "n_modelled": own["n_patients"]})


def responders(results: Results, about: About) -> Sentence:
    """Responders at the visit of the decision, of those whose response is known."""
    own = results.get("04_response", {})
    key = slug(f"{about.criterion} {about.decided.label}")
    if not own.get(f"n_{key}"):
        return "", {}
    of_all = f"{{rule_share_{key}:%}} of {{rule_n_{key}:d}} ({_limits('rule_share', key)})"
    by_rule = f"; with {MISSING_NAMES[about.missing]}, {of_all}"
    ruled = by_rule if own.get(f"rule_share_{key}") is not None else ""
    return filled(
        f"At {plain(about.decided.label)}, {{responders_{key}:d}} of the {{n_{key}:d}} patients whose response was "
        f"known met {plain(about.label)} ({share_in_brackets(own, key)}){ruled}.",
        own,
    )


def classes(results: Results, about: About) -> Sentence:
    """The patients in each response class that has any."""
    own = results.get("04_response", {})
    there = [(name, slug(name)) for name in CLASSES if own.get(f"n_{slug(name)}")]
    verbs = ["were classified as", *["as"] * len(there)]
    told = zip(there, verbs, strict=False)
    parts = [f"{{n_{key}:d}} ({share_in_brackets(own, key)}) {verb} {name}" for (name, key), verb in told]
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
    stopped = f"In all, {{n_stopped:d}} {_noun('patient', own.get('n_stopped'))} stopped treatment."
    events = "On treatment {n_events:d} adverse " + f"{_noun('event', own.get('n_events'))} were recorded."
    parts = {f"on_treatment_{key}": still, "n_stopped": stopped, "n_events": events}
    return filled(" ".join(part for name, part in parts.items() if own.get(name) is not None), own)


def _changes(about: About, own: Numbers, name: str, p: str, unit: str) -> Iterator[tuple[str, str]]:
    """Every told comparison that has its change: the change in brackets and all, and between which visits."""
    for earlier, later in about.pairs:
        key = slug(f"{later.label} v {earlier.label}")
        if own.get(f"{name}_{key}") is not None:
            yield change_in_brackets(own, name, p, key, unit), f"from {plain(earlier.label)} to {plain(later.label)}"


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
    """Text of the study inside a template."""
    return text.replace("{", "{{").replace("}", "}}")


def _noun(noun: str, number: Any) -> str:
    return noun if number == 1 else f"{noun}{'es' if noun.endswith('s') else 's'}"
