# The front door. `make` alone prints what there is; every target sets up what it needs first.
# Settings: SOURCE (docs/sources.md lists them), FACTS (their folder or file), NAME (workspace), PROFILE (a file of params/);
# of make import: FILE, TABLE, YES; of make promote and make rollback: DOMAIN, MODEL; of make publish: TARGET;
# of make benchmark: DATASETS, REFERENCE, INSIDE, LIMIT.

.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# Settings count on make's command line only: NAME, for one, is a variable that some systems set for purposes of their own.
define from_command_line
ifneq ($$(origin $(1)),command line)
$(1) := $(2)
endif
endef
$(foreach setting,SOURCE FACTS PROFILE FILE TABLE YES DOMAIN MODEL TARGET DATASETS REFERENCE INSIDE LIMIT HOST,$(eval $(call from_command_line,$(setting),)))
$(eval $(call from_command_line,NAME,$$(or $$(SOURCE),sample)))
JOBS    ?= 2
PYTHON3 ?= python3

# where the packages are: in the environment of environment.yml where that is active, else in .venv. READY= and nothing is installed.
VENV  := $(if $(filter forecasting,$(CONDA_DEFAULT_ENV)),$(CONDA_PREFIX),.venv)
READY := $(VENV)/ready
READY_TEST := $(if $(READY),$(VENV)/ready-test)

PY  := $(VENV)/bin/python
FC  := $(PY) -m forecasting
# by the environment, so that blanks, quotes and other signs arrive as they were typed
export SOURCE FACTS NAME PROFILE FILE TABLE YES DOMAIN MODEL TARGET DATASETS REFERENCE INSIDE LIMIT
ARGS = --name "$$NAME" --source "$$SOURCE" --facts "$$FACTS" --profile "$$PROFILE"
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

.PHONY: help report import data run publish alerts export lab serve dashboard promote rollback test benchmark benchmark-monitor companies endurance timing opening load postgres-speed mlflow docs quarto lock lint clean _run _pages

help:  ## this list
	@echo "Monthly forecasts of sales, inventory and profit. Targets:"
	@grep -hE '^[a-z_-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z_-]+):.*## /  make \1\t/' | expand -t 28
	@echo
	@echo "Your own data:  make report SOURCE=csv FACTS=path/to/folder NAME=acme"

# exec, here and below: who stops make stops the command itself, not a shell around it; a server then finishes what it has begun
report: $(READY)  ## facts → training sets → models → forecasts → runs/<name>/report/index.html
	@exec $(FC) alone $(ARGS) -- $(SUB) _report

import: $(READY)  ## FILE=… NAME=acme [TABLE=sales|inventory|expenses] [YES=1]: facts from any CSV, Excel or Parquet file
	@exec $(FC) import --name "$$NAME" --file="$$FILE" --table "$$TABLE" --yes "$$YES"

data: $(READY)  ## facts → training sets
	@exec $(FC) alone $(ARGS) -- $(FC) data $(ARGS)

run: $(READY)  ## everything up to the published forecasts, without the report
	@exec $(FC) alone $(ARGS) -- $(SUB) _run

publish: $(READY)  ## TARGET=postgres: bring the server that FORECASTING_PUBLISH_DSN names to the state of what is published
	@exec $(FC) publish-to --target="$$TARGET" $(ARGS)

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

serve: $(READY)  ## forecasts by HTTP, on http://127.0.0.1:8000 (HOST=, PORT=; the key of FORECASTING_API_KEY, if set)
	@exec $(PY) -m forecasting.api --data "data/$(FOLDER)" --host "$(or $(HOST),127.0.0.1)" --port "$(or $(PORT),8000)"

dashboard: $(READY)  ## forecasts, accuracy and a form for your own series, on http://127.0.0.1:8501 (HOST=, PORT=)
	@exec $(PY) -m forecasting.dashboard --data "data/$(FOLDER)" --host "$(or $(HOST),127.0.0.1)" --port "$(or $(PORT),8501)"

mlflow: $(READY)  ## MLflow's pages on the workspace's runs and models, on http://127.0.0.1:5000 (HOST=, PORT=)
	@test -f data/$(FOLDER)/mlflow.db || { echo "There is no MLflow store in data/$(FOLDER) yet: make report makes it." >&2; exit 2; }
	@exec $(PY) -m mlflow ui --backend-store-uri "sqlite:///data/$(FOLDER)/mlflow.db" \
	  --host "$(or $(HOST),127.0.0.1)" --port "$(or $(PORT),5000)" --workers 1

docs: $(READY)  ## the dbt documentation, from raw fact to report page
	@exec $(FC) alone $(ARGS) -- $(SUB) _docs

test: $(READY_TEST)  ## all tests
	@$(PY) -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder $(TESTS)

benchmark: $(READY)  ## accuracy on M3 and tourism, to runs/benchmark/results.csv (REFERENCE=1: SCUM beside it)
	@$(PY) -m forecasting.benchmark --datasets "$$DATASETS" --reference "$$REFERENCE" --inside "$$INSIDE" --limit "$$LIMIT" \
	  --jobs "$(JOBS)"

benchmark-monitor: $(READY)  ## how often the monitor alarms without cause and how soon with one, to runs/benchmark/monitor.csv (SEEDS=)
	@$(PY) tests/measure_monitor.py runs/benchmark/monitor.csv --seeds "$(or $(SEEDS),100-119)"

companies: $(READY)  ## how much better the champion is on real companies' data, to runs/benchmark/companies.csv
	@$(PY) tests/measure_companies.py runs/benchmark/companies.csv $(COMPANIES)

endurance: $(READY)  ## make report killed at 60 moments: what one more run makes of it, to runs/benchmark/endurance.csv (MOMENTS=60)
	@$(PY) tests/endurance.py runs/benchmark/endurance.csv --moments "$(or $(MOMENTS),60)"

timing: $(READY)  ## how long the main job takes on this machine, to runs/benchmark/main_job.csv
	@$(PY) tests/time_main_job.py runs/benchmark/main_job.csv

opening: $(READY_TEST)  ## how long the report's pages take to open, and how large they are (needs Chromium)
	@$(PY) tests/measure_report.py "$(RUNS)/report"

load: $(READY)  ## how many callers the API stands, with each family and NAME's champions, to runs/benchmark/api.csv
	@$(PY) tests/measure_api.py runs/benchmark/api.csv "data/$(FOLDER)"

postgres-speed: $(READY_TEST)  ## how fast SOURCE=postgres reads 5 million order lines, beside COPY … TO of the same (LINES=; starts a server)
	@$(PY) tests/measure_postgres.py runs/benchmark/postgres.csv --lines "$(or $(LINES),5000000)"

quarto: $(READY)  ## add Quarto to .venv, where its download is reachable; the report needs it not
	@$(PY) -m pip install --quiet --disable-pip-version-check quarto-cli \
	  || { echo "Quarto could not be downloaded here; reports are rendered by nbconvert, with the same content." >&2; exit 2; }

lint: $(READY_TEST)  ## style of the Python code and the notebooks, and which room imports which
	@$(PY) -m ruff check . && $(PY) -m ruff format --check src tests environment.py && $(VENV)/bin/lint-imports

lock: $(READY)  ## pin the packages of pyproject.toml again, for every platform
	@$(PY) environment.py lock

clean:  ## remove what can be rebuilt (runs/); data/ with the published forecasts stays
	@rm -rf runs

# --- the environment: only what the locks say, and only again when they change ------------------------------------------------

$(VENV)/ready: requirements.lock pyproject.toml environment.py
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; say which with PYTHON3=…" >&2; exit 2; }
	@$(PY) -m pip --version >/dev/null 2>&1 || { echo "environment  creating $(VENV)"; $(PYTHON3) -m venv $(VENV); }
	@$(PY) environment.py
	@touch $@

$(VENV)/ready-test: requirements-test.lock $(VENV)/ready
	@$(PY) environment.py test
	@touch $@

# --- the flow ----------------------------------------------------------------------------------------------------------------
# `data` writes plan.mk (which domains, which model families, which pages) and the stamps; the rules below follow from them.

.PHONY: _report _docs _all_pages _all_published
_report:
	@exec $(FC) data --steps-follow $(ARGS)
	@$(call announced,_pages)
	@$(SUB) -j$(JOBS) _pages

_run:
	@exec $(FC) data --steps-follow $(ARGS)
	@$(call announced,_published)
	@$(SUB) -j$(JOBS) _published

# What is to be done, by a dry run: the run's folder is where `progress` reads it.
announced = test -z "$$FORECASTING_RUN" || $(SUB) --dry-run _all$(1) $(1) > "$$FORECASTING_RUN/plan"

_docs:
	@exec $(FC) data $(ARGS)
	@exec $(FC) docs $(ARGS)
	@echo "$(RUNS)/dbt/static_index.html"

-include $(RUNS)/plan.mk

PUBLISHED := data/$(FOLDER)/published.duckdb

.PHONY: _published
_published: $(PUBLISHED)
	@:
_pages: $(RUNS)/report/index.html
	@$(if $(PUBLISH_TO),exec $(FC) publish-to --target=$(PUBLISH_TO) $(ARGS),:)

# How many steps there are in all, and where the report will be: the head of what `announced` writes
STEPS := $(foreach family,$(FAMILIES),20_train_$(family)) 10_check_data 50_monitor 25_combine 30_evaluate 40_forecast
_all_published:
	@: of $(words $(foreach domain,$(DOMAINS),$(STEPS)) publish)
_all_pages:
	@: of $(words $(foreach domain,$(DOMAINS),$(STEPS)) publish $(PAGES) render $(PUBLISH_TO)) $(RUNS)/report/index.html

# Ctrl-C must not take away what the last good run left
.PRECIOUS: $(PUBLISHED) $(RUNS)/report/index.html

# The facts of each domain, then one notebook after another. A domain is `%`.
define domain_rules
$(RUNS)/$(1)/10_check_data.ipynb: $(RUNS)/$(1)/train_$(1).parquet $(RUNS)/$(1)/facts.json $(STAMPS)/$(1)-10_check_data.stamp
	@exec $$(FC) step $(1) 10_check_data $$(ARGS)

# 10 leaves the cutoffs, and their file alone where they are the same: then nothing is trained anew, whatever else 10 found. The plus
# has Make look at the file's time again also where it only says what it would do.
$(RUNS)/$(1)/cutoffs.parquet: $(RUNS)/$(1)/10_check_data.ipynb
	+@:

# What came due of the forecasts published for earlier months; `data` writes it, and leaves it alone where it is the same.
$(RUNS)/$(1)/50_monitor.ipynb: $(RUNS)/$(1)/10_check_data.ipynb $(foreach file,due.parquet known.parquet quiet.parquet before.json,$(RUNS)/$(1)/$(file)) \
    $(STAMPS)/$(1)-50_monitor.stamp
	@exec $$(FC) step $(1) 50_monitor $$(ARGS)

$(foreach family,$(FAMILIES),$(RUNS)/$(1)/20_train_$(family).ipynb): $(RUNS)/$(1)/20_train_%.ipynb: \
    $(RUNS)/$(1)/train_$(1).parquet $(RUNS)/$(1)/cutoffs.parquet $(STAMPS)/$(1)-20_train_%.stamp
	@exec $$(FC) step $(1) 20_train_$$* $$(ARGS)

$(RUNS)/$(1)/25_combine.ipynb: $(foreach family,$(FAMILIES),$(RUNS)/$(1)/20_train_$(family).ipynb) $(STAMPS)/$(1)-25_combine.stamp
	@exec $$(FC) step $(1) 25_combine $$(ARGS)

$(RUNS)/$(1)/30_evaluate.ipynb: $(RUNS)/$(1)/25_combine.ipynb $(RUNS)/$(1)/incumbent.json $(STAMPS)/$(1)-30_evaluate.stamp
	@exec $$(FC) step $(1) 30_evaluate $$(ARGS)

$(RUNS)/$(1)/40_forecast.ipynb: $(RUNS)/$(1)/30_evaluate.ipynb $(STAMPS)/$(1)-40_forecast.stamp
	@exec $$(FC) step $(1) 40_forecast $$(ARGS)
endef
$(foreach domain,$(DOMAINS),$(eval $(call domain_rules,$(domain))))

$(PUBLISHED): $(foreach domain,$(DOMAINS),$(foreach step,10_check_data 50_monitor 40_forecast,$(RUNS)/$(domain)/$(step).ipynb)) \
              $(STAMPS)/data.stamp $(STAMPS)/publish.stamp
	@exec $(FC) publish $(ARGS)

$(foreach page,$(PAGES),$(RUNS)/pages/$(page).ipynb): $(RUNS)/pages/%.ipynb: $(PUBLISHED) $(STAMPS)/page-%.stamp
	@exec $(FC) page $* $(ARGS)

$(RUNS)/report/index.html: $(foreach page,$(PAGES),$(RUNS)/pages/$(page).ipynb) $(PUBLISHED) $(STAMPS)/render.stamp
	@exec $(FC) render $(ARGS)
