{{ flow_training_set('profit', 'profit_monthly', 'profit') }}
