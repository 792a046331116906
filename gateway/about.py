"""Who answers here: the name and version that every document of ours shows."""

NAME = "MediFlow"
VERSION = "0.1.0"
NOTICE = "Research and education only, never a diagnosis. Have every result read by a person."
