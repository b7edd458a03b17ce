"""Celery's side: what is done outside of requests. A name and one call each; the runner does the rest."""
