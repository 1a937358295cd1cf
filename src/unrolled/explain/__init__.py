"""See inside a recurrent network: its shapes, its states and gates, its memory, its forecasts."""
