"""Discord: what DiscordChatExporter writes, and the data package that Discord itself sends."""
