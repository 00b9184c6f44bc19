"""Which web pages of other addresses may read the answers: none, unless the operator lists where they come from."""

import re
from functools import partial

from starlette.middleware.cors import CORSMiddleware

from forecasting.api.limits import KEY_HEADER
from forecasting.api.listing import NEXT, TOTAL
from forecasting.errors import UserError

ORIGINS_VARIABLE = "FORECASTING_CORS_ORIGINS"
ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?")
ANY = "*"

CrossOrigin = partial(
    CORSMiddleware,
    allow_methods=("GET", "POST"),
    allow_headers=("Content-Type", KEY_HEADER),
    expose_headers=(NEXT, TOTAL, "Retry-After"),
)


def origins(text: str) -> tuple[str, ...]:
    """Return the origins in a list with commas between them, as the environment variable has it.

    Raises
    ------
    UserError
        If one is none: a page's scheme and host, such as https://intranet.example.com, without a path.
    """
    found = tuple(origin.strip().lower() for origin in text.split(",") if origin.strip())
    for origin in found:
        if origin != ANY and not ORIGIN.fullmatch(origin):
            raise UserError(
                f"{ORIGINS_VARIABLE} has {origin[:100]!r}, which is not where a web page can come from. Write a scheme and a host without "
                "a path, such as https://intranet.example.com or http://localhost:3000, with commas between several, or * for any page."
            )
    return found
