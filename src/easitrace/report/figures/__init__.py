"""The figures of the chapters: each one function of tidy data, in one style, readable in grey."""

from easitrace.report.figures.cohort import attendance_bars as attendance_bars
from easitrace.report.figures.cohort import flow_diagram as flow_diagram
from easitrace.report.figures.course import change_forest as change_forest
from easitrace.report.figures.course import estimated_means as estimated_means
from easitrace.report.figures.course import residual_panel as residual_panel
from easitrace.report.figures.course import sensitivity_forest as sensitivity_forest
from easitrace.report.figures.course import spaghetti as spaghetti
from easitrace.report.figures.response import class_courses as class_courses
from easitrace.report.figures.response import responder_shares as responder_shares
