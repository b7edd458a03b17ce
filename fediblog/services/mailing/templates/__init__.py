"""The texts of mails. A package only so that they are installed with the rest."""
