with

month_ends as (

    select * from {{ ref('inventory_month_end') }}

),

region_months as (

    select * from {{ ref('inventory_region_months') }} where is_used

),

series as (

    select
        month_ends.region,
        month_ends.product_category,
        min(month_ends.ds) as first_ds
    from month_ends
    inner join region_months
        on month_ends.region = region_months.region
        and month_ends.ds = region_months.ds
    group by all

),

months as (

    select
        series.region,
        series.product_category,
        region_months.ds,
        coalesce(month_ends.stock, 0) as stock,  -- a count is the full picture: what it does not list is not there
        region_months.months_since_count > 0 as is_imputed
    from series
    inner join region_months
        on series.region = region_months.region
        and series.first_ds <= region_months.ds
    left join month_ends
        on series.region = month_ends.region
        and series.product_category = month_ends.product_category
        and region_months.counted_ds = month_ends.ds

)

select * from months
order by region, product_category, ds
