"""ChatGPT: the conversations of OpenAI's data export."""
