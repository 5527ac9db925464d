"""IRC logs, as clients, bouncers, bots and public log sites write them."""
