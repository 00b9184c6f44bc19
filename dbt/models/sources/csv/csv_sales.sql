{{ config(enabled=var('source') == 'csv') }}

with

facts as (

    {{ fact_table('csv', 'sales') }}

)

select * from facts
