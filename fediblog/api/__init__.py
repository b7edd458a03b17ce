"""The Mastodon-compatible REST API: the second door on the services. Only here is a post a "status"."""
