"""The source adventureworks: which tables of the warehouse it needs, and which of their columns are the contract's."""

from forecasting.facts.named_parquet import NamedParquet


class AdventureWorks(NamedParquet):
    """A folder with a Parquet file of each table; dbt joins them."""

    name = "adventureworks"
    parquet = {  # noqa: RUF012
        "FactInternetSales": {"OrderDate": "date", "SalesAmount": "number", "TotalProductCost": "number?",
                              "OrderQuantity": "number", "ProductKey": "number", "SalesTerritoryKey": "number"},
        "FactResellerSales": {"OrderDate": "date", "SalesAmount": "number", "TotalProductCost": "number?",
                              "OrderQuantity": "number", "ProductKey": "number", "SalesTerritoryKey": "number"},
        "FactProductInventory": {"MovementDate": "date", "UnitsBalance": "number", "UnitCost": "number?",
                                 "ProductKey": "number"},
        "DimProduct": {"ProductKey": "number", "EnglishProductName": "text", "ProductSubcategoryKey": "number?"},
        "DimProductSubcategory": {"ProductSubcategoryKey": "number", "ProductCategoryKey": "number"},
        "DimProductCategory": {"ProductCategoryKey": "number", "EnglishProductCategoryName": "text"},
        "DimSalesTerritory": {"SalesTerritoryKey": "number", "SalesTerritoryRegion": "text"},
    }  # fmt: skip
    tables = {  # noqa: RUF012
        "sales": (
            ("FactInternetSales", "FactResellerSales"),
            {"order_date": "OrderDate", "net_amount": "SalesAmount", "cost_amount": "TotalProductCost",
             "quantity": "OrderQuantity"},
        ),
        "inventory": (
            ("FactProductInventory",),
            {"snapshot_date": "MovementDate", "quantity_on_hand": "UnitsBalance", "unit_cost": "UnitCost"},
        ),
    }  # fmt: skip
    not_currencies = ("CurrencyKey",)  # what a customer paid in; the amounts are all in dollars


SOURCE = AdventureWorks()
