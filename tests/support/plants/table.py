"""All plants."""

from tests.support.plants import saturation, traffic

PLANTS = (*traffic.PLANTS, *saturation.PLANTS)
