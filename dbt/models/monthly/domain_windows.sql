with

windows as (

    select * from {{ ref('fact_windows') }}

),

needs as (

    select *
    from (values
        ('sales', 'sales', 'the sales facts'),
        ('inventory', 'inventory', 'the inventory facts'),
        ('profit', 'costs', 'the sales facts with a known cost'),
        ('profit', 'expenses', 'the expenses')
    ) as needs (domain, fact_table, called)

),

domain_windows as (

    select
        needs.domain,
        needs.called,
        windows.*
    from needs
    inner join windows on needs.fact_table = windows.fact_table
    where needs.domain <> 'profit'
        or exists (select 1 from windows where fact_table = 'costs')  -- expenses alone are no profit

)

select * from domain_windows
order by domain, fact_table
