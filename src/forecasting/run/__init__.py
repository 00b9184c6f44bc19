"""The folders of a run, its settings, stamps and identity."""
