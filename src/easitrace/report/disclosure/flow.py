"""Tables of the flow: how many patients were read and analysed, and where each was at every visit."""

import pandas as pd

from easitrace.report.disclosure.registry import FLOW, READ

STATES = {"seen": "seen", "stopped": "stopped", "in follow-up": "in_follow_up", "missed": "missed"}


def flow_tables(flow: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The flow as shareable tables, by name.

    Parameters
    ----------
    flow : DataFrame
        `Cohort.flow`: columns `step`, `n`, `detail`, which is a visit's label for the states of patients.
    """
    steps = flow[flow["detail"].eq("")].set_index("step")["n"]
    read, analysed = steps["patients read"], steps["patients analysed"]
    patients = pd.DataFrame([{"read": read, "excluded": read - analysed, "analysed": analysed}])
    states = flow[flow["step"].isin(STATES) & flow["detail"].ne("")]
    visits = states.pivot(index="detail", columns="step", values="n").reindex(states["detail"].unique())
    return {READ: patients, FLOW: visits.rename(columns=STATES).rename_axis("visit").reset_index()}
