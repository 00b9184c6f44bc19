{{ published_predictions('inventory', 3) }}
