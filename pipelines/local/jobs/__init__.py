"""What CreateProcessingJob, CreateTrainingJob and CreateHyperParameterTuningJob do on this machine."""
