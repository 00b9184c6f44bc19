"""The page on which a planner overrides a forecast: the form, what it would do, and the overrides in force."""

import streamlit as st

from forecasting.dashboard import overriding
from forecasting.dashboard.wording import plain
from forecasting.errors import UserError
from forecasting.planning import leave, tried, waiting
from forecasting.wording import count

workspace = st.session_state["workspace"]
domain = workspace.domain(st.session_state["domain"])
st.subheader("Override a forecast", anchor=False)
st.caption("It stands beside the model's forecast, never over it, and is scored when the month has come.")
cells = overriding.cells(workspace, domain)
if split := overriding.whole(cells["region"], cells["product_category"]):
    st.caption(split)
left, right = st.columns([1, 5])
look = left.button("Show what it does")
hand_in = right.button("Hand it in", icon=":material/check:")
if look or hand_in:
    try:
        found = overriding.before_and_after(changed := tried(workspace.data / "published.duckdb", cells))
        if hand_in:
            leave(workspace.data, cells)
            st.success("Handed in. It counts with the next `make override` or `make report` of this workspace.")
        st.caption(f"What it changes, {count(len(changed), 'row')}:")
        st.dataframe(found, hide_index=True)
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")

n = len(waiting(workspace.data))
if n:
    st.info(
        plain(f"{count(n, 'override waits', 'overrides wait')} to be taken in by `make override` or `make report`.")
    )
st.subheader("In force", anchor=False)
table = overriding.in_force(workspace.data, domain)
if table.empty:
    st.caption(f"Nobody overrides a forecast of {domain.name}.")
else:
    st.dataframe(table, hide_index=True)
    st.caption("Taken back with `make override-withdraw ID=…`, which is noted; nothing is deleted.")
