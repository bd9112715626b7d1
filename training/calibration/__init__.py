"""From what readers say to probabilities: the fitting of `graph/support/calibration.json`."""
