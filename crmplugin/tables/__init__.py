"""Tables that other systems export: bytes become rows, rows become records. Pure; `journeys` stores them."""
