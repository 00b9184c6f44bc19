{{ config(enabled=var('source') == 'postgres') }}

with

facts as (

    {{ fact_table('postgres', 'sales', {
        'order_date': 'date',
        'region': 'varchar',
        'product_category': 'varchar',
        'product': 'varchar',
        'quantity': money(),
        'net_amount': money(),
        'cost_amount': money(),
    }) }}

)

select * from facts
