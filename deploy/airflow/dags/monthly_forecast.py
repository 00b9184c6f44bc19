"""The monthly cycle as Airflow runs it: `make monthly` cut into its stages, one task per Make target. No logic of ours is here.

data → check (each domain) → decide → train → log → predict → persist (each domain) → report → alerts

* Each stage holds the workspace while it runs and refuses a second one. So every task takes the one slot of the pool `forecasting`;
  inside a task Make works side by side (JOBS).
* Each stage may be stopped or killed at any moment and run again, and does only what is not done yet: tasks are simply retried.
* The logical date says what is known: the facts up to the last day of the month before it. A run by hand may name another day.
* Late is no harm: the next run fills the months in between, as `make monthly` does. So Airflow itself catches up nothing.
* `alerts` is red where a domain needs new models or a person. All is published by then, so the run itself does not fail by it.

How it is set up: docs/schedule.md, «Airflow».
"""

import os
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, CronTriggerTimetable, Param, TaskGroup

DOMAINS = ("sales", "inventory", "profit")  # one that the workspace has no facts of has nothing to do
PROJECT = Path(__file__).resolve().parents[3]
SCHEDULE = os.environ.get("FORECASTING_SCHEDULE") or "0 6 5 * *"
TIME_ZONE = os.environ.get("FORECASTING_TIME_ZONE") or "UTC"


def month_end(run) -> str:
    """Return the last day of the month before a run's logical date, YYYY-MM-DD; a run by hand may have none: before its beginning."""
    moment = (run.logical_date or run.run_after).astimezone(ZoneInfo(TIME_ZONE))
    return str(moment.date().replace(day=1) - timedelta(days=1))


def make(task: str, target: str, hours: int = 1, **more) -> BashOperator:
    """Return the task that runs one target of the Makefile. The settings come by the environment: no sign in them is a command."""
    command = f'exec make {target} NAME="$NAME" AS_OF="$AS_OF" RETRAIN="$RETRAIN"'
    return BashOperator(task_id=task, bash_command=command, execution_timeout=timedelta(hours=hours), **more)


with DAG(
    dag_id="monthly_forecast",
    description="New facts → checked, watched, trained where that is due, forecast, published, reported",
    doc_md=__doc__,
    tags=["forecasting"],
    schedule=CronTriggerTimetable(SCHEDULE, timezone=TIME_ZONE),
    catchup=False,
    max_active_runs=1,
    user_defined_macros={"month_end": month_end},
    params={
        "name": Param(
            None,
            type=["null", "string"],
            pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$",
            description="The workspace; empty: the one that the Variable forecasting_name names, else sample",
        ),
        "as_of": Param(
            None,
            type=["null", "string"],
            pattern=r"^\d{4}-\d{2}-\d{2}$",
            description="YYYY-MM-DD: use only what was known then; empty: the end of the month before the logical date",
        ),
        "retrain": Param(False, type="boolean", description="Train everything, whether or not that is due"),
    },
    default_args={
        "pool": "forecasting",
        "retries": 2,
        "cwd": f"{{{{ var.value.get('forecasting_home', '{PROJECT}') }}}}",
        "append_env": True,
        "env": {
            "NAME": "{{ params.name or var.value.get('forecasting_name', 'sample') }}",
            "AS_OF": "{{ params.as_of or month_end(dag_run) }}",
            "RETRAIN": "{{ '1' if params.retrain else '' }}",
        },
    },
):
    data = make("data", "cycle-data", hours=3)
    decide = make("decide", "cycle-decide")
    report = make("report", "cycle-report")
    for domain in DOMAINS:
        data >> make(f"check_{domain}", f"cycle-check DOMAIN={domain}") >> decide
        with TaskGroup(domain):
            train = make("train", f"cycle-train DOMAIN={domain}", hours=6)
            log = make("log", f"cycle-log DOMAIN={domain}")
            predict = make("predict", f"cycle-predict DOMAIN={domain}")
            persist = make("persist", f"cycle-persist DOMAIN={domain}")
            decide >> train >> log >> predict >> persist >> report
    # a teardown in Airflow's terms: its failure is its own, not the run's
    report >> make("alerts", "alerts", retries=0).as_teardown()
