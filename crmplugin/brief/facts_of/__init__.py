"""Facts by the record they come from; `brief/facts.py` puts them together."""
