{{ published_predictions('sales', 1) }}
