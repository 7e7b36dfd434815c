"""Whether the answer of the first page holds over the estimands and missing-data rules of the sensitivity chapter."""

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from easitrace.report.prose.sensitivity import SENSITIVITY_NUMBERS
from easitrace.report.prose.words_of_numbers import slug
from easitrace.report.words import MISSING_NAMES
from easitrace.response.estimands import Estimand
from easitrace.response.missing import MissingRule

Analysis = Mapping[str, Any]


def over_analyses(numbers: Mapping[str, Any], estimand: str, missing: str) -> dict[str, Any]:
    """The range of the change and of the proportion of responders over all different analyses.

    Parameters
    ----------
    numbers : mapping
        What the sensitivity chapter recorded; empty when it has no results.
    estimand, missing : str
        The choice of the report. A rule that says nothing about scores leaves the change to the recorded scores.

    Returns
    -------
    dict
        `n_changes`, `change_least`, `change_most`; `side` of zero on which the interval of the report's choice lies,
        -1, 1, or 0 when it includes zero, and `n_same`, the analyses of which that is true too; `of_scores`, a remark
        where the choice has no change of its own; `n_shares`, `share_least`, `share_most`, and `n_inside`, the
        proportions within the interval of the choice's, `own_share_lower` to `own_share_upper`. A count is 0 and the
        rest missing where nothing was estimable.
    """
    analyses = list(_different(numbers))
    changes = [one for one in analyses if one["change"] is not None]
    shares = [one for one in analyses if one["share"] is not None]
    own = _analysis(numbers, estimand, missing)
    of_scores = own if own["change"] is not None else _analysis(numbers, estimand, "observed")
    inside = [one for one in shares if own["share"] is not None and _within(one["share"], own)]
    return {
        "n_changes": len(changes),
        **_ends(changes, "change"),
        "side": _side(of_scores),
        "of_scores": "" if of_scores is own else ", whose rule leaves the change to the recorded scores",
        "n_same": sum(_side(one) == _side(of_scores) for one in changes),
        "n_shares": len(shares),
        **_ends(shares, "share"),
        "n_inside": len(inside),
        "own_share_lower": own["share_lower"],
        "own_share_upper": own["share_upper"],
    }


def robustness_template(held: Mapping[str, Any]) -> str:
    """The sentences on sensitivity, as far as their numbers are there."""
    if not held["n_changes"] and not held["n_shares"]:
        return "No analysis under another estimand or missing-data rule was estimable."
    return " ".join(filter(None, [_of_changes(held), _of_shares(held)]))


def choice_name(estimand: str, missing: str) -> str:
    """The report's estimand and missing-data rule, in short."""
    return f"{estimand.replace('-', ' ')} with {MISSING_NAMES[missing]}"


def _of_changes(held: Mapping[str, Any]) -> str:
    if not held["n_changes"]:
        return ""
    hangs = "holds under every" if held["n_same"] == held["n_changes"] else "depends on the"
    zero = {-1: "lies below", 0: "includes", 1: "lies above"}[held["side"]]
    return (
        f"The conclusion about the change {hangs} estimand and missing-data rule: over {{n_changes:d}} different "
        "analyses ([Table](#08_sensitivity-estimands)) the change runs from {change_least} to {change_most}{unit}, and "
        f"in {_of_them(held, 'n_same', 'n_changes')} its interval {zero} zero, like that of this report's choice, "
        "{choice}{of_scores}."
    )


def _of_shares(held: Mapping[str, Any]) -> str:
    if not held["n_shares"]:
        return ""
    spread = "The proportion of responders runs from {share_least:%} to {share_most:%} over {n_shares:d} analyses;"
    if held["own_share_lower"] is None:
        return f"{spread} that of this report's choice, {{choice}}, was not estimable."
    return (
        f"{spread} {_of_them(held, 'n_inside', 'n_shares')} lie within the interval of this report's choice, "
        "{own_share_lower:%} to {own_share_upper:%}."
    )


def _of_them(held: Mapping[str, Any], name: str, everything: str) -> str:
    return "all of them" if held[name] == held[everything] else f"{{{name}:d}} of them"


def _different(numbers: Mapping[str, Any]) -> Iterable[Analysis]:
    """The analyses by rule, of estimands that have the same results only the first."""
    seen = []
    for estimand in get_args(Estimand):
        rows = [_analysis(numbers, estimand, rule) for rule in get_args(MissingRule)]
        if rows not in seen:
            seen.append(rows)
            yield from rows


def _analysis(numbers: Mapping[str, Any], estimand: str, rule: str) -> Analysis:
    key = slug(f"{estimand} {rule}")
    return {name: numbers.get(f"{name}_{key}") for name in SENSITIVITY_NUMBERS}


def _ends(analyses: list[Analysis], name: str) -> dict[str, float | None]:
    values = [one[name] for one in analyses]
    return {f"{name}_least": min(values, default=None), f"{name}_most": max(values, default=None)}


def _side(analysis: Analysis) -> int:
    """-1 or 1 when the interval of the change lies below or above zero, else 0."""
    lower, upper = analysis["change_lower"], analysis["change_upper"]
    if lower is None or lower <= 0 <= upper:
        return 0
    return 1 if lower > 0 else -1


def _within(share: float, own: Analysis) -> bool:
    return bool(own["share_lower"] <= share <= own["share_upper"])
