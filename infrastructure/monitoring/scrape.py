"""The metrics of a running server, as somebody else sees them."""

from __future__ import annotations

import http.client
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

TIMEOUT_SECONDS = 3.0  # a server whose database is away answers within 2.5
# Of this machine: no proxy knows the way there.
OPENER = build_opener(ProxyHandler({}))


class Scrape:
    """The samples of one answer."""

    def __init__(self, text: str) -> None:
        """
        Raises:
            ValueError: if this is not what Prometheus reads.
        """
        self._samples: dict[str, list[Sample]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self._samples.setdefault(sample.name, []).append(sample)

    def total(self, name: str, /, **labels: str) -> float:
        """The sum of all samples of this name that have these labels; 0 if there is none."""
        return sum(
            sample.value
            for sample in self._samples.get(name, [])
            if labels.items() <= sample.labels.items()
        )

    def by(self, name: str, label: str) -> dict[str, float]:
        """The sums for each value of a label."""
        values = {sample.labels[label] for sample in self._samples.get(name, [])}
        return {value: self.total(name, **{label: value}) for value in sorted(values)}

    def quantile(self, name: str, part: float) -> float | None:
        """
        Of all that a histogram has observed, as Prometheus estimates it: evenly within a bucket.

        Args:
            name: without `_bucket`.
            part: 0 to 1.

        Returns:
            Seconds, or what the histogram counts; None if it has observed nothing.
        """
        buckets = {float(le): n for le, n in self.by(f"{name}_bucket", "le").items()}
        total = buckets.get(float("inf"), 0.0)
        if not total:
            return None
        low, before = 0.0, 0.0
        for le, count in sorted(buckets.items()):
            if count >= part * total:
                if le == float("inf"):
                    return low  # more than the last bound: nobody knows how much
                return low + (le - low) * (part * total - before) / max(1.0, count - before)
            low, before = le, count
        return low


def scrape(address: str) -> Scrape | None:
    """None if no server of ours answers there."""
    try:
        with OPENER.open(f"{address}/metrics", timeout=TIMEOUT_SECONDS) as answer:
            found = Scrape(answer.read().decode())
    except (URLError, OSError, http.client.HTTPException, ValueError):
        return None
    return found if found.by("chatledger_build_info", "version") else None
