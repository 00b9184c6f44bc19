{{ config(enabled=var('source') == 'postgres') }}

with

facts as (

    {{ fact_table('postgres', 'inventory', {
        'snapshot_date': 'date',
        'region': 'varchar',
        'product_category': 'varchar',
        'product': 'varchar',
        'quantity_on_hand': money(),
        'unit_cost': money(),
        'inventory_value': money(),
    }) }}

)

select * from facts
