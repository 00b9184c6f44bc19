{{ predictions_by_region('profit') }}
