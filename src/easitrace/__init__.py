"""From a spreadsheet of eczema scores to a publishable report.

The public names load on first use, so that a chapter pays only for what it calls.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from easitrace.cohort.cohort import Cohort as Cohort
    from easitrace.cohort.read import read_cohort as read_cohort
    from easitrace.models.class_fit import ClassFit as ClassFit
    from easitrace.models.classes import fit_classes as fit_classes
    from easitrace.models.emmeans import back_transform as back_transform
    from easitrace.models.emmeans import contrasts as contrasts
    from easitrace.models.emmeans import emmeans as emmeans
    from easitrace.models.emmeans import joint_test as joint_test
    from easitrace.models.fit import Fit as Fit
    from easitrace.models.influence import influence as influence
    from easitrace.models.mmrm import fit_mmrm as fit_mmrm
    from easitrace.models.moments import collect as collect
    from easitrace.models.random_effects import fit_random_effects as fit_random_effects
    from easitrace.models.replicates import refit as refit
    from easitrace.models.trajectories import predict_patients as predict_patients
    from easitrace.response.classify import classify as classify

_HOMES = {
    "ClassFit": "easitrace.models.class_fit",
    "Cohort": "easitrace.cohort.cohort",
    "Fit": "easitrace.models.fit",
    "back_transform": "easitrace.models.emmeans",
    "classify": "easitrace.response.classify",
    "collect": "easitrace.models.moments",
    "contrasts": "easitrace.models.emmeans",
    "emmeans": "easitrace.models.emmeans",
    "fit_classes": "easitrace.models.classes",
    "fit_mmrm": "easitrace.models.mmrm",
    "fit_random_effects": "easitrace.models.random_effects",
    "influence": "easitrace.models.influence",
    "joint_test": "easitrace.models.emmeans",
    "predict_patients": "easitrace.models.trajectories",
    "read_cohort": "easitrace.cohort.read",
    "refit": "easitrace.models.replicates",
}
__all__ = list(_HOMES)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'easitrace' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
