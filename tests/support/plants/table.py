"""All plants."""

from tests.support.plants import changes, queues, saturation, traffic

PLANTS = (*traffic.PLANTS, *saturation.PLANTS, *changes.PLANTS, *queues.PLANTS)
