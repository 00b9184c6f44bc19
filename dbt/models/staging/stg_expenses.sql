{{ used('expenses', 'expense_date') }}
