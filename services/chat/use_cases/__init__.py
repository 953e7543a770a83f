"""What users and events can cause, in one file for each noun."""
