"""All plants."""

from tests.support.plants import saturation, series, traffic

PLANTS = (*traffic.PLANTS, *saturation.PLANTS, *series.PLANTS)
