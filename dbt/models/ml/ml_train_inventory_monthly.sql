with

monthly as (

    select * from {{ ref('inventory_monthly') }}

),

training_set as (

    select
        region || '/' || product_category as unique_id,
        ds,
        cast(stock as double) as y,
        region,
        product_category,
        is_imputed
    from monthly

)

select * from training_set
order by unique_id, ds
