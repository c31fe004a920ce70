"""An account in which all is well."""

import pytest

from tests.adoption.aws import MotoAws
from tests.adoption.installed import install


@pytest.fixture
def well(aws: MotoAws) -> MotoAws:
    aws.add_domain()
    install(aws)
    return aws
