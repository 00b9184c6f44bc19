{{ config(enabled=var('source') == 'postgres') }}

with

facts as (

    {{ fact_table('postgres', 'inventory') }}

)

select * from facts
