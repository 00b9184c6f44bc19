{{ config(enabled=var('source') == 'csv') }}

with

facts as (

    {{ fact_table('csv', 'expenses', {
        'expense_date': 'date',
        'region': 'varchar',
        'amount': money(),
    }) }}

)

select * from facts
