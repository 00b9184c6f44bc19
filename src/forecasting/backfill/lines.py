"""Lines of progress: which domain, what was done, and how long it took."""

from forecasting.run import progress

WORTH_A_LINE = 0.5  # seconds


def say(domain: str, what: str, seconds: float | None = None) -> None:
    """Print a line of progress; a step that was done before, which takes no time, is not worth one."""
    if seconds is None or seconds >= WORTH_A_LINE:
        progress.show(f"{domain:<11}{what:<28}" + (f"{seconds:6.1f} s" if seconds is not None else "  written"))
