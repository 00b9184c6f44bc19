{{ published_predictions('profit', 6) }}
