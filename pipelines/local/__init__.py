"""SageMaker on one machine: `session` returns a boto3.Session that this machine answers.

`pipelines.local.session` is that function, and stays it whoever imports the module of the same name.
"""

from pipelines.local.session import session

__all__ = ["session"]
