"""The methods of a manuscript: what was done in this report, with `[@key]` for the references."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from easitrace.cohort.cohort import Cohort
from easitrace.report.prose.arm_results import arm_methods
from easitrace.report.prose.cohort import calendar_sentence
from easitrace.report.prose.results import About, Results, Sentence, filled, plain
from easitrace.report.prose.words_of_numbers import joined
from easitrace.report.tables.journal import capital
from easitrace.report.words import (
    COVARIANCE_NAMES,
    DF_NAMES,
    ESTIMAND_NAMES,
    INTERVAL_NAMES,
    LOSS_NAMES,
    MISSING_NAMES,
    QUARTILE_NAMES,
    SCALE_NAMES,
)

SOFTWARE = ("easitrace", "statsmodels", "scipy", "numpy", "pandas", "papermill")
SOFTWARE_CITED = {
    "easitrace": "easitrace",
    "statsmodels": "seabold2010",
    "scipy": "virtanen2020",
    "papermill": "papermill",
}
OUTCOME_CITED = {"easi": " [@hanifin2001]", "poem": " [@schram2012]", "dlqi": " [@basra2015]"}
LONG_NAMES = {"easi": "the Eczema Area and Severity Index (EASI)"}
BANDS_CITED = {"Leshem 2015": "[@leshem2015]", "Chopra 2017": "[@chopra2017]"}
DF_CITED = {
    "satterthwaite": "[@satterthwaite1946]",
    "kenward-roger": "[@kenward1997]",
    "kenward-roger-linear": "[@kenward2009]",
    "kenward-roger-mmrm": "[@kenward1997]",
}
INTERVAL_CITED = {"wilson": "[@wilson1927]", "clopper-pearson": "[@clopper1934]"}
SUMMARY_CITED = {"baricitinib": " of the founding study [@dewijs]"}
BACK = {
    "raw": "",
    "log1p": "; means and their limits were transformed back to points, differences to percent of 1 + score",
    "sqrt": "; means and their limits were transformed back to points, differences are on the square root",
}


@dataclass(frozen=True)
class Choices:
    """The parameters that the methods depend on, by their names."""

    covariates: Sequence[str]
    estimand: str
    covariance: str
    df: str
    loss_rule: str
    interval: str
    quartiles: str
    imputations: int
    seed: int
    published: str | None
    baseline: str = "common"
    strata: Sequence[str] = ()
    covariance_by_arm: bool = False


def methods_paragraphs(results: Results, about: About, choices: Choices, reasons: Mapping[str, str]) -> Sentence:
    """The paragraphs as a template for `Chapter.say` with marks for the references, and the numbers it names.

    Parameters
    ----------
    reasons : mapping
        Why a chapter has nothing to show, by chapter.
    """
    numbers: dict[str, Any] = {
        "decision_week": about.decision_week,
        "imputations": choices.imputations,
        "seed": choices.seed,
    }
    numbers |= {key: results.get("05_classes", {}).get(key) for key in ("n_starts", "n_tried")}
    numbers |= {f"version_{name}": version(name) for name in SOFTWARE}
    paragraphs = [
        [_data(about), _outcome(about), _estimand(choices)],
        [_course(choices), _model(results, about, choices, reasons), _arms(results, about, choices)],
        [_response(results, about, choices)],
        [_missing(results), _latent(results)],
        [_other(results, about), _treatment(results)],
        [_published(choices), _the_rest()],
    ]
    texts = [" ".join(filter(None, sentences)) for sentences in paragraphs]
    return filled("\n\n".join(filter(None, texts)), numbers)


def _data(about: About) -> str:
    cohort = about.cohort
    treated = f" of patients treated with {plain(about.drug)}" if about.drug else ""
    origin = (
        plain(cohort.synthetic[0].lower() + cohort.synthetic[1:].rstrip(".")) if cohort.synthetic else _files(cohort)
    )
    visits = joined([plain(visit.label) for visit in cohort.schedule])
    when = f" {calendar_sentence(cohort)}".rstrip()
    arms = f"cohort with the arms {joined([plain(arm) for arm in cohort.arms])}" if cohort.arms else "single-arm cohort"
    return (
        f"This is a {arms}{treated}, with planned visits at {visits} [setting, sites, recruitment and "
        f"ethics: for the authors to write]. Data: {origin}.{when} "
        "The report follows the STROBE statement [@vonelm2007]"
        f"{' [a randomised trial is reported by CONSORT: for the authors to follow]' if cohort.arms else ''}."
    )


def _files(cohort: Cohort) -> str:
    kinds = joined(list(dict.fromkeys(source.path.suffix.lstrip(".").upper() for source in cohort.sources)))
    return f"read from {f'{kinds} files' if len(cohort.sources) > 1 else f'one {kinds} file'}"


def _outcome(about: About) -> str:
    outcome = about.cohort.instrument()
    bands = outcome.bands[0].source if outcome.bands else ""
    severity = f"; severity bands are those of {bands} {BANDS_CITED[bands]}" if bands in BANDS_CITED else ""
    cited = OUTCOME_CITED.get(about.cohort.outcome, "")
    name = LONG_NAMES.get(about.cohort.outcome, plain(outcome.label))
    return f"The outcome was {name}, from {outcome.minimum:g} to {outcome.maximum:g} points{cited}{severity}."


def _estimand(choices: Choices) -> str:
    strategy, meaning = ESTIMAND_NAMES[choices.estimand].split(": ")
    return f"The estimand follows the strategy {strategy} [@iche9r1]: {meaning}."


def _course(choices: Choices) -> str:
    quartiles = QUARTILE_NAMES.get(choices.quartiles, f"{choices.quartiles}, as NumPy names it")
    return (
        f"Observed scores were summarised by median and quartiles, by {quartiles} [@hyndman1996]. Changes between "
        "visits were tested in the patients seen at both by the Wilcoxon signed-rank test [@wilcoxon1945], with its "
        "exact distribution for up to fifty pairs, and estimated by the Hodges-Lehmann shift with {level:%} confidence "
        "intervals [@hodges1963]."
    )


def _model(results: Results, about: About, choices: Choices, reasons: Mapping[str, str]) -> str:
    own = results.get("03_trajectory")
    if own is None:
        why = plain(reasons.get("03_trajectory", "it has no results").rstrip("."))
        return f"A mixed model for repeated measures was planned and gave no result ({why})."
    chosen = COVARIANCE_NAMES[choices.covariance]
    used = own.get("covariance", chosen)
    instead = f" in place of {chosen} covariance, which was not estimable" if used != chosen else ""
    covariates = [plain(name.replace("_", " ")) for name in choices.covariates]
    arms = ["arm", "their interaction"] if about.cohort.arms else []
    strata = [plain(name.replace("_", " ")) for name in choices.strata] if arms else []
    effects = joined(["visit (as a factor)", *arms, *dict.fromkeys([*covariates, *strata])])
    return (
        "The mean course was estimated by a mixed model for repeated measures [@mallinckrodt2008] of "
        f"{SCALE_NAMES[about.scale]}, with fixed effects of {effects}, and {plain(used)} covariance of the errors "
        f"within a patient [@jennrich1986]{instead}, fitted by restricted maximum likelihood [@patterson1971] with "
        f"{_df(choices.df)}{BACK[about.scale]}. All recorded scores that count under the estimand entered; missing "
        "scores were assumed to be missing at random [@kenward1998]."
    )


def _arms(results: Results, about: About, choices: Choices) -> str:
    timed = "07_treatment" in results
    return arm_methods(
        about, choices.baseline, choices.strata, covariance_by_arm=choices.covariance_by_arm, timed=timed
    )


def _df(name: str) -> str:
    return " ".join(filter(None, [DF_NAMES[name], DF_CITED.get(name, "")]))


def _response(results: Results, about: About, choices: Choices) -> str:
    own = results.get("04_response")
    if own is None:
        return ""
    marginal = (
        "; marginal probabilities of response were estimated by generalised estimating equations [@liang1986] with "
        "standard errors corrected for few patients [@mancl2001]"
    )
    rule = (
        "Proportions of responders are of the patients whose response was known."
        if about.missing == "observed"
        else f"Proportions of responders were also computed with {MISSING_NAMES[about.missing]}."
    )
    return (
        f"Response was {plain(about.label)}{_percentages(about)}, judged at the last visit on treatment in or after "
        f"week {{decision_week}}. Patients were classified as responders when the criterion was met at that visit, or "
        "had been met before and was not lost; as temporary responders when it had been met and was lost, that is, "
        f"when {LOSS_NAMES[choices.loss_rule]}; and as non-responders when it was never met or treatment was stopped "
        "for inefficacy. Patients who stopped for another reason before they could be judged, or were still in "
        "follow-up, were counted apart; in the classes a missing score was never taken as a non-response. Classes "
        "were also assigned under every other criterion, loss rule and estimand, one change at a time. "
        f"{rule} Proportions have {INTERVAL_NAMES[choices.interval]} {{level:%}} confidence intervals "
        f"{INTERVAL_CITED[choices.interval]}{marginal if any(name.startswith('marginal_') for name in own) else ''}."
    )


def _percentages(about: About) -> str:
    """What `EASI-50` in the criterion means."""
    named = dict.fromkeys(re.findall(r"\S+-(\d+)\b", about.label))
    shares = joined([f"{share}%" for share in named])
    return f" (an improvement by at least {shares} of the patient's own baseline)" if named else ""


def _missing(results: Results) -> str:
    if "08_sensitivity" not in results:
        return ""
    return (
        "In sensitivity analyses every estimand was combined with recorded scores only, non-responder imputation, last "
        "observation carried forward and multiple imputation ({imputations:d} imputations from the trajectory model, "
        "pooled by Rubin's rules [@rubin1987; @barnard1999], proportions by Wilson's interval for imputed data "
        "[@lott2020]). Scores imputed after stopping were then made worse by steps to find where the conclusion "
        "changes (tipping point)."
    )


def _latent(results: Results) -> str:
    if "n_tried" not in results.get("05_classes", {}):
        return ""
    return (
        "Latent courses were sought by growth mixture models [@muthen1999] with up to {n_tried:d} classes, by maximum "
        "likelihood from {n_starts:d} random starts each; the number of classes was chosen by BIC, and the fits are "
        "reported along the GRoLTS checklist [@vandeschoot2017]."
    )


def _other(results: Results, about: About) -> str:
    if "06_patient_reported" not in results:
        return ""
    names = [plain(about.cohort.instrument(name).label) for name in about.cohort.measured[1:]]
    cited = [OUTCOME_CITED[name].strip(" []") for name in about.cohort.measured[1:] if name in OUTCOME_CITED]
    sources = f" [{'; '.join(cited)}]" if cited else ""
    return (
        f"{capital(joined(names))} {'was' if len(names) == 1 else 'were'} analysed as the outcome was, and changes set "
        f"against published important changes{sources}. Composite targets were those of treat-to-target and others "
        "[@debruinweller2021]."
    )


def _treatment(results: Results) -> str:
    if "07_treatment" not in results:
        return ""
    rates = "; rates of adverse events have exact Poisson limits [@garwood1936]"
    return (
        "Time on treatment was described by the Kaplan-Meier estimate [@kaplan1958] and reasons for stopping by "
        "cumulative incidences, the other reasons competing [@aalen1978]"
        f"{rates if results['07_treatment'].get('n_events') else ''}."
    )


def _published(choices: Choices) -> str:
    if not choices.published:
        return ""
    return f"Published figures{SUMMARY_CITED.get(choices.published, '')} are set beside those computed here."


def _the_rest() -> str:
    programs = [
        f"{name} {{version_{name}}}" + (f" [@{SOFTWARE_CITED[name]}]" if name in SOFTWARE_CITED else "")
        for name in SOFTWARE
    ]
    return (
        "P values are two-sided and not adjusted for multiple testing; no test was declared confirmatory. Analyses "
        f"were done with {joined(programs)}; the seed of the random numbers was {{seed:d}}."
    )
