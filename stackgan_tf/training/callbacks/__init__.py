"""The Keras callbacks of a phase, of one duty each. An epoch of Keras is a tick.

They run in this order. On every worker: `CountSteps`, `StopTogether`, `CheckFinite`. Then on the chief, which alone
writes: `GenerateSamples`, `ComputeScores`, `MetricsLog`, `WriteSamples`, `SaveCheckpoints`.
"""
