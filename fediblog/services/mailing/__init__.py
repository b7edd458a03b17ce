"""What `services/mail` is made of: its rows, the texts of its mails, and who wants which."""
