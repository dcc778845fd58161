"""Whether bytes that strangers sent may be kept and shown: their type, their bounds, what a scanner says, and pictures
made anew from them. Knows no HTTP and no database."""
