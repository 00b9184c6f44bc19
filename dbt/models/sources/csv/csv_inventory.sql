{{ config(enabled=var('source') == 'csv') }}

with

facts as (

    {{ fact_table('csv', 'inventory') }}

)

select * from facts
