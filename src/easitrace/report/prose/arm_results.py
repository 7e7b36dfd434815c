"""What the first page says of the arms of a trial: answers, a sentence of results, a sentence of methods."""

from collections.abc import Sequence
from typing import get_args

from easitrace.report.prose.results import MODELLED, About, Results, Sentence, filled, plain
from easitrace.report.prose.words_of_numbers import joined, slug
from easitrace.response.estimands import Estimand
from easitrace.response.missing import MissingRule

BASELINE_METHODS = {
    "common": "one mean of all arms at baseline (constrained longitudinal data analysis)",
    "own": "a mean of each arm at baseline, the difference between the changes being the effect",
    "covariate": "the baseline score as a covariate of the scores after it",
    "covariate-by-visit": "the baseline score and its interaction with visit as covariates of the scores after it",
}


def with_arms(questions: list[tuple[str, Sentence]], results: Results, about: About) -> list[tuple[str, Sentence]]:
    """The questions of `key_results`; with arms those on change, certainty and response are asked of the arms."""
    if not about.cohort.arms:
        return questions
    asked = {
        "What changed?": ("How do the arms differ?", arm_difference(results, about)),
        "How sure?": ("How sure?", _certainty(results, about)),
        "Who responded?": ("Who responded?", arm_responders(results, about)),
    }
    own = [asked.get(question, (question, answer)) for question, answer in questions]
    return [(question, answer if answer[0] else ("Not known from these data", {})) for question, answer in own]


def arm_paragraph(results: Results, about: About) -> Sentence:
    """What the arms differ in, as sentences; nothing without arms."""
    parts = [arm_difference(results, about), arm_responders(results, about)] if about.cohort.arms else []
    numbers = {name: value for _, own in parts for name, value in own.items()}
    return " ".join(f"{template}." for template, _ in parts if template), numbers


def arm_methods(about: About, baseline: str, strata: Sequence[str], *, covariance_by_arm: bool) -> str:
    """How the arms were compared; nothing without arms."""
    if not about.cohort.arms:
        return ""
    named = [plain(name.replace("_", " ")) for name in strata]
    stratified = f", stratified by {joined(named)}" if named else ""
    adjusted = f", adjusted for {joined(named)}" if named else ""
    matrices = " and a covariance matrix of each arm" if covariance_by_arm else ""
    return (
        f"The arms were compared with {plain(about.cohort.arms[0])} by the mixed model with visit, arm and their "
        f"interaction{adjusted}, with {BASELINE_METHODS[baseline]}{matrices}; observed scores by Mann-Whitney tests "
        "and Hodges-Lehmann shifts; proportions of responders by Newcombe's intervals and marginal logistic models of "
        f"each arm; time on treatment by the log-rank test{stratified}. Baselines were not tested."
    )


def arm_difference(results: Results, about: About) -> Sentence:
    """The difference between the arms at the visit of the decision by the trajectory model, and the means."""
    own, parts = results.get("03_trajectory", {}), []
    what, unit = MODELLED[about.scale]
    here = slug(about.decided.label)
    for arm, key in _pairs(about):
        first = next((f for f in ("arm_difference_of_changes", "arm_difference") if f"{f}_{key}_{here}" in own), "")
        if not first or own[f"{first}_{key}_{here}"] is None:
            continue
        limits = f"{{level:%}} CI {{{first}_lower_{key}_{here}}} to {{{first}_upper_{key}_{here}}}"
        mean = f"estimated mean {{estimated_mean_{here}_{slug(arm)}}} v {{estimated_mean_{here}_{_reference(about)}}}"
        difference = f"{{{first}_{key}_{here}}}{unit} ({limits}; {{{first}_p_{key}_{here}:p}})"
        parts.append(f"{_named(arm, about)} {difference}, {mean} points")
    outcome = what.format(plain(about.outcome))
    start = f"Difference of {outcome} between arms at {plain(about.decided.label)}, by the mixed model: "
    return filled(start + "; ".join(parts) if parts else "", own)


def arm_responders(results: Results, about: About) -> Sentence:
    """Responders of each arm at the visit of the decision, and the difference between the proportions."""
    own, parts = results.get("04_response", {}), []
    here = slug(f"{about.criterion} {about.decided.label}")
    for arm, key in _pairs(about):
        if own.get(f"risk_difference_{key}_{here}") is None:
            continue
        shares = [f"{{share_{here}_{place}:%}} of {{n_{here}_{place}:d}}" for place in (slug(arm), _reference(about))]
        limits = f"{{level:%}} CI {{risk_difference_lower_{key}_{here}:%}} to {{risk_difference_upper_{key}_{here}:%}}"
        difference = f"difference {{risk_difference_{key}_{here}:%}} ({limits})"
        parts.append(f"{_named(arm, about)} {' v '.join(shares)}, {difference}")
    start = f"{plain(about.label)} at {plain(about.decided.label)}: "
    return filled(start + "; ".join(parts) if parts else "", own)


def _certainty(results: Results, about: About) -> Sentence:
    """In how many analyses of the sensitivity chapter the interval excludes no difference on either side."""
    own, numbers, parts = results.get("08_sensitivity", {}), {}, []
    for arm, key in _pairs(about):
        rules = [f"{slug(estimand)}_{rule}" for estimand in get_args(Estimand) for rule in get_args(MissingRule)]
        limits = [
            (own.get(f"arm_difference_lower_{key}_{rule}"), own.get(f"arm_difference_upper_{key}_{rule}"))
            for rule in rules
        ]
        known = [(low, high) for low, high in limits if low is not None and high is not None]
        if not known:
            continue
        numbers[f"n_analyses_{key}"] = len(known)
        numbers[f"n_below_{key}"] = sum(high < 0 for _, high in known)
        numbers[f"n_above_{key}"] = sum(low > 0 for low, _ in known)
        sides = [f"{side} zero in {{n_{side}_{key}:d}}" for side in ("below", "above") if numbers[f"n_{side}_{key}"]]
        lies = f"lies {joined(sides)}" if sides else "includes zero in all"
        parts.append(f"{_named(arm, about)}: the interval of the difference {lies} of {{n_analyses_{key}:d}} analyses")
    ends = " by estimand and missing-data rule"
    return filled("; ".join(parts) + ends if parts else "", numbers)


def _pairs(about: About) -> list[tuple[str, str]]:
    """Each arm other than the reference, and its comparison as part of a number's name."""
    reference, *others = about.cohort.arms
    return [(arm, slug(f"{arm} v {reference}")) for arm in others]


def _reference(about: About) -> str:
    return slug(about.cohort.arms[0])


def _named(arm: str, about: About) -> str:
    return f"{plain(arm)} v {plain(about.cohort.arms[0])}"
