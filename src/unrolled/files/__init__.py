"""Series out of CSV and Parquet files, and forecasts into them, through DuckDB."""

from __future__ import annotations

from unrolled.files.future import read_future
from unrolled.files.looking import overview
from unrolled.files.reading import read_panel
from unrolled.files.writing import csv_text, forecast_rows, write_forecast

__all__ = ["csv_text", "forecast_rows", "overview", "read_future", "read_panel", "write_forecast"]
