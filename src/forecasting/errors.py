"""The one exception that means «the user can mend this»: its text is shown without a traceback."""


class UserError(Exception):
    """Something the user can mend. The message names what was expected, what was found, where, and what to do."""
