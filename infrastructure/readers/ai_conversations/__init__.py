"""What exports of conversations with an AI share: their documents, and the tree of answers."""
