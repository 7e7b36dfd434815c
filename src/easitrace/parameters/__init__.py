"""The typed parameters of a report and the strict YAML file they are written in."""

from easitrace.parameters.model import Parameters
from easitrace.parameters.read import check_parameters, read_parameters

__all__ = ["Parameters", "check_parameters", "read_parameters"]
