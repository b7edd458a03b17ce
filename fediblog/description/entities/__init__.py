"""What comes back. Every field is always there, unless it is `NotRequired`; what may be null says so."""
