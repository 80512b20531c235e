"""The debate: participants argue for positions, vote after each round, and reach a decision."""
