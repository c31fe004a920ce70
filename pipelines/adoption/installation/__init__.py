"""The project template in an account: installed, and taken away again."""
