"""Which names the service answers by. A page of a stranger, opened in a browser on this machine, can make its own name lead here; the
browser then sends that name as Host, and reads what comes back as the stranger's."""

import ipaddress
import re
from collections.abc import Sequence
from functools import lru_cache

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from forecasting.api.errors import problem

HOSTS_VARIABLE = "FORECASTING_ALLOWED_HOSTS"
HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?", re.IGNORECASE)
ANY = "*"


def listed(text: str) -> tuple[str, ...]:
    """Return the names in a list with commas between them, as the environment variable has it."""
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())


class AllowedHosts:
    """Lets through requests whose Host is an address, a name without a dot (localhost, a container's) or one of those listed.

    Nobody can own a name without a dot or an address, so no stranger's page can be there. In the list `*.example.com` stands for every
    name that ends so, `*` for any.
    """

    def __init__(self, app: ASGIApp, names: Sequence[str] = ()) -> None:
        self.app, self.names = app, names
        self._allows = lru_cache(maxsize=256)(self.allows)  # most callers say the same

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 400 to all others."""
        if scope["type"] == "http":
            given = Headers(scope=scope).getlist("host")
            if len(given) != 1 or not self._allows(given[0]):
                host = given[0][:100] if given else ""
                refusal = problem(
                    400,
                    f"This service does not answer by the name {host!r}. Ask it by its address or as localhost, or have its operator add "
                    f"the name to {HOSTS_VARIABLE}.",
                )
                await refusal(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def allows(self, host: str) -> bool:
        """Say whether a Host header is one to answer."""
        if ANY in self.names:
            return True
        match = HOST.fullmatch(host)
        if match is None:
            return False
        name = (match[1] or match[2]).lower().removesuffix(".")
        if match[1] or is_address(name):
            return is_address(name)
        own = bool(name) and ("." not in name or name.endswith(".localhost"))
        return own or any(name == each or (each.startswith("*.") and name.endswith(each[1:])) for each in self.names)


def is_address(name: str) -> bool:
    """Say whether a name is an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
