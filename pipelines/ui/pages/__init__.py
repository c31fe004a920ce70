"""The pages, each one noun: what is read by boto3 becomes the facts of a template."""
