"""All plants."""

from tests.support.plants import changes, queues, saturation, series, traffic

PLANTS = (
    *traffic.PLANTS,
    *saturation.PLANTS,
    *series.PLANTS,
    *changes.PLANTS,
    *queues.PLANTS,
)
