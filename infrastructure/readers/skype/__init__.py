"""Skype and Teams (free): messages.json of the personal export."""
