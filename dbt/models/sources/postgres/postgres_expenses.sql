{{ config(enabled=var('source') == 'postgres') }}

with

facts as (

    {{ fact_table('postgres', 'expenses', {
        'expense_date': 'date',
        'region': 'varchar',
        'amount': money(),
    }) }}

)

select * from facts
