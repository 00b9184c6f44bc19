-- Month by month, the profit used and left out is the net amount of all sales, less that of sales whose cost is not known,
-- less the known costs, less the expenses, to the cent. Where no cost is known there is no profit at all.
with facts as (

    select
        strftime(ds, '%Y-%m') as month,
        amount,
        cost
    from {{ ref('sales_totals') }}

),

without_cost as (

    select
        strftime(ds, '%Y-%m') as month,
        amount_without_cost as amount
    from {{ ref('sales_without_cost') }}

),

expenses as (

    select
        strftime(expense_date, '%Y-%m') as month,
        sum(amount) as amount
    from {{ ref('stg_expenses') }}
    group by all

),

used as (

    select
        strftime(ds, '%Y-%m') as month,
        sum(cast(y as decimal(38, 4))) as amount
    from {{ ref('ml_train_profit_monthly') }}
    group by all

),

left_out as (

    select
        strftime(ds, '%Y-%m') as month,
        cast(amount as decimal(38, 4)) as amount
    from {{ ref('left_out_months') }}
    where domain = 'profit'

),

compared as (

    select
        month,
        coalesce(facts.amount, 0) - coalesce(without_cost.amount, 0) - coalesce(facts.cost, 0)
            - coalesce(expenses.amount, 0) as in_the_facts,
        coalesce(used.amount, 0) + coalesce(left_out.amount, 0) as in_profit
    from facts
    full outer join without_cost using (month)
    full outer join expenses using (month)
    full outer join used using (month)
    full outer join left_out using (month)

)

select *
from compared
where abs(in_the_facts - in_profit) >= 0.005
    and exists (select 1 from {{ ref('sales_totals') }} where n_with_cost > 0)
