"""The use case: fraud in auto-insurance claims."""
