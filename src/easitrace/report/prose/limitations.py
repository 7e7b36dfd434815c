"""Limitations that follow from the data: each said only where its numbers say that it holds."""

import re

from easitrace.report.prose.results import About, Numbers, Results, Sentence, filled, plain
from easitrace.report.prose.words_of_numbers import slug

FEW = 50  # patients at a visit, below which tests are exact and intervals wide
SKEWED = 0.1  # (q3 + q1 - 2 median) / (q3 - q1), from -1 to 1; 0 in a symmetric distribution
ALPHA = 0.05
P_VALUE = re.compile(r"(model_|arm_difference_(of_changes_)?|odds_ratio_|joint_)?p_.+")


def limitations(results: Results, about: About) -> Sentence:
    """The paragraph as a template for `Chapter.say` and its numbers."""
    sentences = [
        _few(results, about),
        _completers(results, about),
        _skewed(results, about),
        _model(results, about),
        _rule(results),
        _latent(results),
        _multiple(results),
        _comparison(about),
        _not_at_random(results),
        _synthetic(about),
    ]
    numbers = {name: value for _, own in sentences for name, value in own.items()}
    return " ".join(template for template, _ in sentences if template), numbers


def _few(results: Results, about: About) -> Sentence:
    own = results.get("02_course", {})
    label, here = plain(about.decided.label), slug(about.decided.label)
    n = own.get(f"n_{here}")
    if not n or n >= FEW:
        return "", {}
    scores = "score" if n == 1 else "scores"
    said = f"With {{n_{here}:d}} {scores} at {label} all intervals are wide, and one patient moves a percentage by "
    return filled(f"{said}{{one_patient:.1f}} points.", {**own, "one_patient": 100 / n})


def _completers(results: Results, about: About) -> Sentence:
    own = results.get("01_cohort", {})
    label, here = plain(about.decided.label), slug(about.decided.label)
    seen, everyone = own.get(f"n_seen_{here}"), own.get("n_patients")
    if not everyone or seen is None or seen == everyone:
        return "", {}
    others = f", {{n_in_follow_up_{here}:d}} of the others not having reached it"
    waiting = others if own.get(f"n_in_follow_up_{here}") else ""
    verb = "was" if seen == 1 else "were"
    said = (
        f"At {label}, {{n_seen_{here}:d}} of {{n_patients:d}} patients ({{seen_share:%}}) {verb} seen{waiting}: "
        "medians and paired changes describe those seen."
    )
    return filled(said, {**own, "seen_share": seen / everyone})


def _skewed(results: Results, about: About) -> Sentence:
    own = results.get("02_course", {})
    worst = max(about.cohort.schedule, key=lambda visit: _skewness(own, slug(visit.label)))
    key = slug(worst.label)
    if _skewness(own, key) <= SKEWED:
        return "", {}
    where = f"{plain(worst.label)} (median {{median_{key}}}, quartiles {{q1_{key}}}\u2013{{q3_{key}}})"
    raw = "the model of the scores as they are takes them for normal"
    back = "estimated means lie nearer to the medians than arithmetic means do"
    return filled(f"Scores are skewed, most at {where}: {raw if about.scale == 'raw' else back}.", own)


def _skewness(own: Numbers, key: str) -> float:
    low, middle, high = (own.get(f"{name}_{key}") for name in ("q1", "median", "q3"))
    if low is None or middle is None or high is None or low == high:
        return 0.0
    return float((high + low - 2 * middle) / (high - low))


def _model(results: Results, about: About) -> Sentence:
    own = results.get("03_trajectory")
    if own is None:
        return "No trajectory model could be estimated: patients with missing visits are left out of the changes.", {}
    means = [value for name, value in own.items() if name.startswith("sensitivity_mean_") and value is not None]
    if len(means) < 2 or about.cohort.arms:
        return "", {}
    said = (
        f"Under other covariance structures and scales the estimated mean at {plain(about.decided.label)} runs from "
        "{least_mean} to {most_mean} points over {n_models:d} models."
    )
    return filled(said, {"least_mean": min(means), "most_mean": max(means), "n_models": len(means)})


def _rule(results: Results) -> Sentence:
    own = results.get("04_response", {})
    said = "Over {n_rules:d} class rules, up to {n_most_changed:d} of {n:d} patients are in another class than here."
    return filled(said if own.get("n_most_changed") else "", own)


def _latent(results: Results) -> Sentence:
    own = results.get("05_classes", {})
    said = "The {n_latent:d} latent classes describe the shape of a distribution, and need not be kinds of patients."
    return filled(said if own.get("n_latent", 0) > 1 else "", own)


def _multiple(results: Results) -> Sentence:
    names = [name for chapter, own in results.items() if chapter[:3] != "00_" for name in own if own[name] is not None]
    n_tests = sum(P_VALUE.fullmatch(name) is not None for name in names)
    said = (
        "None of the {n_tests:d} P values recorded here is adjusted: if nothing changed or differed, "
        "{n_by_chance:.1f} of them would be expected below {alpha:.2f}."
    )
    own = {"n_tests": n_tests, "n_by_chance": ALPHA * n_tests, "alpha": ALPHA}
    return filled(said if n_tests > 1 else "", own)


def _comparison(about: About) -> Sentence:
    arms = "Nothing is known here of how patients came into their arm: differences between arms are associations."
    single = (
        "There is no comparison group: changes are associated with treatment and cannot be told apart from the natural "
        "course, from regression to the mean or from other treatment given along with it."
    )
    return arms if about.cohort.arms else single, {}


def _not_at_random(results: Results) -> Sentence:
    own = results.get("08_sensitivity", {})
    start = "That scores are missing at random cannot be checked: "
    tips = (
        "the conclusion about the change would be another one if the {worsened:d} scores imputed after stopping were "
        "worse by {tipping_point} points."
    )
    stays = "making the {worsened:d} scores imputed after stopping worse did not change the conclusion on the change."
    ending = stays if own.get("tipping_point") is None else tips
    return filled(start + ending if own.get("worsened") else "", own)


def _synthetic(about: About) -> Sentence:
    said = "These are not the data of patients, and nothing here is evidence about a treatment."
    return said if about.cohort.synthetic else "", {}
