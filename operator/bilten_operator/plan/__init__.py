"""What is observed and what is wanted → what to write next, and what to tell. Pure: no input or output, no clock."""
