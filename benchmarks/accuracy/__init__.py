"""How accurate the defaults are: every set by its protocol, beside baselines and published figures."""
