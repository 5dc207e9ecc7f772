"""The scan for instructions hidden in CRM text, as the rooms that check and draft know it.

The rules live in `analysis/hostile.py`, because reading a customer's questions needs them too.
"""

from __future__ import annotations

from crmplugin.analysis.hostile import MAX_SCAN, Scan, scan_text

__all__ = ["MAX_SCAN", "Scan", "scan_text"]
