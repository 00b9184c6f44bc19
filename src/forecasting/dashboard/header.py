"""What stands above every page: the workspace, the domain that is looked at, and what it was published from."""

import streamlit as st

from forecasting.dashboard import editions
from forecasting.dashboard.source import Workspace
from forecasting.dashboard.wording import plain
from forecasting.ledger import Domain
from forecasting.models import model_name
from forecasting.wording import day, month

EVERY = "10s"  # how often an open page looks whether something was published


def header(workspace: Workspace, only: str | None = None) -> None:
    """Show the workspace and let a domain be chosen; the choice holds for every page but one that is about `only` one domain."""
    names = workspace.domains()
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    left.markdown(f"#### {plain(workspace.name)}")
    chosen = st.session_state.get("domain")
    st.session_state["domain"] = chosen if chosen in names else names[0]  # kept also where the control is not shown
    with right.container(horizontal=True, vertical_alignment="center"):
        if only not in names:
            st.segmented_control(
                "Domain", names, format_func=str.capitalize, key="domain", label_visibility="collapsed", required=True
            )
        if edition := editions.newest(workspace.data):
            label = f"Report of {day(edition)}"
            st.link_button(label, editions.address(edition), type="tertiary", icon=":material/article:")
    st.caption(plain(provenance(workspace.domain(only if only in names else st.session_state["domain"]))))


def provenance(domain: Domain) -> str:
    """Say what a domain's forecasts were made from, and by what."""
    parts = [
        f"{domain.title} in {domain.unit}" if domain.unit else domain.title,
        f"data up to {month(domain.manifest.cutoff)}",
    ]
    parts += [f"forecast by {model_name(domain.champion)}", f"run {domain.manifest.run_id}"]
    return " · ".join(parts)


@st.fragment(run_every=EVERY)
def watch(workspace: Workspace) -> None:
    """Show what is published anew on an open page too."""
    if Workspace.of(workspace.data).state != workspace.state:
        st.rerun()
