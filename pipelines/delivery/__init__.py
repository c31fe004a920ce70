"""What the commands do, against any boto3 session."""
