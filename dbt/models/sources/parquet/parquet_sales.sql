{{ config(enabled=var('source') == 'parquet') }}

with

facts as (

    {{ fact_table('parquet', 'sales', {
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
