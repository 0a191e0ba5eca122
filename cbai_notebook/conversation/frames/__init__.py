"""Convert message records to DataFrames, and DataFrames and message lists back to turns."""
