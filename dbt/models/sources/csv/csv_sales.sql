{{ config(enabled=var('source') == 'csv') }}

with

facts as (

    {{ fact_table('csv', 'sales', {
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
