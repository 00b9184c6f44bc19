{{ published_predictions('inventory', 6) }}
