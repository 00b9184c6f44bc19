{{ config(enabled=var('source') == 'parquet') }}

with

facts as (

    {{ fact_table('parquet', 'sales') }}

)

select * from facts
