"""What the tests of the definition's grammar share."""

from collections.abc import Callable

import botocore.session
import pytest
from botocore.model import ServiceModel

from pipelines.local.definition import Definition, parse_definition
from pipelines.local.errors import DefinitionError

Parse = Callable[[str], Definition]
Refuse = Callable[[str], str]


@pytest.fixture(scope="session")
def model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("sagemaker")


@pytest.fixture(scope="session")
def parse(model: ServiceModel) -> Parse:
    return lambda text: parse_definition(text, model)


@pytest.fixture(scope="session")
def refuse(model: ServiceModel) -> Refuse:
    """Give a function that returns why a definition is refused."""

    def reason_of(text: str) -> str:
        with pytest.raises(DefinitionError) as caught:
            parse_definition(text, model)
        message = str(caught.value)
        assert caught.value.code == "ValidationException"
        assert "\n" not in message
        assert message.startswith("Unable to parse pipeline definition. ")
        return message.removeprefix("Unable to parse pipeline definition. ")

    return reason_of
