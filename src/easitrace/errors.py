"""What can go wrong, said once: a problem names what is wrong, where, and what to do about it.

Codes are stable. E is an error (nothing is computed), W a warning (printed in the report),
F a repair (counted in the report's cleaning log). The table of codes is `CODES`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SHOWN_PROBLEMS = 50

CODES: dict[str, str] = {
    "E101": "parameter file cannot be read",
    "E102": "parameter file is not valid YAML",
    "E103": "unknown parameter",
    "E104": "parameter missing",
    "E105": "parameter has the wrong type or value",
    "E106": "parameters contradict each other",
    "E201": "data file cannot be read",
    "E202": "data file is empty or holds no data row",
    "E203": "data file is of another type than its ending says, or of one that is not read",
    "E204": "bytes that are not text in the declared encoding",
    "E205": "NUL character",
    "E206": "quotation mark inside a cell, or never closed",
    "E207": "not a number",
    "E208": "row with more or fewer fields than the header",
    "E209": "separator of the columns cannot be told",
    "E210": "column name blank or used twice",
    "E211": "mapped column is not in the file",
    "E212": "columns are mapped in a way that cannot be read",
    "E213": "patient identifier blank",
    "E214": "patient identifiers alike but for leading zeros or capitals",
    "E215": "several rows for one patient and visit",
    "E216": "visit is not in the schedule",
    "E217": "score outside the range of its instrument",
    "E218": "date not in the declared format",
    "E219": "date that does not exist or lies in the future",
    "E220": "visit not after the visits before it",
    "E221": "patient-level value differs between the rows of a patient",
    "E222": "value is not one of those allowed",
    "E223": "stop and status contradict each other, or stop before the start",
    "E224": "no patient has a baseline score",
    "E225": "data file changed while it was read",
    "E226": "visit, day or date blank where it is needed",
    "E227": "patient identifier turned into a power of ten by a spreadsheet",
    "E228": "patients without an arm",
    "E229": "column that does not divide the patients into arms",
    "E263": "not an ADaM basic data structure",
    "E264": "ADaM columns that contradict each other",
    "E265": "no row has a value that rows are selected by",
    "E270": "column that is in several files",
    "E271": "several rows for one patient where one is expected",
    "E272": "age missing where a score needs it",
    "E273": "adverse event without a name",
    "E274": "rescue medication before day 0",
    "E275": "date after the data cut",
    "E240": "web address in place of a file",
    "E241": "not a regular file",
    "E242": "file larger than its format may be",
    "E243": "workbook that unpacks to too much",
    "E244": "sheet whose cells stretch too far",
    "E245": "file protected by a password",
    "E246": "file that the reader of its format cannot read",
    "E247": "reading a file took too much time or memory, or crashed",
    "E248": "sheet not chosen, or not in the workbook",
    "E249": "merged cells",
    "E250": "formula without a stored result",
    "E251": "error value of a formula",
    "E252": "column of a type that holds no single values",
    "E253": "several datasets in one file",
    "E254": "too many columns",
    "E280": "published table is not valid",
    "E281": "published median or quartile that no scores can have",
    "E282": "published mean or SD that no scores can have",
    "E283": "published P value out of reach of its pairs",
    "E284": "published class or response counts that contradict the flow",
    "E285": "published percentage that does not fit its count",
    "E286": "published counts that do not add up",
    "E287": "published figure that the search did not meet",
    "E288": "invented column that cannot be drawn as declared",
    "E298": "paired test without a pair, or without a change",
    "E299": "argument of a paired test out of range",
    "F201": "byte order mark left out",
    "F202": "line ends made uniform",
    "F203": "missing line end of the last row added",
    "F204": "separator found in the header",
    "F205": "blanks round cells trimmed",
    "F206": "blank rows left out",
    "F207": "missing codes left empty",
    "F208": "rows without any score left out",
    "F220": "times of day left out of dates",
    "F221": "separator line of a spreadsheet obeyed",
    "F222": "single-precision numbers read as the shortest decimal",
    "F223": "rows above the column names left out",
    "W201": "scores off the grid of their instrument",
    "W202": "patients without a baseline score left out",
    "W203": "rows that gave way to another row of their visit",
    "W204": "rows on a day in no window left out",
    "W205": "labelled visits on a day outside their window",
    "W206": "patients with the best possible score at baseline",
    "W207": "column that looks like a visit outside the schedule",
    "W208": "stopped patients without a day or reason",
    "W209": "declared encoding looks wrong",
    "W211": "instrument without a column at a visit",
    "W212": "day 0 is the first date of each patient",
    "W213": "patients without a baseline date, whose days are unknown",
    "W223": "rows before the baseline window left out",
    "W224": "patients with rescue medication",
    "W225": "patients in one file and not in another",
    "W226": "recorded totals that differ from their parts",
    "W227": "scores whose parts are not all there",
    "W228": "adverse events of unknown patients left out",
    "W229": "adverse events of patients not analysed left out",
    "W230": "adverse events without a day",
    "W231": "rows that gave different scores to one visit",
    "W232": "rows that entered the mean of a visit",
    "W233": "unscheduled visits left out",
    "W236": "adverse events alike in everything",
    "W237": "adverse events of which none is counted as serious, as nothing tells",
    "W238": "adverse events before day 0 left out",
    "W234": "ADaM records left out by their flags",
    "W239": "ADaM cells that are no number and were not compared",
    "W235": "rows left out by a selection",
    "F227": "scores computed from their parts",
    "F229": "checkboxes of a patient taken together",
    "F230": "ADaM study days counted from 0",
    "F231": "column of row names not read",
    "W220": "hidden or filtered rows and columns, which are read too",
    "W221": "user-missing values of a date column, read as dates",
    "E301": "option of a model does not exist or does not apply",
    "E302": "formula cannot be read",
    "E303": "column of a model is not in the data",
    "E304": "level of a factor is unknown",
    "E305": "visits without an order",
    "E306": "no row has all variables of the model",
    "E307": "outcome not finite",
    "E308": "more than one row for a patient and visit",
    "E309": "covariance group changes within a patient",
    "E310": "sufficient statistics that do not belong together",
    "E311": "covariate changes within a patient",
    "E312": "not a factor, covariate, term or level of the model",
    "E313": "file does not hold sufficient statistics",
    "E314": "rows of a patient are not neighbours",
    "E320": "fewer than two visits",
    "E330": "prediction that the trajectory model cannot give",
    "E331": "scores that cannot be imputed",
    "E401": "a cell of a chapter failed",
    "E402": "a cell took longer than the time limit",
    "E403": "a chapter stopped before its last cell",
    "E404": "a chapter left no results",
    "E405": "a chapter refers to something the report does not have",
    "E406": "an equation cannot be set",
    "E407": "numbers of a report contradict each other",
    "E501": "counts that do not fit together cannot be shared",
    "E502": "a masked count could be recovered",
    "E503": "a table is not as the list of shareable tables describes it",
    "E504": "a patient identifier in a file",
    "E505": "identifiers cannot be read",
    "E506": "a file cannot be searched",
    "W501": "identifiers too short to be told from other numbers",
    "E601": "no chapters found",
    "E602": "a folder or file cannot be written",
    "E603": "another run writes the same report",
    "E604": "something that is not a report stands in its place",
    "E605": "the disk is full",
    "E606": "a file changed while the report was made",
    "E611": "the parent of the kernels ended",
    "E612": "a kernel ended",
    "E620": "no results of the other chapters",
    "E621": "folder that is no report",
    "E613": "a PDF or Word document cannot be made",
}


@dataclass(frozen=True)
class Problem:
    """One located problem: `E207 cohort.csv row 14, column easi: ... is not a number; set decimal: ","`."""

    code: str
    where: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{self.code} {self.where}: {self.what}{remedy}"


class EasitraceError(Exception):
    """Base of all errors of the package; `problems` holds every problem found, `exit_code` the command's status."""

    exit_code = 70

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        """Keep all problems; the message lists the first 50 and counts the rest."""
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__(listing(self.problems))


class ParameterError(EasitraceError):
    """The parameter file is wrong (exit code 2)."""

    exit_code = 2


class DataError(EasitraceError):
    """The data are wrong (exit code 3)."""

    exit_code = 3


class NotEstimableError(EasitraceError):
    """A model or a chapter cannot be computed from these data (exit code 4)."""

    exit_code = 4


class DisclosureError(EasitraceError):
    """Something would tell more about patients than it may (exit code 5)."""

    exit_code = 5


class MachineError(EasitraceError):
    """Disk, permission, kernel or a missing program (exit code 6)."""

    exit_code = 6


def listing(problems: Sequence[Problem]) -> str:
    """The problems one to a line, at most `SHOWN_PROBLEMS`, then how many more there are."""
    lines = [str(problem) for problem in problems[:SHOWN_PROBLEMS]]
    more = len(problems) - SHOWN_PROBLEMS
    return "\n".join([*lines, f"... and {more} more problems"] if more > 0 else lines)
