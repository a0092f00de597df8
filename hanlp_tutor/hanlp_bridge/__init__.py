"""To and from HanLP's own model folders."""
