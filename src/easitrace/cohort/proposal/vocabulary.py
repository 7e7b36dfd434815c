"""The words that exports use, in English, Dutch and German, and what they mean here. Words are compared as `plain`."""

import re
import unicodedata

ROLES: dict[str, tuple[str, ...]] = {
    "patient": (
        *("patient", "patient id", "patientid", "patient no", "patient nr", "patientnr", "patientnummer", "pat id"),
        *("subject", "subject id", "subjid", "usubjid", "participant", "participant id", "participant no", "id"),
        *("record id", "recordid", "study id", "studyid", "studienummer", "deelnemer", "deelnemer id", "pid", "patnr"),
        *("patienten id", "patientennummer", "probanden id", "proband", "teilnehmer", "case", "case id"),
    ),
    "visit": (
        *("visit", "visit name", "visit label", "avisit", "event", "event name", "redcap event name", "timepoint"),
        *(
            "report name custom",
            "time point",
            "moment",
            "meetmoment",
            "bezoek",
            "visite",
            "consult",
            "zeitpunkt",
            "besuch",
            "messzeitpunkt",
        ),
    ),
    "week": ("week", "weeks", "wk", "week number", "weeknummer", "weken", "woche", "wochen", "avisitn"),
    "date": (
        *("date", "visit date", "date of visit", "visitdate", "datum", "bezoekdatum", "visitedatum", "datum bezoek"),
        *("consultdatum", "besuchsdatum", "visitendatum", "datum der visite", "adt", "assessment date", "meetdatum"),
    ),
    "day": ("day", "days", "study day", "dag", "dagen", "tag", "studientag", "ady", "day since start"),
    "age": ("age", "age years", "leeftijd", "alter", "age at baseline", "age at start", "leeftijd bij start"),
    "sex": ("sex", "gender", "geslacht", "geslacht m v", "geschlecht", "sex m f", "geslacht v m"),
    "start_date": (
        *("start date", "startdate", "date of start", "start treatment", "treatment start", "date start treatment"),
        *(
            "startdatum",
            "start datum",
            "start therapie",
            "startdatum behandeling",
            "therapiestart",
            "behandlungsbeginn",
        ),
        *("beginn", "datum start", "trtsdt", "startdat", "startdt"),
    ),
    "stop_date": (
        *("stop date", "stopdate", "date of stop", "end date", "enddate", "discontinuation date", "date stopped"),
        *(
            "stopdatum",
            "einddatum",
            "datum stop",
            "therapieende",
            "behandlungsende",
            "abbruchdatum",
            "enddatum",
            "stopdat",
            "stopdt",
        ),
    ),
    "stop_day": ("stop day", "stopday", "day of stop", "stopdag", "abbruchtag"),
    "stop_reason": (
        *("stop reason", "stopreason", "reason", "reason for stopping", "reason stop", "discontinuation reason"),
        *(
            "reason for discontinuation",
            "stopreden",
            "reden stop",
            "reden",
            "reden staken",
            "stoprsn",
            "abbruchgrund",
            "grund",
        ),
    ),
    "status": ("status", "patient status", "treatment status", "participant state", "behandelstatus", "therapiestatus"),
    "rescue_date": ("rescue date", "date of rescue", "date rescue medication"),
    "rescue_day": ("rescue day", "day of rescue"),
}
INSTRUMENTS: dict[str, tuple[str, ...]] = {
    "easi": (
        "easi",
        "easi total",
        "easi score",
        "easi totaal",
        "easi totaalscore",
        "easi gesamt",
        "total easi",
        "easitot",
    ),
    "scorad": ("scorad", "scorad total", "scorad totaal", "scorad gesamt"),
    "oscorad": ("oscorad", "objective scorad", "o scorad", "objectieve scorad"),
    "poem": ("poem", "poem total", "poem score", "poem totaal", "poem gesamt"),
    "dlqi": ("dlqi", "dlqi total", "dlqi score", "dlqi totaal", "dlqi gesamt"),
    "itch_nrs": (
        *("itch nrs", "nrs itch", "pruritus nrs", "nrs pruritus", "peak pruritus nrs", "pp nrs", "ppnrs", "itchnrs"),
        *("jeuk nrs", "nrs jeuk", "jeuk", "juckreiz nrs", "nrs juckreiz", "juckreiz", "itch", "peak itch nrs"),
    ),
    "viga_ad": ("viga ad", "viga", "vigaad"),
    "iga": ("iga", "iga score"),
    "adct": ("adct", "adct total", "adct score", "adct totaal"),
    "recap": ("recap", "recap total", "recap score", "recap totaal"),
    "patient_global": ("patient global", "pgad", "patient global assessment", "pga patient"),
}
TELLING = {"start_date": ("start", "beginn", "begin"), "stop_date": ("stop", "end", "einde", "ende", "abbruch")}
VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "sex": {
        "female": ("f", "v", "w", "female", "vrouw", "frau", "weiblich", "woman"),
        "male": ("m", "male", "man", "mann", "mannlich"),
    },
    "stop_reason": {
        "inefficacy": (
            *("inefficacy", "ineffective", "ineffectiveness", "lack of efficacy", "lack of effect", "no effect"),
            *("onvoldoende effect", "ineffectief", "ineffectiviteit", "geen effect", "unwirksam", "wirkungslosigkeit"),
            *("fehlende wirkung", "unzureichende wirkung", "insufficient effect"),
        ),
        "side effects": (
            *("side effects", "side effect", "adverse event", "adverse events", "adverse effect", "intolerance"),
            *("bijwerking", "bijwerkingen", "nebenwirkung", "nebenwirkungen", "unvertraglichkeit"),
        ),
        "inefficacy and side effects": ("inefficacy and side effects", "both", "beide"),
        "other": ("other", "anders", "overig", "sonstiges", "andere"),
    },
    "status": {
        "completed": ("completed", "complete", "afgerond", "voltooid", "abgeschlossen", "beendet", "finished"),
        "stopped": ("stopped", "discontinued", "gestopt", "gestaakt", "abgebrochen", "withdrawn"),
        "in follow-up": (
            "in follow up",
            "ongoing",
            "active",
            "loopt nog",
            "lopend",
            "actief",
            "laufend",
            "on treatment",
        ),
    },
}
BASELINE = (
    "baseline",
    "basline",
    "bl",
    "start",
    "screening baseline",
    "ausgangswert",
    "inclusion",
    "inclusie",
    "t0",
    "v0",
)
WEEK = r"(?:week|weeks|weken|wk|w|woche|wochen|wo|wch)"
MONTH = r"(?:month|months|maand|maanden|mnd|monat|monate|mo|m)"
MISSING = (
    "na",
    "n a",
    "nd",
    "n d",
    "nan",
    "null",
    "none",
    "missing",
    "unknown",
    "onbekend",
    "unbekannt",
    "ontbreekt",
    "fehlt",
)
SENTINELS = (-1.0, -9.0, -99.0, -999.0, 9.0, 99.0, 999.0, 9999.0)


def plain(text: str) -> str:
    """Lower-case letters and digits, without accents, separated by single blanks."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", " ", bare.replace("ß", "ss")).strip()


def meaning_of(word: str, meanings: dict[str, tuple[str, ...]]) -> str | None:
    """What a word stands for, None when the vocabulary does not have it."""
    wanted = plain(word)
    return next((meaning for meaning, words in meanings.items() if wanted in words), None)
