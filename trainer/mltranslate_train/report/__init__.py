"""What a run's folder tells: its metrics, its state, its report; nothing here needs torch."""
