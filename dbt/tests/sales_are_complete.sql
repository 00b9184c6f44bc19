-- Every sale is in the training set or in a month left out: month by month the closed months equal the facts to the cent,
-- and so do both together over all months.
with facts as (

    select
        strftime(ds, '%Y-%m') as month,
        amount
    from {{ ref('sales_totals') }}

),

used as (

    select
        strftime(ds, '%Y-%m') as month,
        sum(cast(y as decimal(38, 4))) as amount
    from {{ ref('ml_train_sales_monthly') }}
    group by all

),

left_out as (

    select
        strftime(ds, '%Y-%m') as month,
        cast(amount as decimal(38, 4)) as amount
    from {{ ref('left_out_months') }}
    where domain = 'sales'

)

select
    month,
    facts.amount as in_the_facts,
    used.amount as in_the_training_set,
    left_out.amount as left_out
from facts
full outer join used using (month)
full outer join left_out using (month)
where (used.amount is not null and left_out.amount is not null)
    or abs(coalesce(facts.amount, 0) - coalesce(used.amount, 0) - coalesce(left_out.amount, 0)) >= 0.005
