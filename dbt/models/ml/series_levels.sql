with

level_values as (

    select * from {{ ref('level_values') }}

),

series as (

    select region, product_category from {{ ref('ml_train_sales_monthly') }}
    union
    select region, product_category from {{ ref('ml_train_inventory_monthly') }}
    union
    select region, product_category from {{ ref('ml_train_profit_monthly') }}

),

regions as (

    select column_name, region, min(value) as value, count(distinct value) as n_values
    from level_values
    group by column_name, region

),

categories as (

    select column_name, product_category, min(value) as value
    from level_values
    group by column_name, product_category

),

-- a column groups regions where each has one value of it, else categories: the check after the build refuses one that groups neither
sides as (

    select column_name, max(n_values) = 1 as is_of_regions
    from regions
    group by column_name

),

named as (

    select
        series.region,
        series.product_category,
        sides.column_name,
        sides.is_of_regions,
        coalesce(case when sides.is_of_regions then regions.value else categories.value end, 'Not stated') as value
    from series
    cross join sides
    left join regions
        on sides.column_name = regions.column_name
        and series.region = regions.region
    left join categories
        on sides.column_name = categories.column_name
        and series.product_category = categories.product_category

),

series_levels as (

    {% for level, columns in var('levels').items() -%}
    select
        '{{ level }}' as aggregation,
        {{ loop.index }} as position,
        region,
        product_category,
        coalesce(
            string_agg(value, ' · ' order by list_position(['{{ columns | join("', '") }}'], column_name)) filter (where is_of_regions), 'All'
        ) as node_region,
        coalesce(
            string_agg(value, ' · ' order by list_position(['{{ columns | join("', '") }}'], column_name)) filter (where not is_of_regions), 'All'
        ) as node_product_category
    from named
    where column_name in ('{{ columns | join("', '") }}')
    group by region, product_category
    {{ 'union all' if not loop.last }}
    {% else -%}
    select 'none' as aggregation, 0 as position, region, product_category, 'All' as node_region, 'All' as node_product_category
    from series
    limit 0
    {% endfor %}

)

select * from series_levels
order by position, region, product_category
