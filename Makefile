# The front door. `make` alone prints what there is; every target sets up what it needs first.
# Settings: SOURCE (docs/sources.md lists them), FACTS (their folder or file), NAME (workspace), PROFILE (a file of params/), AS_OF (a day), RETRAIN=1;
# of make import: FILE, TABLE, YES; of make promote, make rollback and the stages of a month: DOMAIN, MODEL; of make accuracy: DOMAIN, RUN;
# of make publish: TARGET; of make override: FILE; of make override-withdraw: ID, WHO, WHY; of make backfill: FROM, TO, DOMAIN;
# of make benchmark: DATASETS, REFERENCE, INSIDE, LIMIT, PRETRAINED; of make pretrain: INSTALL; of make benchmark-regret: LIMIT.
# of make explain and make rerun: RUN, or DOMAIN, REGION, CATEGORY, MONTH, and JSON; of make backup and make restore: FILE.

.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# Settings count on make's command line only: NAME, for one, is a variable that some systems set for purposes of their own.
define from_command_line
ifneq ($$(origin $(1)),command line)
$(1) := $(2)
endif
endef
$(foreach setting,SOURCE FACTS PROFILE AS_OF FILE TABLE YES DOMAIN MODEL FROM TO RUN TARGET RETRAIN ID WHO WHY DATASETS REFERENCE INSIDE LIMIT PRETRAINED INSTALL HOST,$(eval $(call from_command_line,$(setting),)))
$(foreach setting,REGION CATEGORY MONTH JSON,$(eval $(call from_command_line,$(setting),)))
NAMED := $(if $(findstring command,$(origin NAME)),$(NAME))
$(eval $(call from_command_line,NAME,$$(or $$(SOURCE),sample)))
JOBS    ?= 2
PYTHON3 ?= python3

# where the packages are: in the environment of environment.yml where that is active, else in .venv. READY= and nothing is installed.
VENV  := $(if $(filter forecasting,$(CONDA_DEFAULT_ENV)),$(CONDA_PREFIX),.venv)
READY := $(VENV)/ready
READY_TEST := $(if $(READY),$(VENV)/ready-test)
READY_PRETRAIN := $(if $(READY),$(VENV)/ready-pretrain)

# Airflow has one of its own, in which nothing of ours is
AIRFLOW := .venv-airflow

PY  := $(VENV)/bin/python
FC  := $(PY) -m forecasting
# by the environment, so that blanks, quotes and other signs arrive as they were typed
export SOURCE FACTS NAME PROFILE AS_OF FILE TABLE YES DOMAIN MODEL FROM TO RUN TARGET RETRAIN ID WHO WHY DATASETS REFERENCE INSIDE LIMIT PRETRAINED INSTALL
export REGION CATEGORY MONTH JSON NAMED
ARGS = --name "$$NAME" --source "$$SOURCE" --facts "$$FACTS" --profile "$$PROFILE" --as-of "$$AS_OF"
SUB  = $(MAKE)
export PYTHONHASHSEED := 0
export PYTHONPATH := $(CURDIR)/src
export PATH := $(abspath $(VENV))/bin:$(PATH)
export MPLBACKEND := agg
export MLFLOW_DISABLE_TELEMETRY := true
export MLFLOW_SERVER_ENABLE_JOB_EXECUTION := false
# uv leaves compiling to the first import: where nothing may be kept of it, each of a run's processes would compile everything again
unexport PYTHONDONTWRITEBYTECODE

# a name that cannot be a folder is refused by the first command; until then it must not confuse Make
FOLDER := $(if $(filter 1,$(words $(NAME))),$(if $(findstring :,$(NAME))$(findstring %,$(NAME)),refused,$(NAME)),refused)
RUNS   := runs/$(FOLDER)
STAMPS := $(RUNS)/stamps

.PHONY: help report monthly monthly-run import data run backfill publish accuracy alerts export lab serve dashboard promote rollback override overrides override-withdraw test benchmark pretrain benchmark-regret benchmark-monitor companies endurance benchmark-operation benchmark-retraining benchmark-month benchmark-facts timing opening picture load postgres-speed benchmark-many-series benchmark-scale mlflow docs quarto lock airflow-lock airflow-test backfill-speed lint clean _run _pages
.PHONY: explain rerun backup restore cluster cluster-stop benchmark-engine benchmark-overhead

help:  ## this list
	@echo "Monthly forecasts of sales, inventory and profit. Targets:"
	@grep -hE '^[a-z_-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z_-]+):.*## /  make \1\t/' | expand -t 28
	@echo
	@echo "Your own data:  make report SOURCE=csv FACTS=path/to/folder NAME=acme"

# exec, here and below: who stops make stops the command itself, not a shell around it; a server then finishes what it has begun
report: $(READY)  ## facts → training sets → models → forecasts → runs/<name>/report/index.html
	@exec $(FC) alone $(ARGS) -- $(SUB) _report

monthly: $(READY)  ## the month's cycle: what came due is scored, models learn anew only where that is due; then forecasts and report
	@exec $(FC) alone $(ARGS) -- $(SUB) _monthly

monthly-run: $(READY)  ## the same up to the published forecasts, without the report
	@exec $(FC) alone $(ARGS) -- $(SUB) _monthly_run

import: $(READY)  ## FILE=… NAME=acme [TABLE=sales|inventory|expenses] [YES=1]: facts from any CSV, Excel or Parquet file
	@exec $(FC) import --name "$$NAME" --file="$$FILE" --table "$$TABLE" --yes "$$YES"

data: $(READY)  ## facts → training sets
	@exec $(FC) alone $(ARGS) -- $(FC) data $(ARGS)

run: $(READY)  ## everything up to the published forecasts, without the report
	@exec $(FC) alone $(ARGS) -- $(SUB) _run

publish: $(READY)  ## TARGET=postgres: bring the server that FORECASTING_PUBLISH_DSN names to the state of what is published
	@exec $(FC) publish-to --target="$$TARGET" $(ARGS)

accuracy: $(READY)  ## DOMAIN=sales [AS_OF=2025-03-31 | RUN=…]: the accuracy as it was published, whatever was restated since
	@exec $(FC) accuracy --domain="$$DOMAIN" --run-id="$$RUN" $(ARGS)

alerts: $(READY)  ## what the monitor says of every domain; fails where one needs new models or a person
	@exec $(FC) alerts $(ARGS)

export: $(READY)  ## every published table as Parquet and CSV, for Excel, Power BI, Tableau …: runs/<name>/bi/
	@exec $(FC) export $(ARGS)

lab: $(READY)  ## JupyterLab on the notebooks, after a run of the workspace
	-@$(SUB) run
	@exec $(FC) by-hand $(ARGS)
	@JUPYTER_PREFER_ENV_PATH=1 $(PY) -m jupyter lab --notebook-dir=. $(LAB)

promote: $(READY)  ## DOMAIN=sales [MODEL=linear]: put a model in force (else the challenger), until make rollback
	@exec $(FC) alone $(ARGS) -- $(FC) promote --domain="$$DOMAIN" --model="$$MODEL" $(ARGS)

rollback: $(READY)  ## DOMAIN=sales: take the last change of the champion back, a person's or the gate's
	@exec $(FC) alone $(ARGS) -- $(FC) rollback --domain="$$DOMAIN" $(ARGS)

override: $(READY)  ## [FILE=changes.csv or the report's forecasts.xlsx]: what planners want instead of a forecast (docs/overrides.md)
	@exec $(FC) alone $(ARGS) -- $(FC) override --file="$$FILE" $(ARGS)

overrides: $(READY)  ## the overrides in force, and what they do
	@exec $(FC) overrides $(ARGS)

override-withdraw: $(READY)  ## ID=… [WHO=… WHY=…]: take an override back
	@exec $(FC) alone $(ARGS) -- $(FC) override-withdraw --id="$$ID" --who="$$WHO" --why="$$WHY" $(ARGS)

backfill: $(READY)  ## FROM=2023-01 TO=2023-12 [DOMAIN=sales]: what would have been published at those months' ends, for the accuracy page
	@exec $(FC) alone $(ARGS) -- $(SUB) _backfill

serve: $(READY)  ## forecasts by HTTP, on http://127.0.0.1:8000 (HOST=, PORT=; the key of FORECASTING_API_KEY, if set)
	@exec $(PY) -m forecasting.api --data "data/$(FOLDER)" --host "$(or $(HOST),127.0.0.1)" --port "$(or $(PORT),8000)"

dashboard: $(READY)  ## forecasts, accuracy and a form for your own series, on http://127.0.0.1:8501 (HOST=, PORT=)
	@exec $(PY) -m forecasting.dashboard --data "data/$(FOLDER)" --host "$(or $(HOST),127.0.0.1)" --port "$(or $(PORT),8501)"

mlflow: $(READY)  ## MLflow's pages on the workspace's runs and models, on http://127.0.0.1:5000 (HOST=, PORT=)
	@test -f data/$(FOLDER)/mlflow.db || { echo "There is no MLflow store in data/$(FOLDER) yet: make report makes it." >&2; exit 2; }
	@$(FC) follow $(ARGS)
	@exec $(PY) -m mlflow ui --backend-store-uri "sqlite:///data/$(FOLDER)/mlflow.db" \
	  --host "$(or $(HOST),127.0.0.1)" --port "$(or $(PORT),5000)" --workers 1

explain: $(READY)  ## RUN=sales-2025-06-01-… (or DOMAIN=sales [REGION=… CATEGORY=… MONTH=2025-07]): where a number comes from (JSON=1)
	@exec $(FC) explain --run-id="$$RUN" --domain="$$DOMAIN" --region="$$REGION" --category="$$CATEGORY" --month="$$MONTH" \
	  --json="$$JSON" $(ARGS)

rerun: $(READY)  ## RUN=sales-2025-06-01-…: makes a published run again, beside it, and compares bit for bit (JSON=1)
	@exec $(FC) rerun --run-id="$$RUN" --json="$$JSON" $(ARGS)

backup: $(READY)  ## NAME=acme [FILE=….tar.gz]: the workspace in one file, also while it is in use (backups/)
	@exec $(FC) backup --file="$$FILE" $(ARGS)

restore: $(READY)  ## FILE=….tar.gz [NAME=acme]: a workspace out of a backup, never over one that is there
	@exec $(FC) restore --file="$$FILE" --name "$$NAMED"

docs: $(READY)  ## the dbt documentation, from raw fact to report page
	@exec $(FC) alone $(ARGS) -- $(SUB) _docs

test: $(READY_TEST)  ## all tests
	@$(PY) -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder $(TESTS)

benchmark: $(READY)  ## accuracy on M3 and tourism, to runs/benchmark/results.csv (REFERENCE=1: SCUM beside it; PRETRAINED=1: the networks by themselves)
	@$(PY) -m forecasting.benchmark --datasets "$$DATASETS" --reference "$$REFERENCE" --inside "$$INSIDE" --limit "$$LIMIT" \
	  --pretrained "$$PRETRAINED" --jobs "$(JOBS)"

pretrain: $(READY_PRETRAIN)  ## trains the network that comes with the project anew, 90 minutes in as many sittings as you like (INSTALL=1)
	@$(PY) -m forecasting.pretraining train --install "$$INSTALL"

benchmark-monitor: $(READY)  ## how often the monitor alarms without cause and how soon with one, to runs/benchmark/monitor.csv (SEEDS=)
	@$(PY) tests/measure_monitor.py runs/benchmark/monitor.csv --seeds "$(or $(SEEDS),200-219)"

benchmark-regret: $(READY)  ## what choosing a model loses, on competition sets and companies, to runs/benchmark/regret.csv (LIMIT=, SETS=)
	@$(PY) tests/measure_regret.py runs/benchmark/regret.csv --limit "$(or $(LIMIT),100)" --jobs "$(JOBS)" $(SETS)

companies: $(READY)  ## how much better the champion is on real companies' data, to runs/benchmark/companies.csv
	@$(PY) tests/measure_companies.py runs/benchmark/companies.csv $(COMPANIES)

endurance: $(READY)  ## make report killed at 60 moments: what one more run makes of it, to runs/benchmark/endurance.csv (MOMENTS=60)
	@$(PY) tests/endurance.py runs/benchmark/endurance.csv --moments "$(or $(MOMENTS),60)"

benchmark-operation: $(READY)  ## 24 months of make monthly, undisturbed and killed at 20 moments, to runs/benchmark/operation.csv (MONTHS=, KILLS=)
	@$(PY) tests/replay.py runs/benchmark/operation.csv --months "$(or $(MONTHS),24)" --kills "$(or $(KILLS),20)"

backfill-speed: $(READY)  ## make backfill beside the same months one by one: seconds and differences, to runs/benchmark/backfill.csv
	@$(PY) tests/measure_backfill.py runs/benchmark/backfill.csv --months "$(or $(MONTHS),12)"

benchmark-retraining: $(READY)  ## 24 months of NAME retrained every month, every 3, every 6 and on alarm, to runs/benchmark/retraining.csv
	@$(PY) tests/measure_retraining.py runs/benchmark/retraining.csv --name "$(FOLDER)" --domains "$(or $(DOMAIN),sales)"

benchmark-facts: $(READY)  ## what 100 million made order lines cost from files to training sets, to runs/benchmark/facts.csv (ROWS=)
	@$(PY) tests/measure_facts.py runs/benchmark/facts.csv --rows "$(or $(ROWS),100000000)"

timing: $(READY)  ## how long the main job takes on this machine, to runs/benchmark/main_job.csv
	@$(PY) tests/time_main_job.py runs/benchmark/main_job.csv

benchmark-month: $(READY)  ## what a month costs whose models are kept, beside one that trains, to runs/benchmark/month.csv
	@$(PY) tests/time_month.py runs/benchmark/month.csv

benchmark-many-series: $(READY_TEST)  ## report, API and dashboard with very many series, to runs/benchmark/many_series.csv (SERIES=1000,100000)
	@$(PY) tests/measure_many_series.py runs/benchmark/many_series.csv --series "$(SERIES)"

benchmark-scale: $(READY_TEST)  ## a whole make report PROFILE=large by the number of series, to runs/benchmark/scale.csv (SERIES=1000,100000 NEXT_MONTH=1)
	@$(PY) tests/measure_scale.py runs/benchmark/scale.csv --series "$(SERIES)" $(if $(NEXT_MONTH),--next-month)

opening: $(READY_TEST)  ## how long the report's pages take to open, and how large they are (needs Chromium)
	@$(PY) tests/measure_report.py "$(RUNS)/report"

picture: $(READY_TEST)  ## the README's pictures, of NAME's report and dashboard: docs/report.png, phone.png, dashboard.png (needs Chromium)
	@$(PY) tests/picture.py "$(RUNS)/report" "data/$(FOLDER)" docs

load: $(READY)  ## how many callers the API stands, with each family and NAME's champions, to runs/benchmark/api.csv
	@$(PY) tests/measure_api.py runs/benchmark/api.csv "data/$(FOLDER)"

postgres-speed: $(READY_TEST)  ## how fast SOURCE=postgres reads 5 million order lines, beside COPY … TO of the same (LINES=; starts a server)
	@$(PY) tests/measure_postgres.py runs/benchmark/postgres.csv --lines "$(or $(LINES),5000000)"

cluster: $(READY)  ## a Ray cluster of two nodes with one core each on this machine, to try engine: ray (docs/cluster.md)
	@$(PY) tests/local_cluster.py start

cluster-stop: $(READY)  ## end it
	@$(PY) tests/local_cluster.py stop

benchmark-engine: $(READY)  ## many series here, in two processes and on two nodes: seconds and same bits, to runs/benchmark/engine.csv (SERIES=)
	@$(PY) tests/measure_engine.py runs/benchmark/engine.csv --series "$(or $(SERIES),1000)"

benchmark-overhead: $(READY)  ## each model's step beside the library calls that it is made of, to runs/benchmark/overhead.csv (SERIES=)
	@$(PY) tests/measure_overhead.py runs/benchmark/overhead.csv --series "$(or $(SERIES),1000)"

quarto: $(READY)  ## add Quarto to .venv, where its download is reachable; the report needs it not
	@$(PY) -m pip install --quiet --disable-pip-version-check quarto-cli \
	  || { echo "Quarto could not be downloaded here; reports are rendered by nbconvert, with the same content." >&2; exit 2; }

lint: $(READY_TEST)  ## style of the Python code and the notebooks, and which room imports which
	@$(PY) -m ruff check . && $(PY) -m ruff format --check src tests environment.py && $(VENV)/bin/lint-imports

lock: $(READY)  ## pin the packages of pyproject.toml again, for every platform
	@$(PY) environment.py lock

airflow-lock: $(READY)  ## pin the packages of Airflow again, which has an environment of its own
	@$(PY) environment.py lock-airflow

airflow-test: $(READY_TEST) $(AIRFLOW)/ready  ## the DAG of deploy/airflow by Airflow's real scheduler: the same forecasts as make monthly
	@$(PY) tests/airflow_run.py $(abspath $(AIRFLOW))/bin

clean:  ## remove what can be rebuilt (runs/); data/ with the published forecasts stays
	@rm -rf runs

# --- the environment: only what the locks say, and only again when they change ------------------------------------------------

$(VENV)/ready: requirements.lock pyproject.toml environment.py
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; say which with PYTHON3=…" >&2; exit 2; }
	@$(PY) -m pip --version >/dev/null 2>&1 || { echo "environment  creating $(VENV)"; $(PYTHON3) -m venv $(VENV); }
	@$(PY) environment.py
	@touch $@

$(VENV)/ready-pretrain: requirements-pretrain.lock $(VENV)/ready
	@$(PY) environment.py pretrain
	@touch $@

$(VENV)/ready-test: requirements-test.lock $(VENV)/ready
	@$(PY) environment.py test
	@touch $@

$(AIRFLOW)/ready: deploy/airflow/requirements.lock environment.py
	@$(AIRFLOW)/bin/python -m pip --version >/dev/null 2>&1 || { echo "environment  creating $(AIRFLOW)"; $(PYTHON3) -m venv $(AIRFLOW); }
	@$(AIRFLOW)/bin/python environment.py airflow
	@touch $@

# --- the flow ----------------------------------------------------------------------------------------------------------------
# `data` writes plan.mk (which domains, which model families, which pages) and the stamps; the rules below follow from them.

.PHONY: _report _decided _monthly _monthly_run _watched _docs _all_pages _all_published
_report:
	@exec $(FC) data --steps-follow --retrain="$$RETRAIN" $(ARGS)
	@$(call announced,_pages)
	@$(SUB) -j$(JOBS) _pages

_decided:
	@exec $(FC) data --steps-follow --watch $(ARGS)
	@$(SUB) -j$(JOBS) _watched
	@exec $(FC) plan-month --retrain="$$RETRAIN" $(ARGS)

# Months in which nobody ran the cycle are filled in once the newest one is published, so that its forecasts come first.
_monthly: _decided
	@$(call announced,_pages)
	@$(SUB) -j$(JOBS) _published
	@exec $(FC) fill-late $(ARGS)
	@$(SUB) -j$(JOBS) _pages

_monthly_run: _decided
	@$(call announced,_published)
	@$(SUB) -j$(JOBS) _published
	@exec $(FC) fill-late $(ARGS)

_run:
	@exec $(FC) data --steps-follow --retrain="$$RETRAIN" $(ARGS)
	@$(call announced,_published)
	@$(SUB) -j$(JOBS) _published

# What is to be done, by a dry run: the run's folder is where `progress` reads it.
announced = test -z "$$FORECASTING_RUN" || $(SUB) --dry-run _all$(1) $(1) > "$$FORECASTING_RUN/plan"

.PHONY: _backfill
_backfill:
	@exec $(FC) data $(ARGS)
	@exec $(FC) backfill --from="$$FROM" --to="$$TO" --domain="$$DOMAIN" $(ARGS)

_docs:
	@exec $(FC) data $(ARGS)
	@exec $(FC) docs $(ARGS)
	@echo "$(RUNS)/dbt/static_index.html"

-include $(RUNS)/plan.mk

PUBLISHED := data/$(FOLDER)/published.duckdb
# what planners have left in the dashboard, and what they changed since: `make override` keeps the published file's time
LEFT    := $(wildcard data/$(FOLDER)/overrides/inbox/*.json)
CHANGED := $(wildcard data/$(FOLDER)/overrides/changed.json)

# Where one domain was published by itself (make cycle-persist), the file is newer than another's forecast that is still to be published:
# so each domain that was forecast anew leaves a mark until it is published.
UNPUBLISHED = $(wildcard $(foreach domain,$(DOMAINS),$(RUNS)/$(domain)/unpublished))

.PHONY: _published again
_published: $(PUBLISHED)
	@:
_watched: $(foreach domain,$(DOMAINS),$(RUNS)/$(domain)/50_monitor.ipynb)
	@:
_pages: $(RUNS)/report/index.html
	@$(if $(PUBLISH_TO),exec $(FC) publish-to --target=$(PUBLISH_TO) $(ARGS),:)

# How many steps there are in all, and where the report will be: the head of what `announced` writes
trains = $(if $(filter $(1),$(KEPT)),20_keep_models,$(foreach family,$(FAMILIES),20_train_$(family)))
steps = $(call trains,$(1)) 10_check_data 50_monitor 25_combine 30_evaluate 40_forecast
_all_published:
	@: of $(words $(foreach domain,$(DOMAINS),$(call steps,$(domain))) publish)
_all_pages:
	@: of $(words $(foreach domain,$(DOMAINS),$(call steps,$(domain))) publish $(PAGES) render $(PUBLISH_TO)) $(RUNS)/report/index.html

# Ctrl-C must not take away what the last good run left
.PRECIOUS: $(PUBLISHED) $(RUNS)/report/index.html

# The facts of each domain, then one notebook after another. A domain is `%`.
define domain_rules
$(RUNS)/$(1)/10_check_data.ipynb: $(RUNS)/$(1)/train_$(1).parquet $(RUNS)/$(1)/facts.json $(STAMPS)/$(1)-10_check_data.stamp
	@touch $(RUNS)/$(1)/unpublished
	@exec $$(FC) step $(1) 10_check_data $$(ARGS)

# 10 leaves the cutoffs, and their file alone where they are the same: then nothing is trained anew, whatever else 10 found. The plus
# has Make look at the file's time again also where it only says what it would do.
$(RUNS)/$(1)/cutoffs.parquet: $(RUNS)/$(1)/10_check_data.ipynb
	+@:

# What came due of the forecasts published for earlier months; `data` writes it, and leaves it alone where it is the same.
$(RUNS)/$(1)/50_monitor.ipynb: $(RUNS)/$(1)/10_check_data.ipynb $(foreach file,due.parquet known.parquet quiet.parquet before.json,$(RUNS)/$(1)/$(file)) \
    $(STAMPS)/$(1)-50_monitor.stamp
	@touch $(RUNS)/$(1)/unpublished
	@exec $$(FC) step $(1) 50_monitor $$(ARGS)

$(foreach family,$(FAMILIES),$(RUNS)/$(1)/20_train_$(family).ipynb): $(RUNS)/$(1)/20_train_%.ipynb: \
    $(RUNS)/$(1)/train_$(1).parquet $(RUNS)/$(1)/cutoffs.parquet $(STAMPS)/$(1)-20_train_%.stamp
	@exec $$(FC) step $(1) 20_train_$$* $$(ARGS)

$(RUNS)/$(1)/20_keep_models.ipynb: $(RUNS)/$(1)/train_$(1).parquet $(RUNS)/$(1)/cutoffs.parquet $(STAMPS)/$(1)-20_keep_models.stamp
	@exec $$(FC) step $(1) 20_keep_models $$(ARGS)

$(RUNS)/$(1)/25_combine.ipynb: $(foreach step,$(call trains,$(1)),$(RUNS)/$(1)/$(step).ipynb) $(STAMPS)/$(1)-25_combine.stamp
	@exec $$(FC) step $(1) 25_combine $$(ARGS)

$(RUNS)/$(1)/30_evaluate.ipynb: $(RUNS)/$(1)/25_combine.ipynb $(RUNS)/$(1)/incumbent.json $(STAMPS)/$(1)-30_evaluate.stamp
	@exec $$(FC) step $(1) 30_evaluate $$(ARGS)

$(RUNS)/$(1)/40_forecast.ipynb: $(RUNS)/$(1)/30_evaluate.ipynb $(RUNS)/$(1)/known_before.json $(STAMPS)/$(1)-40_forecast.stamp
	@touch $(RUNS)/$(1)/unpublished
	@exec $$(FC) step $(1) 40_forecast $$(ARGS)
endef
$(foreach domain,$(DOMAINS),$(eval $(call domain_rules,$(domain))))

$(PUBLISHED): $(foreach domain,$(DOMAINS),$(foreach step,10_check_data 50_monitor 40_forecast,$(RUNS)/$(domain)/$(step).ipynb)) \
              $(STAMPS)/data.stamp $(STAMPS)/publish.stamp $(LEFT) $(if $(UNPUBLISHED),again)
	@exec $(FC) publish $(ARGS)
	@rm -f $(foreach domain,$(DOMAINS),$(RUNS)/$(domain)/unpublished)

$(foreach page,$(PAGES),$(RUNS)/pages/$(page).ipynb): $(RUNS)/pages/%.ipynb: $(PUBLISHED) $(CHANGED) $(STAMPS)/page-%.stamp
	@exec $(FC) page $* $(ARGS)

$(RUNS)/report/index.html: $(foreach page,$(PAGES),$(RUNS)/pages/$(page).ipynb) $(PUBLISHED) $(CHANGED) $(STAMPS)/render.stamp
	@exec $(FC) render $(ARGS)

# --- the stages of make monthly one by one: what a scheduler calls (deploy/airflow/, docs/schedule.md) ------------------------------
# Each has the workspace for itself only while it runs, and does only what is not done yet. Those of a domain want DOMAIN=…

OF_DOMAIN := check train log predict persist
.PHONY: cycle-data cycle-decide cycle-report $(foreach stage,$(OF_DOMAIN),cycle-$(stage) _$(stage)) _undecided

cycle-data: $(READY)  ## and cycle-check, …: the stages of make monthly one by one, for schedulers: docs/schedule.md
	@exec $(FC) alone $(ARGS) -- $(FC) data --steps-follow --watch $(ARGS)

cycle-decide: $(READY)
	@exec $(FC) alone $(ARGS) -- $(FC) plan-month --retrain="$$RETRAIN" $(ARGS)

.PHONY: _late_pages
_late_pages:
	@exec $(FC) fill-late $(ARGS)
	@$(SUB) -j$(JOBS) _pages

cycle-report: $(READY)
	@exec $(FC) alone $(ARGS) -- $(SUB) $(if $(PAGES),_late_pages,_undecided)

$(OF_DOMAIN:%=cycle-%): cycle-%: $(READY)
	@exec $(FC) alone $(ARGS) -- $(SUB) -j$(JOBS) _$*

ifeq ($(filter $(DOMAIN),$(DOMAINS)),)
$(OF_DOMAIN:%=_%):
	@exec $(FC) not-here --domain="$$DOMAIN" $(ARGS)
else
_check: $(RUNS)/$(DOMAIN)/50_monitor.ipynb
_train: $(if $(PAGES),$(RUNS)/$(DOMAIN)/25_combine.ipynb,_undecided)
_log: $(if $(PAGES),$(RUNS)/$(DOMAIN)/30_evaluate.ipynb,_undecided)
_predict: $(if $(PAGES),$(RUNS)/$(DOMAIN)/40_forecast.ipynb,_undecided)
_check _train _log _predict:
	@:
_persist: _predict _check
	@exec $(FC) publish --domain="$$DOMAIN" $(ARGS)
	@rm -f $(RUNS)/$(DOMAIN)/unpublished
endif

# cycle-data leaves a plan without pages
_undecided:
	@echo "Whether models learn anew is not decided yet: run make cycle-check for every domain, then make cycle-decide." >&2; exit 2
