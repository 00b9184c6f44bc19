with

monthly_actuals as (

    select * from {{ ref('monthly_actuals') }} where aggregation = 'series'

),

ledger as (

    select * from {{ source('ledger', 'actuals') }}

),

first_records as (

    select
        domain,
        unique_id,
        ds,
        arg_min(y, as_of) as y
    from ledger
    group by all

),

series as (

    select
        monthly_actuals.domain,
        monthly_actuals.region,
        monthly_actuals.product_category,
        monthly_actuals.ds,
        coalesce(first_records.y, monthly_actuals.y) as y,
        monthly_actuals.is_imputed
    from monthly_actuals
    left join first_records
        on monthly_actuals.domain = first_records.domain
        and monthly_actuals.unique_id = first_records.unique_id
        and monthly_actuals.ds = first_records.ds

),

actuals as (

    {{ bottom_up('series', 'y') }}

)

select * from actuals
order by domain, aggregation, unique_id, ds
