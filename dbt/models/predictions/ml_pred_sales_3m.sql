{{ published_predictions('sales', 3) }}
