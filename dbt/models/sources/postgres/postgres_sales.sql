{{ config(enabled=var('source') == 'postgres') }}

with

facts as (

    {{ fact_table('postgres', 'sales') }}

)

select * from facts
