"""The display tables of the chapters: tidy results in, a great-tables table in journal style out."""

from easitrace.report.tables.cohort import characteristics_table as characteristics_table
from easitrace.report.tables.cohort import log_table as log_table
from easitrace.report.tables.cohort import missing_table as missing_table
from easitrace.report.tables.course import contrasts_table as contrasts_table
from easitrace.report.tables.course import course_table as course_table
from easitrace.report.tables.course import means_table as means_table
from easitrace.report.tables.course import paired_table as paired_table
from easitrace.report.tables.course import sensitivity_table as sensitivity_table
from easitrace.report.tables.journal import capital as capital
from easitrace.report.tables.journal import journal_table as journal_table
from easitrace.report.tables.response import class_table as class_table
from easitrace.report.tables.response import endpoint_table as endpoint_table
from easitrace.report.tables.response import reasons_table as reasons_table
from easitrace.report.tables.response import rules_table as rules_table
from easitrace.report.tables.summary import glance_table as glance_table
from easitrace.report.tables.summary import kenward_roger_table as kenward_roger_table
from easitrace.report.tables.summary import published_table as published_table
from easitrace.report.tables.summary import validation_table as validation_table
