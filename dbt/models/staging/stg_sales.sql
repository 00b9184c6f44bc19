{{ used('sales', 'order_date') }}
