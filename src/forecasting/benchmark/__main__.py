"""`python -m forecasting.benchmark`: what `make benchmark` calls. Exit codes as those of `python -m forecasting`."""

import argparse
import sys
from pathlib import Path

from forecasting.benchmark.run import options_of, run
from forecasting.errors import UserError
from forecasting.run import PRETRAINED, RESULTS, TRIAL

ROOT = Path(__file__).resolve().parents[3]


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark, print the table of results and return the exit code."""
    given = parser().parse_args(arguments)
    try:
        options = options_of(given.datasets, given.limit, given.inside, given.reference, given.pretrained, given.jobs)
        from forecasting.benchmark.competition import forecast_all

        table = run(ROOT, options, forecast_all)
    except UserError as error:
        print(f"\nError: {error}\n", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. Nothing of the unfinished set was written.", file=sys.stderr)
        return 130
    print(table.to_string(index=False))
    written = TRIAL if options.is_trial else PRETRAINED if options.pretrained else RESULTS
    print(f"The table is {written.as_posix()}")
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the command-line parser; every option is a text that may be empty, as make passes it on."""
    top = argparse.ArgumentParser(prog="python -m forecasting.benchmark", description=__doc__)
    top.add_argument("--datasets", default="", help="names of sets, with blanks between them")
    top.add_argument("--limit", default="", help="so many series, inside the training parts")
    top.add_argument("--inside", default="", help="1: inside the training parts")
    top.add_argument("--reference", default="", help="1: SCUM too")
    top.add_argument("--pretrained", default="", help="1: the networks by themselves")
    top.add_argument("--jobs", default="", help="processes side by side")
    return top


if __name__ == "__main__":
    sys.exit(main())
