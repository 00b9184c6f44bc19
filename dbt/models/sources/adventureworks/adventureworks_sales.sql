{{ config(enabled=var('source') == 'adventureworks') }}

with

internet as (

    select * from {{ source('adventureworks', 'FactInternetSales') }}

),

reseller as (

    select * from {{ source('adventureworks', 'FactResellerSales') }}

),

territories as (

    select * from {{ source('adventureworks', 'DimSalesTerritory') }}

),

products as (

    select * from {{ ref('adventureworks_products') }}

),

lines as (

    select OrderDate, SalesTerritoryKey, ProductKey, OrderQuantity, SalesAmount, TotalProductCost, hash(internet) as row_hash from internet
    union all
    select OrderDate, SalesTerritoryKey, ProductKey, OrderQuantity, SalesAmount, TotalProductCost, hash(reseller) as row_hash from reseller

),

facts as (

    select
        cast(lines.OrderDate as date) as order_date,
        territories.SalesTerritoryRegion as region,
        products.product_category,
        products.product,
        cast(lines.OrderQuantity as {{ money() }}) as quantity,
        cast(lines.SalesAmount as {{ money() }}) as net_amount,
        cast(lines.TotalProductCost as {{ money() }}) as cost_amount,
        lines.row_hash
    from lines
    left join territories on lines.SalesTerritoryKey = territories.SalesTerritoryKey
    left join products on lines.ProductKey = products.product_key

)

select * from facts
