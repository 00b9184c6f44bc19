with
{% for fact_table, date_column, amount in [
    ('sales', 'order_date', 'net_amount'), ('inventory', 'snapshot_date', 'quantity_on_hand'), ('expenses', 'expense_date', 'amount')
] %}
known_{{ fact_table }} as (

    select * from {{ ref('known_' ~ fact_table) }}

),

{{ fact_table }}_blocks as (

    select * from {{ ref('repeated_blocks') }} where fact_table = '{{ fact_table }}'

),

{{ fact_table }}_numbered as (

    {{ numbered_copies('known_' ~ fact_table, date_column, fact_table ~ '_blocks', fact_table) }}

),
{% endfor %}
surplus as (
{% for fact_table, amount in [('sales', 'net_amount'), ('inventory', 'quantity_on_hand'), ('expenses', 'amount')] %}
    select '{{ fact_table }}' as fact_table, count(*) as n_surplus, sum({{ amount }}) as amount
    from {{ fact_table }}_numbered
    where not {{ is_counted_once() }}
    {% if not loop.last %}union all{% endif %}
{%- endfor %}
)

select * from surplus
where n_surplus > 0
order by fact_table
