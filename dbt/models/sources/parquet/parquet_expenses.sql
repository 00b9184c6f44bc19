{{ config(enabled=var('source') == 'parquet') }}

with

facts as (

    {{ fact_table('parquet', 'expenses', {
        'expense_date': 'date',
        'region': 'varchar',
        'amount': money(),
    }) }}

)

select * from facts
