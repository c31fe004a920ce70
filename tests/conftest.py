"""The environment of every test: no AWS of the user's, and a region for the SDK, which asks for one at its import."""

import os

for _name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[_name]
os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
