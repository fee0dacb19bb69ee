"""Origins under which Hinomi says itself what did not arrive: they speak only where something is wrong, so they have no rhythm."""

from collectors.pulls import findings as pulls
from collectors.transfer import findings as transfers

OWN_FINDINGS = frozenset({transfers.ORIGIN, pulls.ORIGIN})
