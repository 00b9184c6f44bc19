{{ config(enabled=var('source') == 'postgres') }}

with

facts as (

    {{ fact_table('postgres', 'expenses') }}

)

select * from facts
