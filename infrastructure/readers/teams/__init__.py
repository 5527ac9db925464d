"""Microsoft Teams: the administrator's export, and the messages of Microsoft Graph."""
