with

surplus as (

    select * from {{ ref('repeated_surplus') }}

),

amounts as (

    select
        fact_table,
        cast(sum(n_facts) as bigint) as n_surplus,
        sum(amount) as amount
    from surplus
    group by fact_table

)

select * from amounts
order by fact_table
