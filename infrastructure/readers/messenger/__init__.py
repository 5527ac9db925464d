"""Facebook Messenger and Instagram: the message files of Meta's “Download your information”."""
