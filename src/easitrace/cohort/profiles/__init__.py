"""Exports of REDCap, Castor and ADaM: what each system writes that no other does, turned into a plain table."""

from easitrace.cohort.profiles.adam import ADAM
from easitrace.cohort.profiles.castor import CASTOR
from easitrace.cohort.profiles.profile import Profile
from easitrace.cohort.profiles.redcap import REDCAP

PROFILES: dict[str, Profile] = {"redcap": REDCAP, "castor": CASTOR, "adam": ADAM}
