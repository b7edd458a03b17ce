"""What can happen, whoever asks: modules of verbs. No HTTP and no Celery in here."""
