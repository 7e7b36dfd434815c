"""The roles a column can play, by what they describe: a row, a visit, a patient, an adverse event."""

TIME_ROLES = ("visit", "week", "date", "day")
KEY_ROLES = ("patient", *TIME_ROLES)
EVENT_ROLES = ("event", "event_date", "event_day", "event_serious")
DATE_ROLES = ("date", "start_date", "stop_date", "rescue_date", "event_date")

REGIONS = ("head", "upper_limbs", "trunk", "lower_limbs")
SIGNS = ("erythema", "induration", "excoriation", "lichenification")
EASI_AREAS = tuple(f"easi_{region}_area" for region in REGIONS)
EASI_SIGNS = tuple(f"easi_{region}_{sign}" for region in REGIONS for sign in SIGNS)
EASI_PARTS = (*EASI_AREAS, *EASI_SIGNS)
SCORAD_PARTS = ("scorad_a", "scorad_b", "scorad_c")
PARTS = (*EASI_PARTS, *SCORAD_PARTS)
