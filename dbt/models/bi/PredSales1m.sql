{{ predictions_by_region('sales') }}
