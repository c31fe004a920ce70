"""Who may call a port of this machine: this user, and no page in a browser."""
