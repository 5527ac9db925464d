"""WhatsApp: the text files that a phone exports, alone or zipped."""
