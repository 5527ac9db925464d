"""Claude: the conversations of Anthropic's data export of claude.ai."""
