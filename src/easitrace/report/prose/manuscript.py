"""The paragraphs of results of a manuscript."""

from typing import Any

from easitrace.report.prose.arm_results import arm_difference, arm_responders
from easitrace.report.prose.results import (
    About,
    Results,
    Sentence,
    classes,
    followed,
    latent,
    medians,
    modelled,
    other_measures,
    paired,
    responders,
    treatment,
)

PARAGRAPHS = (
    (followed,),
    (medians, paired),
    (modelled, arm_difference),
    (responders, arm_responders, classes, latent),
    (other_measures, treatment),
)


def results_paragraphs(results: Results, about: About) -> Sentence:
    """The paragraphs as a template for `Chapter.say`, and the numbers they name; `level` is given by the chapter."""
    texts: list[str] = []
    numbers: dict[str, Any] = {}
    for parts in PARAGRAPHS:
        sentences = [part(results, about) for part in parts]
        texts.append(" ".join(_closed(template) for template, _ in sentences if template))
        numbers |= {name: value for _, own in sentences for name, value in own.items()}
    return "\n\n".join(filter(None, texts)), numbers


def _closed(sentence: str) -> str:
    """An answer of the first page as a sentence."""
    return sentence if sentence.endswith(".") else f"{sentence}."
