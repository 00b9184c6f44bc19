{{ config(enabled=var('source') == 'parquet') }}

with

facts as (

    {{ fact_table('parquet', 'inventory') }}

)

select * from facts
