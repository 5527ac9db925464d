"""LINE: the text file that the app saves of a chat."""
