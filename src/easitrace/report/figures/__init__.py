"""The figures of the chapters: each one function of tidy data, in one style, readable in grey."""

from easitrace.report.figures.arms import arm_courses as arm_courses
from easitrace.report.figures.classes import latent_courses as latent_courses
from easitrace.report.figures.cohort import attendance_bars as attendance_bars
from easitrace.report.figures.cohort import flow_diagram as flow_diagram
from easitrace.report.figures.course import change_forest as change_forest
from easitrace.report.figures.course import estimated_means as estimated_means
from easitrace.report.figures.course import residual_panel as residual_panel
from easitrace.report.figures.course import sensitivity_forest as sensitivity_forest
from easitrace.report.figures.course import spaghetti as spaghetti
from easitrace.report.figures.patient_reported import MOST_COMBINATIONS as MOST_COMBINATIONS
from easitrace.report.figures.patient_reported import components_together as components_together
from easitrace.report.figures.patient_reported import important_changes as important_changes
from easitrace.report.figures.patient_reported import instrument_courses as instrument_courses
from easitrace.report.figures.prediction import calibration_panel as calibration_panel
from easitrace.report.figures.prediction import class_bars as class_bars
from easitrace.report.figures.prediction import prediction_chart as prediction_chart
from easitrace.report.figures.prediction import state_flow as state_flow
from easitrace.report.figures.published import course_in_context as course_in_context
from easitrace.report.figures.published import shares_in_context as shares_in_context
from easitrace.report.figures.response import class_courses as class_courses
from easitrace.report.figures.response import responder_shares as responder_shares
from easitrace.report.figures.sensitivity import estimands_forest as estimands_forest
from easitrace.report.figures.sensitivity import tipping_curve as tipping_curve
from easitrace.report.figures.treatment import drug_survival as drug_survival
from easitrace.report.figures.treatment import stopping_incidence as stopping_incidence
from easitrace.report.figures.treatment import swimmer_plot as swimmer_plot
