{{ published_predictions('profit', 3) }}
