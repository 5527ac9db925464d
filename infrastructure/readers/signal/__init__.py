"""Signal: its own plaintext export, and the chats that signal-export writes."""
