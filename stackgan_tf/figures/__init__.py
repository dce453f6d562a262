"""The paper's kinds of figures: functions from generators and arrays to images."""
