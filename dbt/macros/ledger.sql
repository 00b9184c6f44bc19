{#- The ledger: what was forecast, backtested and known, and by which run. Rows are only ever added, by `publish`;
    dbt creates the tables before anything else is built, so that every view over them exists from the first run.

    ledger_migrations() lists the statements of each version of the schema. A version that a warehouse has not seen is
    applied once, in one transaction with the note that it was; an applied version is never edited, a change of the
    ledger is a new version at the end of the list. -#}

{% macro create_ledger() %}
  {% if execute %}
    {% do run_query('create table if not exists ledger_schema (version integer primary key, description varchar not null)') %}
    {% set applied = run_query('select version from ledger_schema').columns[0].values() | map('int') | list %}
    {% for migration in ledger_migrations() if migration.version not in applied %}
      {% do run_query("begin transaction; " ~ migration.statements ~ "; insert into ledger_schema values ("
                      ~ migration.version ~ ", '" ~ migration.description ~ "'); commit") %}
    {% endfor %}
  {% endif %}
{% endmacro %}

{% macro ledger_migrations() %}
  {{ return([
    {'version': 1, 'description': 'runs, publications, forecasts, backtests and actuals', 'statements': ledger_version_1()},
    {'version': 2, 'description': 'what each run restated', 'statements': ledger_version_2()},
    {'version': 3, 'description': 'what the monitor said of each run', 'statements': ledger_version_3()},
    {'version': 4, 'description': 'what people override', 'statements': ledger_version_4()},
    {'version': 5, 'description': 'what each run knew, and the forecasts without what it restated', 'statements': ledger_version_5()},
    {'version': 6, 'description': 'sums on levels that a company names', 'statements': ledger_version_6()},
  ]) }}
{% endmacro %}

{% macro ledger_version_1() %}
  {% set series %}
    domain varchar not null check (domain in ('sales', 'inventory', 'profit')),
    aggregation varchar not null check (aggregation in ('series', 'region', 'category', 'total')),
    unique_id varchar not null,
    region varchar not null,
    product_category varchar not null,
    cutoff date not null,
    horizon integer not null check (horizon >= 1),
    ds date not null
  {% endset %}

  create table runs (
    run_id varchar primary key,
    domain varchar not null check (domain in ('sales', 'inventory', 'profit')),
    cutoff date not null,
    champion varchar not null,
    manifest varchar not null,
    published_at timestamp not null
  );

  create table publications (
    domain varchar not null check (domain in ('sales', 'inventory', 'profit')),
    run_id varchar not null,
    published_at timestamp not null,
    primary key (domain, published_at)
  );

  create table forecasts (
    run_id varchar not null,
    {{ series }},
    model_name varchar not null,
    model_version varchar,
    predicted_value double not null,
    lo_80 double,
    hi_80 double,
    lo_95 double,
    hi_95 double,
    scale double,
    interval_pool varchar,
    interval_n integer,
    status varchar not null check (status in ('published', 'baseline', 'backfill', 'override')),
    is_fallback boolean not null,
    prediction_time timestamp not null,
    check (ds = cast(cutoff + to_months(horizon) as date)),
    primary key (run_id, aggregation, unique_id, model_name, horizon, status)
  );

  create table backtests (
    run_id varchar not null,
    {{ series }},
    model_name varchar not null,
    evaluation_set varchar not null check (evaluation_set in ('calibration', 'choice', 'held_out', 'recent')),
    scale double,
    {% for quantile in ['025', '100', '200', '300', '400', '500', '600', '700', '800', '900', '975'] -%}
      q{{ quantile }} double,
    {% endfor -%}
    interval_pool varchar,
    interval_n integer,
    is_fallback boolean not null,
    check (ds = cast(cutoff + to_months(horizon) as date)),
    primary key (run_id, aggregation, unique_id, model_name, cutoff, horizon)
  );

  create table actuals (
    domain varchar not null check (domain in ('sales', 'inventory', 'profit')),
    unique_id varchar not null,
    ds date not null,
    y double not null,
    as_of date not null,
    primary key (domain, unique_id, ds, as_of)
  )
{% endmacro %}

{% macro ledger_version_2() %}
  create table restatements (
    run_id varchar not null,
    domain varchar not null check (domain in ('sales', 'inventory', 'profit')),
    unique_id varchar not null,
    region varchar not null,
    product_category varchar not null,
    ds date not null,
    y_before double not null,
    y double not null,
    primary key (run_id, unique_id, ds)
  )
{% endmacro %}

{% macro ledger_version_3() %}
  create table verdicts (
    run_id varchar not null,
    domain varchar not null check (domain in ('sales', 'inventory', 'profit')),
    cutoff date not null,
    verdict varchar not null check (verdict in ('ok', 'watch', 'recalibrate', 'retrain', 'ask a person')),
    reasons varchar not null,
    measures varchar not null,
    limits varchar not null,
    judged_at timestamp not null,
    primary key (run_id, judged_at)
  )
{% endmacro %}

{#- What people want instead of a forecast, never over it: who, why, from which month until which. One that is taken back has a row of its
    own that names it (withdraws); nothing is changed. What they make of a run's forecast stands apart from it, a revision for each time
    that it came to something else; the last one counts. -#}
{% macro ledger_version_4() %}
  create table overrides (
    override_id integer primary key,
    domain varchar not null check (domain in ('sales', 'inventory', 'profit')),
    aggregation varchar not null check (aggregation in ('series', 'region', 'category', 'total')),
    unique_id varchar not null,
    region varchar not null,
    product_category varchar not null,
    first_month date,
    until date not null,
    kind varchar not null check (kind in ('value', 'percent', 'withdrawal')),
    amount double,
    who varchar not null,
    why varchar not null,
    made_at timestamp not null,
    based_on varchar not null,
    source varchar not null,
    withdraws integer,
    check ((kind = 'withdrawal') = (withdraws is not null)),
    check ((kind = 'withdrawal') = (amount is null))
  );

  create table override_revisions (
    run_id varchar not null,
    domain varchar not null check (domain in ('sales', 'inventory', 'profit')),
    revision integer not null check (revision >= 1),
    applied varchar not null,
    not_applied varchar not null,
    made_at timestamp not null,
    primary key (run_id, revision)
  );

  create table overridden_forecasts (
    run_id varchar not null,
    revision integer not null check (revision >= 1),
    domain varchar not null check (domain in ('sales', 'inventory', 'profit')),
    aggregation varchar not null check (aggregation in ('series', 'region', 'category', 'total')),
    unique_id varchar not null,
    region varchar not null,
    product_category varchar not null,
    cutoff date not null,
    horizon integer not null check (horizon >= 1),
    ds date not null,
    model_name varchar not null,
    predicted_value double not null,
    lo_80 double,
    hi_80 double,
    lo_95 double,
    hi_95 double,
    own_override integer,
    override_ids varchar not null,
    overridden_by varchar not null,
    override_reason varchar not null,
    made_at timestamp not null,
    check (ds = cast(cutoff + to_months(horizon) as date)),
    primary key (run_id, revision, aggregation, unique_id, horizon)
  )
{% endmacro %}

{#- training_changes: a run's training set is the last row of each series and month up to it, in the order of runs.published_at;
    y is null where the month is no longer there. -#}
{% macro ledger_version_5() %}
  create table training_changes (
    run_id varchar not null,
    domain varchar not null check (domain in ('sales', 'inventory', 'profit')),
    unique_id varchar not null,
    ds date not null,
    y double,
    region varchar not null,
    product_category varchar not null,
    is_imputed boolean not null,
    primary key (run_id, unique_id, ds)
  );

  create table restated_forecasts (
    run_id varchar not null,
    domain varchar not null check (domain in ('sales', 'inventory', 'profit')),
    aggregation varchar not null check (aggregation in ('series', 'region', 'category', 'total')),
    unique_id varchar not null,
    region varchar not null,
    product_category varchar not null,
    cutoff date not null,
    horizon integer not null check (horizon >= 1),
    ds date not null,
    predicted_value double not null,
    known_by varchar not null,
    check (ds = cast(cutoff + to_months(horizon) as date)),
    primary key (run_id, aggregation, unique_id, horizon)
  )
{% endmacro %}

{#- An aggregation may be called as `levels` in params/ calls it. DuckDB takes no check from a table: each is made anew, with its rows. -#}
{% macro ledger_version_6() %}
  {% set node %}
    aggregation varchar not null,
    unique_id varchar not null,
    region varchar not null,
    product_category varchar not null
  {% endset %}
  {% set domain %}domain varchar not null check (domain in ('sales', 'inventory', 'profit')){% endset %}
  {% set month %}
    cutoff date not null,
    horizon integer not null check (horizon >= 1),
    ds date not null
  {% endset %}
  {% set bounds %}
    predicted_value double not null,
    lo_80 double,
    hi_80 double,
    lo_95 double,
    hi_95 double
  {% endset %}
  {% set tables = ['forecasts', 'backtests', 'overrides', 'overridden_forecasts', 'restated_forecasts'] %}

  {% for table in tables -%}
    alter table {{ table }} rename to {{ table }}_of_before;
  {% endfor %}

  create table forecasts (
    run_id varchar not null,
    {{ domain }},
    {{ node }},
    {{ month }},
    model_name varchar not null,
    model_version varchar,
    {{ bounds }},
    scale double,
    interval_pool varchar,
    interval_n integer,
    status varchar not null check (status in ('published', 'baseline', 'backfill', 'override')),
    is_fallback boolean not null,
    prediction_time timestamp not null,
    check (ds = cast(cutoff + to_months(horizon) as date)),
    primary key (run_id, aggregation, unique_id, model_name, horizon, status)
  );

  create table backtests (
    run_id varchar not null,
    {{ domain }},
    {{ node }},
    {{ month }},
    model_name varchar not null,
    evaluation_set varchar not null check (evaluation_set in ('calibration', 'choice', 'held_out', 'recent')),
    scale double,
    {% for quantile in ['025', '100', '200', '300', '400', '500', '600', '700', '800', '900', '975'] -%}
      q{{ quantile }} double,
    {% endfor -%}
    interval_pool varchar,
    interval_n integer,
    is_fallback boolean not null,
    check (ds = cast(cutoff + to_months(horizon) as date)),
    primary key (run_id, aggregation, unique_id, model_name, cutoff, horizon)
  );

  create table overrides (
    override_id integer primary key,
    {{ domain }},
    {{ node }},
    first_month date,
    until date not null,
    kind varchar not null check (kind in ('value', 'percent', 'withdrawal')),
    amount double,
    who varchar not null,
    why varchar not null,
    made_at timestamp not null,
    based_on varchar not null,
    source varchar not null,
    withdraws integer,
    check ((kind = 'withdrawal') = (withdraws is not null)),
    check ((kind = 'withdrawal') = (amount is null))
  );

  create table overridden_forecasts (
    run_id varchar not null,
    revision integer not null check (revision >= 1),
    {{ domain }},
    {{ node }},
    {{ month }},
    model_name varchar not null,
    {{ bounds }},
    own_override integer,
    override_ids varchar not null,
    overridden_by varchar not null,
    override_reason varchar not null,
    made_at timestamp not null,
    check (ds = cast(cutoff + to_months(horizon) as date)),
    primary key (run_id, revision, aggregation, unique_id, horizon)
  );

  create table restated_forecasts (
    run_id varchar not null,
    {{ domain }},
    {{ node }},
    {{ month }},
    predicted_value double not null,
    known_by varchar not null,
    check (ds = cast(cutoff + to_months(horizon) as date)),
    primary key (run_id, aggregation, unique_id, horizon)
  );

  {% for table in tables -%}
    insert into {{ table }} select * from {{ table }}_of_before;
    drop table {{ table }}_of_before{{ ';' if not loop.last }}
  {% endfor %}
{% endmacro %}
