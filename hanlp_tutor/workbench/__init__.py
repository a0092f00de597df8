"""Around a run: jobs, notebooks, audit, diagnosis, tuning, calibration, significance, baselines, the doctor."""
