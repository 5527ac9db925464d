"""Telegram Desktop: result.json, of one chat or of an account."""
