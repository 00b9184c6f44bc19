with

facts as (

    {{ csv_table('expenses', {
        'expense_date': 'date',
        'region': 'varchar',
        'amount': money(),
    }) }}

)

select * from facts
