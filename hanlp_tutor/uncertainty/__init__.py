"""How far to believe a score: of one answer (calibration), and of a test set (significance)."""
