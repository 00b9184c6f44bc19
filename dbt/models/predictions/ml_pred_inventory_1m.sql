{{ published_predictions('inventory', 1) }}
