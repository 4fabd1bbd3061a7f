"""What the tests of the house share."""

import pytest

from tests.support.distributions import Distributions, build


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    """An sdist of this very tree, and the wheel of that sdist; built once."""
    return build(tmp_path_factory.mktemp("distributions"))
