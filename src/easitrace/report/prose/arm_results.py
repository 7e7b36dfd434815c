"""What the first page says of the arms of a trial: answers, which are sentences of results too, and the methods."""

from collections.abc import Sequence
from typing import Any, get_args

from easitrace.report.prose.results import MODELLED, About, Numbers, Results, Sentence, arm_in_words, filled, plain
from easitrace.report.prose.words_of_numbers import joined, slug
from easitrace.response.estimands import Estimand
from easitrace.response.missing import MissingRule

BASELINE_METHODS = {
    "common": "one mean of all arms at baseline (constrained longitudinal data analysis)",
    "own": "a mean of each arm at baseline, the changes from baseline being compared",
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


def arm_methods(
    about: About, baseline: str, strata: Sequence[str], *, covariance_by_arm: bool, timed: bool = True
) -> str:
    """How the arms were compared; nothing without arms."""
    if not about.cohort.arms:
        return ""
    named = [plain(name.replace("_", " ")) for name in strata]
    stratified = f", stratified by {joined(named)}" if named else ""
    by_time = f"; time on treatment by the log-rank test{stratified}"
    matrices = " and a covariance matrix of each arm" if covariance_by_arm else ""
    return (
        f"The arms were compared with {plain(about.cohort.arms[0])} by this model, with {BASELINE_METHODS[baseline]}"
        f"{matrices}; observed scores by Mann-Whitney tests and Hodges-Lehmann shifts; proportions of responders by "
        f"Newcombe's intervals and marginal logistic models of each arm{by_time if timed else ''}. Baselines were not "
        "tested."
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
        means = [f"{{estimated_mean_{here}_{place}}}" for place in (slug(arm), _reference(about))]
        difference = f"{{{first}_{key}_{here}}}{unit} ({limits}; {{{first}_p_{key}_{here}:p}})"
        parts.append(
            f"{_quantity(what, about, changes=first.endswith('changes'))} in {arm_in_words(arm)} differed from that in "
            f"{arm_in_words(about.cohort.arms[0])} by {difference}; the estimated means at "
            f"{plain(about.decided.label)} were {' and '.join(means)} points"
        )
    return filled(f"In the mixed model, {'; '.join(parts)}" if parts else "", own)


def _quantity(what: str, about: About, *, changes: bool) -> str:
    outcome, here = what.format(plain(about.outcome)), plain(about.decided.label)
    if changes:
        return f"the change of {outcome} from {plain(about.cohort.baseline.label)} to {here}"
    return f"{outcome} at {here}"


def arm_responders(results: Results, about: About) -> Sentence:
    """Responders of each arm at the visit of the decision, and the difference between the proportions."""
    own, parts = results.get("04_response", {}), []
    points: dict[str, Any] = {}
    here = slug(f"{about.criterion} {about.decided.label}")
    for arm, key in _pairs(about):
        if own.get(f"risk_difference_{key}_{here}") is None:
            continue
        names = [f"risk_difference{side}_{key}_{here}" for side in ("", "_lower", "_upper")]
        points |= {f"{name}_points": 100 * own[name] for name in names}
        middle, low, high = (f"{{{name}_points:.0f}}" for name in names)
        theirs, others = (_share(own, f"{here}_{slug(one)}") for one in (arm, about.cohort.arms[0]))
        parts.append(
            f"{theirs} in {arm_in_words(arm)} and {others} in {arm_in_words(about.cohort.arms[0])}, a difference of "
            f"{middle} percentage points ({{level:%}} CI {low} to {high})"
        )
    start = f"{plain(about.label)} was met at {plain(about.decided.label)} by "
    return filled(start + "; by ".join(parts) if parts else "", {**own, **points})


def _share(own: Numbers, key: str) -> str:
    """`21 of 51 patients (41%)`, or `41% of 51 patients` where responders were imputed and are no whole number."""
    if own.get(f"responders_{key}") is None:
        return f"{{share_{key}:%}} of {{n_{key}:d}} patients"
    return f"{{responders_{key}:d}} of {{n_{key}:d}} patients ({{share_{key}:%}})"


def _certainty(results: Results, about: About) -> Sentence:
    """In how many analyses of the sensitivity chapter the interval excludes no difference on either side."""
    own, numbers, parts = results.get("08_sensitivity", {}), {}, []
    for arm, key in _pairs(about):
        known = [(low, high) for low, high in _different(own, key) if low is not None and high is not None]
        if not known:
            continue
        numbers[f"n_analyses_{key}"] = len(known)
        numbers[f"n_below_{key}"] = sum(high < 0 for _, high in known)
        numbers[f"n_above_{key}"] = sum(low > 0 for low, _ in known)
        excludes = {side: numbers[f"n_{side}_{key}"] for side in ("below", "above")}
        in_all = next((side for side, n in excludes.items() if n == len(known)), "")
        sides = [f"{side} zero in {{n_{side}_{key}:d}}" for side, n in excludes.items() if n]
        lies = f"lies {joined(sides)} of" if sides else "includes zero in all"
        lies = f"lies {in_all} zero in all" if in_all else lies
        parts.append(f"between {_named(arm, about)} {lies} {{n_analyses_{key}:d}} different analyses")
    ends = " by estimand and missing-data rule"
    return filled(f"The interval of the difference {'; '.join(parts)}{ends}" if parts else "", numbers)


def _different(own: Numbers, key: str) -> list[tuple[float | None, float | None]]:
    """The limits of the difference under every rule, of estimands that have the same only the first."""
    seen: list[list[tuple[float | None, float | None]]] = []
    for estimand in get_args(Estimand):
        names = [f"{key}_{slug(estimand)}_{rule}" for rule in get_args(MissingRule)]
        rows = [(own.get(f"arm_difference_lower_{name}"), own.get(f"arm_difference_upper_{name}")) for name in names]
        if rows not in seen:
            seen.append(rows)
    return [limits for rows in seen for limits in rows]


def _pairs(about: About) -> list[tuple[str, str]]:
    """Each arm other than the reference, and its comparison as part of a number's name; none without arms."""
    reference, *others = about.cohort.arms or ("",)
    return [(arm, slug(f"{arm} v {reference}")) for arm in others]


def _reference(about: About) -> str:
    return slug(about.cohort.arms[0])


def _named(arm: str, about: About) -> str:
    return f"{plain(arm)} and {plain(about.cohort.arms[0])}"
