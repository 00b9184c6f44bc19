{%- set carried_months = 3 -%}

with

counts as (

    select * from {{ ref('inventory_counts') }}

),

region_months as (

    select distinct region, ds, last_day, is_full from counts

),

counted as (

    select
        *,
        ds as stock_ds,
        false as is_carried
    from counts
    where is_on_last_day or not is_full

),

carried as (  -- a product that a month's counts in turns do not reach keeps its last one

    select
        counted.* exclude (stock_ds, is_carried),
        region_months.ds as stock_ds,
        true as is_carried
    from counted
    inner join region_months
        on counted.region = region_months.region
        and region_months.ds > counted.ds
        and region_months.ds <= counted.ds + interval {{ carried_months }} month
        and not region_months.is_full
    where not exists (
        select 1
        from counts as later
        where later.region = counted.region
            and later.ds > counted.ds
            and later.ds <= region_months.ds
            and (later.is_full or (later.product_category = counted.product_category and later.product is not distinct from counted.product))
    )

),

stock as (

    select * from counted
    union all
    select * from carried

),

month_ends as (

    select
        stock.region,
        stock.product_category,
        stock.stock_ds as ds,
        any_value(region_months.last_day) as snapshot_date,
        cast(coalesce(sum(stock.n_facts) filter (where not stock.is_carried), 0) as bigint) as n_facts,
        sum(stock.units) as units,
        sum(stock.value_at_cost) as value_at_cost,
        sum(stock.n_without_value) as n_without_value
    from stock
    inner join region_months
        on stock.region = region_months.region
        and stock.stock_ds = region_months.ds
    group by stock.region, stock.product_category, stock.stock_ds

),

measured as (

    select
        region,
        product_category,
        ds,
        snapshot_date,
        n_facts,
        case when sum(n_without_value) over () = 0 then 'value at cost' else 'units' end as measure,
        cast(case when sum(n_without_value) over () = 0 then value_at_cost else units end as decimal(38, 4)) as stock
    from month_ends

)

select * from measured
order by region, product_category, ds
