"""Previews of uploads that wait to be confirmed."""
