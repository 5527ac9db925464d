"""Subscriptions: from what moves, over one rendering for everybody, to WebSockets and streams."""
