with

days as (

    select * from {{ ref('known_days') }}

),

blocks as (

    select * from {{ ref('repeated_blocks') }}

),

cells as (

    select
        days.fact_table,
        days.fact_date,
        days.region,
        days.product_category,
        max(blocks.times) as times
    from days
    inner join blocks
        on days.fact_table = blocks.fact_table
        and days.fact_date between blocks.first_date and blocks.last_date
        and days.region = coalesce(blocks.region, days.region)
        and (days.fact_table = 'expenses' or days.product_category = coalesce(blocks.product_category, days.product_category))
    group by all

)

select * from cells
