"""HTTP/1.1 on a socket of this machine, as far as AWS clients speak it."""
