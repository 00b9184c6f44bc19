{{ predictions_by_region('inventory') }}
