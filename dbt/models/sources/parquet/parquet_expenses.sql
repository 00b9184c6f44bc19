{{ config(enabled=var('source') == 'parquet') }}

with

facts as (

    {{ fact_table('parquet', 'expenses') }}

)

select * from facts
