"""Where the benchmark leaves its files, below the project's folder."""

from pathlib import Path

RESULTS = Path("runs") / "benchmark" / "results.csv"
REGRET = Path("runs") / "benchmark" / "regret.csv"  # of make benchmark-regret
PRETRAINED = Path("runs") / "benchmark" / "pretrained.csv"  # of make benchmark PRETRAINED=1
TRIAL = Path("runs") / "benchmark" / "trial.csv"  # of runs that see no test part
LOG = Path("docs") / "benchmark_log.csv"  # committed
PAGE = Path("docs") / "benchmark.md"  # whose tables a scoring writes
