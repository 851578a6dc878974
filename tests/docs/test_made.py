"""Papers that are made from the code are as the code would make them now."""

import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.docs.made import MADE, ROOT


@pytest.mark.parametrize("path", MADE)
def test_a_paper_that_is_made_is_current(path: str) -> None:
    told = "`make papers` writes it"
    assert (ROOT / path).read_text(encoding="utf-8") == MADE[path](), told


def test_the_description_is_valid_openapi_3_1() -> None:
    description = yaml.safe_load(MADE["docs/reference/openapi.yaml"]())
    OpenAPIV31SpecValidator(description).validate()
