{{ used('inventory', 'snapshot_date') }}
