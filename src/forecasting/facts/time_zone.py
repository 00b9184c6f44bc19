"""Which time zones there are."""

from forecasting.errors import UserError
from forecasting.facts.tables import connect, nearest


def require_time_zone(name: str | None) -> None:
    """Raise a UserError if a time zone is not a place of the IANA list, or UTC."""
    if not name:
        return
    with connect() as connection:
        known = [zone for (zone,) in connection.execute("select name from pg_timezone_names()").fetchall()]
    known = [zone for zone in known if "/" in zone or zone == "UTC"]
    if name not in known:
        raise UserError(
            f"params: time_zone '{name}' is not a time zone such as Europe/Berlin or UTC.{nearest(name, known)}"
        )
