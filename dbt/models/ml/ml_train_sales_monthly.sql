{{ flow_training_set('sales', 'sales_monthly', 'net_amount') }}
