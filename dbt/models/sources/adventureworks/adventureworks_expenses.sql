{{ config(enabled=var('source') == 'adventureworks') }}

with

facts as (

    select
        cast(null as date) as expense_date,
        cast(null as varchar) as region,
        cast(null as {{ money() }}) as amount,
        cast(null as ubigint) as row_hash
    limit 0

)

select * from facts
