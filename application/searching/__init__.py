"""What a search asks for: the query language, and the filters that it is made of."""
