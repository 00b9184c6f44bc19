{{ published_predictions('profit', 1) }}
