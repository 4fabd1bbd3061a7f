"""All plants."""

from tests.support.plants import changes, saturation, traffic

PLANTS = (*traffic.PLANTS, *saturation.PLANTS, *changes.PLANTS)
