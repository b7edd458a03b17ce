"""What can be asked, area by area, in the order of the page."""
