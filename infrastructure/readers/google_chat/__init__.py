"""Google Chat, as Google Takeout exports it: messages.json and group_info.json of each group."""
