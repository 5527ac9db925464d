"""Conversations as RSMF 2.0 files, for review platforms and for Chatledger itself."""
