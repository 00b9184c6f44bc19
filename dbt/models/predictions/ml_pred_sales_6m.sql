{{ published_predictions('sales', 6) }}
