{{ config(enabled=var('source') == 'adventureworks') }}

with

products as (

    select * from {{ source('adventureworks', 'DimProduct') }}

),

subcategories as (

    select * from {{ source('adventureworks', 'DimProductSubcategory') }}

),

categories as (

    select * from {{ source('adventureworks', 'DimProductCategory') }}

),

named as (

    select
        products.ProductKey as product_key,
        products.EnglishProductName as product,
        coalesce(categories.EnglishProductCategoryName, 'Uncategorised') as product_category
    from products
    left join subcategories on products.ProductSubcategoryKey = subcategories.ProductSubcategoryKey
    left join categories on subcategories.ProductCategoryKey = categories.ProductCategoryKey

)

select * from named
