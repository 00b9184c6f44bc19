{{ config(enabled=var('source') == 'csv') }}

with

facts as (

    {{ fact_table('csv', 'expenses') }}

)

select * from facts
